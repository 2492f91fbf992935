"""Who may import whom, checked statically by the contracts of pyproject.toml and dynamically by taking packages away."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[2]

# Imports every module of a room with some packages out of reach. argv: the room, then the packages.
IMPORT_ALL = """
import importlib, os, pkgutil, sys

room, blocked = sys.argv[1], set(sys.argv[2:])

class Block:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in blocked:
            raise ModuleNotFoundError(f"{name} is out of reach in this test", name=name)

sys.meta_path.insert(0, Block())
if room == "listening":
    import django
    os.environ["DJANGO_SETTINGS_MODULE"] = "listening.settings"
    django.setup()
for module in pkgutil.walk_packages(importlib.import_module(room).__path__, room + "."):
    if not module.name.endswith(".__main__"):
        importlib.import_module(module.name)
"""


def import_all(room: str, blocked: list[str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", IMPORT_ALL, room, *blocked]
    return subprocess.run(command, cwd=REPO, env={**os.environ, "PYTHONPATH": str(REPO)}, capture_output=True, text=True)


def test_the_import_contracts_hold() -> None:
    program = Path(sys.executable).with_name("lint-imports")
    result = subprocess.run([program, "--no-logo", "--no-cache"], cwd=REPO, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize("room", ["analysis", "codecs_runner", "listening"])
def test_a_room_imports_without_the_neural_packages(room: str, heavy_libraries: list[str]) -> None:
    result = import_all(room, heavy_libraries)
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("room", ["analysis", "codecs_runner"])
def test_a_room_imports_without_django(room: str) -> None:
    result = import_all(room, ["django", "rest_framework"])
    assert result.returncode == 0, result.stderr


def test_analysis_imports_without_celery() -> None:
    result = import_all("analysis", ["celery", "kombu", "redis"])
    assert result.returncode == 0, result.stderr


def test_a_package_out_of_reach_is_noticed() -> None:
    result = import_all("analysis", ["analysis"])
    assert "out of reach" in result.stderr


def test_the_site_starts_without_what_is_slow_to_load() -> None:
    """Parts of scipy take most of a second; every command and every web process would wait for them."""
    asked = "import django, sys; django.setup(); import listening.urls; print(*sorted({0} & sys.modules.keys()))"
    slow = {"scipy.fft", "scipy.linalg", "scipy.optimize", "scipy.signal", "scipy.sparse", "scipy.stats", "sklearn", "torch"}
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "listening.settings"}
    said = subprocess.run([sys.executable, "-c", asked.format(slow)], cwd=REPO, env=environment, capture_output=True, text=True)
    assert (said.stdout, said.stderr) == ("\n", "")
