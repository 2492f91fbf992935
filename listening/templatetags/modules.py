"""A page's script with every module that it will ask for named in the page, so that they come at once and not one wave after another."""

import posixpath
import re
from functools import cache
from pathlib import Path

from django import template
from django.contrib.staticfiles import finders
from django.templatetags.static import static
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

register = template.Library()

_IMPORT = re.compile(r"""^\s*(?:import|export)\b[^;"']*["'](\.{1,2}/[^"']+)["']""", re.MULTILINE)


@cache
def imports_of(path: str) -> tuple[str, ...]:
    """The modules that a script brings along, directly or through others, itself left out; paths below static/.

    Read once for each process. A list that has grown old (a script edited beside a running server) costs a wave, and breaks nothing.
    Raises LookupError for a script, or a module it names, that is not there.
    """
    found: dict[str, None] = {}
    waiting = [path]
    while waiting:
        script = waiting.pop(0)
        file = finders.find(script)
        if file is None:
            raise LookupError(f"There is no static file {script}, which {path} asks for.")
        for name in _IMPORT.findall(Path(file).read_text(encoding="utf-8")):
            module = posixpath.normpath(posixpath.join(posixpath.dirname(script), name))
            if module not in found and module != path:
                found[module] = None
                waiting.append(module)
    return tuple(found)


@register.simple_tag
def module_script(path: str) -> SafeString:
    """The script element of an ES module below static/, after a preload of each module that it imports."""
    preloads = format_html_join("", '<link rel="modulepreload" href="{}">', ((static(name),) for name in imports_of(path)))
    return format_html('{}<script type="module" src="{}"></script>', preloads, static(path))
