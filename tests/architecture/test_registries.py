"""Registries are literal dicts of key to dotted path: read at a glance, loaded lazily, and every entry leads somewhere."""

import ast
import importlib
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[2]
REGISTRIES = {
    "CONDITIONS": REPO / "codecs_runner/registry.py",
    "READERS": REPO / "analysis/corpora/__init__.py",
    "MEASURES": REPO / "analysis/objective/__init__.py",
    "FORMATS": REPO / "analysis/formats/__init__.py",
    "UPSTREAMS": REPO / "analysis/ser/upstreams/__init__.py",
    "DOWNSTREAMS": REPO / "analysis/ser/downstreams/__init__.py",
    "RATING_TASKS": REPO / "listening/rating_tasks/registry.py",
    "SCREENING_STEPS": REPO / "listening/screening/registry.py",
}


def literal_registry(name: str) -> dict[str, str]:
    """The dict assigned to `name`, read from the source without running it. Fails unless it is a literal of plain strings."""
    for node in ast.parse(REGISTRIES[name].read_text()).body:
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            target = node.target if isinstance(node, ast.AnnAssign) else node.targets[0]
            if isinstance(target, ast.Name) and target.id == name:
                registry: dict[str, str] = ast.literal_eval(node.value)
                return registry
    raise AssertionError(f"{REGISTRIES[name].relative_to(REPO)} assigns no {name}")


def resolve(dotted: str) -> object:
    """`package.module:name` or `package.module.name`, imported."""
    module, _, name = dotted.partition(":") if ":" in dotted else dotted.rpartition(".")
    return getattr(importlib.import_module(module), name)


@pytest.mark.parametrize("name", REGISTRIES)
def test_a_registry_is_a_literal_dict_of_strings(name: str) -> None:
    registry = literal_registry(name)
    assert registry
    assert all(isinstance(text, str) for pair in registry.items() for text in pair)


@pytest.mark.parametrize("name", REGISTRIES)
def test_every_entry_of_a_registry_resolves(name: str) -> None:
    for dotted in literal_registry(name).values():
        assert resolve(dotted) is not None, dotted
