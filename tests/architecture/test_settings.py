"""The switches: each variable that the code reads stands in .env.example."""

import re
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[2]
READ_BY_CODE = re.compile(r"\benv(?:\.\w+)?\(\s*\"([A-Z_]+)\"|\b(?:environ(?:\.get\(|\[)|setting\()\s*\"([A-Z_]+)\"")
NOT_OURS = {"DJANGO_SETTINGS_MODULE", "XDG_CACHE_HOME", "PATH_INFO", "NO_SUCH_NAME"}


@pytest.fixture(scope="module")
def switches() -> set[str]:
    return set(re.findall(r"^#?([A-Z_]+)=", (REPO / ".env.example").read_text(), flags=re.MULTILINE))


def test_env_example_names_every_variable_that_the_code_reads(switches: set[str]) -> None:
    sources = [path.read_text() for room in ("listening", "codecs_runner", "analysis") for path in (REPO / room).rglob("*.py")]
    names = {name for source in sources for match in READ_BY_CODE.findall(source) for name in match if name}
    assert names - NOT_OURS <= switches
    assert {"DATABASE_URL", "CODEC_WEIGHTS"} <= names, "the pattern finds nothing any more"
