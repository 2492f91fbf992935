"""The requirement sets: pinned throughout, agreeing with one another, and base without a neural package."""

import re
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[2]
SETS = ["base", "neural", "s3", "dev"]
PIN = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)(\[[a-z0-9,]+\])?==(?P<version>[^\s;]+)$")
NEURAL = {
    "torch",
    "torchaudio",
    "encodec",
    "descript-audio-codec",
    "descript-audiotools",
    "ai-edge-litert",
    "onnxruntime",
    "transformers",
}


def lines(which: str) -> list[str]:
    text = (REPO / f"requirements-{which}.txt").read_text()
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def pins(which: str) -> dict[str, str]:
    matches = filter(None, map(PIN.match, lines(which)))
    return {re.sub(r"[-_.]+", "-", match["name"]).lower(): match["version"] for match in matches}


@pytest.mark.parametrize("which", SETS)
def test_every_requirement_is_pinned_once(which: str) -> None:
    assert len(pins(which)) == len(lines(which))


def test_base_needs_no_neural_package() -> None:
    assert not NEURAL & pins("base").keys()


def test_the_sets_agree_on_what_they_share() -> None:
    versions: dict[str, str] = {}
    for which in SETS:
        for name, version in pins(which).items():
            assert versions.setdefault(name, version) == version, name
