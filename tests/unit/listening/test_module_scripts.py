"""Scripts of pages and the modules they bring along."""

import re
from pathlib import Path

import pytest
from django.core.management import call_command

from listening.templatetags.modules import imports_of, module_script

STATIC = Path(__file__).parents[3] / "static"
SCRIPTS = {
    "js/of-two/page.js": 'import { one } from "./one.js";\nimport {\n  two,\n} from "../two.js";\none(two);\n',
    "js/of-two/one.js": 'export { two as one } from "../two.js";\n',
    "js/two.js": 'import "./of-two/page.js";\nexport const two = 2; // from "./nowhere.js"\n',
}


@pytest.fixture
def scripts(settings, tmp_path: Path) -> Path:
    """A static folder of three modules that import one another in a circle."""
    for name, text in SCRIPTS.items():
        (tmp_path / "static" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "static" / name).write_text(text)
    settings.STATICFILES_DIRS = [tmp_path / "static"]
    settings.STATICFILES_FINDERS = ["django.contrib.staticfiles.finders.FileSystemFinder"]
    settings.STATIC_ROOT = tmp_path / "root"
    imports_of.cache_clear()
    return tmp_path


def test_a_script_brings_every_module_of_its_modules_once_and_not_itself(scripts: Path) -> None:
    assert imports_of("js/of-two/page.js") == ("js/of-two/one.js", "js/two.js")


def test_the_page_of_a_rating_session_brings_all_that_its_scripts_name() -> None:
    imports_of.cache_clear()
    named = set()
    for path in ["js/session.js", *imports_of("js/session.js")]:
        named |= {f"js/{name}" for name in re.findall(r'from "\./(.+?)"', (STATIC / path).read_text())}
    assert named == set(imports_of("js/session.js"))
    assert len(named) > 15


def test_a_module_that_is_not_there_is_told_by_name(scripts: Path) -> None:
    (scripts / "static/js/two.js").unlink()
    with pytest.raises(LookupError, match=r"no static file js/two\.js, which js/of-two/page\.js asks for"):
        imports_of("js/of-two/page.js")


def test_names_with_hashes_are_followed(scripts: Path, settings) -> None:
    storage = "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"
    settings.STORAGES = {**settings.STORAGES, "staticfiles": {"BACKEND": storage}}
    call_command("collectstatic", interactive=False, verbosity=0)
    hrefs = re.findall(r'(?:href|src)="/static/(.+?)"', module_script("js/of-two/page.js"))
    assert len(hrefs) == 3
    assert all(re.search(r"\.[0-9a-f]{12}\.js$", href) and (scripts / "root" / href).is_file() for href in hrefs)
