"""The shape of the checkout: what lies at the top, how long a file may get, what a module may be called."""

import ast
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[2]
TOP_LEVEL = {
    *(".ci", "analysis", "codecs_runner", "docker", "listening", "static", "templates", "tests"),
    *(".env.example", ".gitignore", "CHANGELOG.md", "Makefile", "README.md", "manage.py", "pyproject.toml"),
    *(f"requirements-{which}.txt" for which in ("base", "s3", "pesq", "cpu", "cuda", "neural", "dev")),
}
FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "common", "signals"}
MAX_LINES = 400
# Django registers system checks here: they need the app registry, which is not ready when the module is read.
APP_READY = ("listening/apps.py", "listening")
HAND_WRITTEN = {".py", ".js", ".css", ".html"}


@pytest.fixture(scope="module")
def tracked() -> list[Path]:
    """The files under version control, relative to the root."""
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=REPO, check=True, capture_output=True, text=True).stdout
    return [path for name in listing.split("\0") if name and (REPO / (path := Path(name))).is_file()]


def test_the_top_level_holds_what_the_plan_names_and_nothing_else(tracked: list[Path]) -> None:
    assert {path.parts[0] for path in tracked} == TOP_LEVEL


def test_no_file_is_longer_than_400_lines(tracked: list[Path]) -> None:
    sources = [path for path in tracked if path.suffix in HAND_WRITTEN and "migrations" not in path.parts]
    lengths = {str(path): len((REPO / path).read_text(encoding="utf-8").splitlines()) for path in sources}
    assert {path: n for path, n in lengths.items() if n > MAX_LINES} == {}


def test_no_module_is_named_after_what_it_is_not(tracked: list[Path]) -> None:
    modules = [path for path in tracked if path.suffix == ".py"]
    assert [str(path) for path in modules if FORBIDDEN_NAMES & {*path.parts[:-1], path.stem}] == []


def test_functions_import_nothing_but_heavy_libraries(tracked: list[Path], heavy_libraries: list[str]) -> None:
    rooms = [path for path in tracked if path.suffix == ".py" and path.parts[0] in {"analysis", "codecs_runner", "listening"}]
    found = [
        (str(path), name) for path in rooms for name in imports_inside_functions((REPO / path).read_text(encoding="utf-8"))
    ]
    light = {(path, name) for path, name in found if name.partition(".")[0] not in heavy_libraries}
    assert light <= {APP_READY}


def imports_inside_functions(source: str) -> Iterator[str]:
    for function in ast.walk(ast.parse(source)):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            for node in ast.walk(function):
                if isinstance(node, ast.Import):
                    yield from (alias.name for alias in node.names)
                elif isinstance(node, ast.ImportFrom):
                    yield node.module or "."
