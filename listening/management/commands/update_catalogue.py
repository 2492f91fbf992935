"""manage.py update_catalogue [--check]"""

import io
import re
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_python
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils.translation.template import templatize

from analysis.scales import SCALES
from listening.rating_tasks.emotion import EMOTION_NAMES

_PLURAL = ("ngettext", "ngettext_lazy")
_KEYWORDS: dict[str, Any] = dict.fromkeys(["_", "gettext", "gettext_lazy", "gettext_noop", "LinkError", *_PLURAL])
_PLACE = re.compile(r"\{\w+\}|%\(\w+\)s")
_FOLDER = Path(settings.BASE_DIR) / "listening" / "locale" / "zh_Hans" / "LC_MESSAGES"

MessageId = str | tuple[str, ...]


class Command(BaseCommand):
    help = "Bring the Simplified Chinese catalogue up to date with every sentence that raters can see, and compile it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--check", action="store_true", help="write nothing; fail when something would change or is missing"
        )

    def handle(self, *, check: bool, **options: Any) -> None:
        po, mo = _FOLDER / "django.po", _FOLDER / "django.mo"
        catalogue = _catalogue(po)
        if problems := [problem for message in catalogue if message.id for problem in _problems(message)]:
            text = "\n".join(problems)
            if check:
                raise CommandError(text)
            self.stderr.write(text)
        for path, content in ((po, _as_po(catalogue)), (mo, _as_mo(catalogue))):
            if check and (not path.is_file() or path.read_bytes() != content):
                raise CommandError(f"{path.name} is not up to date; run `manage.py update_catalogue`.")
            if not check:
                path.write_bytes(content)


def _catalogue(po: Path) -> Catalog:
    """Every sentence of the sources with the translation that the file holds of it."""
    with po.open("rb") as file:
        known = read_po(file, locale="zh_Hans")
    found = Catalog(locale="zh_Hans", project="codec-listening", fuzzy=False)
    # The dates would change with every run, and say nothing that the history does not.
    found.creation_date = found.revision_date = known.creation_date
    found.header_comment = "# Written by `manage.py update_catalogue`; the translations in it are kept."
    for message_id, place in _sentences():
        translated = known.get(message_id)
        found.add(message_id, translated.string if translated else "", locations=[(place, 0)])
    return found


def _sentences() -> Iterator[tuple[MessageId, str]]:
    root = Path(settings.BASE_DIR)
    for path in sorted((root / "listening").rglob("*.py")):
        yield from _in_source(path.read_text(encoding="utf-8"), str(path.relative_to(root)))
    for path in sorted((root / "templates").rglob("*.html")):
        # What stands between the tags comes out as a row of X; at the start of a line Python would take blanks for structure.
        blotted = templatize(path.read_text(encoding="utf-8"))
        yield from _in_source("\n".join(map(str.lstrip, blotted.splitlines())), str(path.relative_to(root)))
    for scale in SCALES.values():
        yield from ((text, "analysis/scales.py") for text in (scale.title, scale.prompt, *scale.labels.values()))
    yield from ((name, "listening/rating_tasks/emotion.py") for name in EMOTION_NAMES)


def _in_source(source: str, place: str) -> Iterator[tuple[MessageId, str]]:
    for _line, function, given, _comments in extract_python(io.BytesIO(source.encode()), _KEYWORDS, (), {"encoding": "utf-8"}):
        texts: tuple[Any, ...] = given if isinstance(given, tuple) else (given,)
        wanted = [text for text in texts[: 2 if function in _PLURAL else 1] if isinstance(text, str)]
        if wanted and all(wanted):
            yield (wanted[0] if len(wanted) == 1 else tuple(wanted)), place


def _problems(message: Message) -> Iterator[str]:
    ids = [message.id] if isinstance(message.id, str) else list(message.id)
    strings = [message.string] if isinstance(message.string, str) else list(message.string or [""])
    if not all(strings):
        yield f"No translation of: {ids[0]}"
        return
    places = set(_PLACE.findall(ids[-1]))
    for string in strings:
        if set(_PLACE.findall(string)) != places:
            yield f"Other places in the translation than in: {ids[-1]}"


def _as_po(catalogue: Catalog) -> bytes:
    buffer = io.BytesIO()
    write_po(buffer, catalogue, width=120, include_lineno=False, sort_by_file=True)
    return buffer.getvalue()


def _as_mo(catalogue: Catalog) -> bytes:
    buffer = io.BytesIO()
    write_mo(buffer, catalogue)
    return buffer.getvalue()
