import tomllib
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def heavy_libraries() -> list[str]:
    """The libraries that are imported only where they are used, as ruff is told them."""
    settings = tomllib.loads((Path(__file__).resolve().parents[2] / "pyproject.toml").read_text())
    return list(settings["tool"]["ruff"]["lint"]["flake8-tidy-imports"]["banned-module-level-imports"])
