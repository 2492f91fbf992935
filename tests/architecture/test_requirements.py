"""The requirement sets: what pyproject.toml asks for, all of it pinned and hashed, in agreement, and base without a neural package."""

import re
import tomllib
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[2]
SETS = ["base", "s3", "pesq", "cpu", "cuda", "neural", "dev"]
BY_HAND = "cpu"
PIN = re.compile(
    r"^(?P<name>[A-Za-z0-9._-]+)(?:\[[a-z0-9,]+\])?==(?P<version>[^\s;]+)(?: ; .+?)?((?: --hash=sha256:[0-9a-f]{64})+)$"
)
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


def requirements(which: str) -> list[str]:
    """What a file asks for, a requirement and its hashes on one line."""
    text = (REPO / f"requirements-{which}.txt").read_text().replace(" \\\n    --hash", " --hash")
    return [line for line in text.splitlines() if line and not line.strip().startswith("#")]


def pins(which: str) -> dict[str, str]:
    matches = filter(None, map(PIN.match, requirements(which)))
    return {normal(match["name"]): match["version"] for match in matches}


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def asked_directly(which: str) -> dict[str, str]:
    """What pyproject.toml asks for by name in a set."""
    project = tomllib.loads((REPO / "pyproject.toml").read_text())
    asked = project["project"]["dependencies"] if which == "base" else project["dependency-groups"][which]
    return {normal(name.partition("[")[0]): version for name, _, version in (line.partition("==") for line in asked)}


@pytest.mark.parametrize("which", SETS)
def test_every_requirement_is_pinned_once_with_its_hashes(which: str) -> None:
    assert len(pins(which)) == len(requirements(which)) > 0


@pytest.mark.parametrize("which", [each for each in SETS if each != BY_HAND])
def test_a_set_holds_what_pyproject_asks_for(which: str) -> None:
    """Fails where `make lock` was forgotten."""
    assert asked_directly(which).items() <= (pins("cuda") | pins(which)).items()


def test_base_needs_no_neural_package() -> None:
    assert not NEURAL & pins("base").keys()


def test_the_cpu_build_of_torch_brings_nothing_of_cuda() -> None:
    assert not [name for name in pins("neural") if name.startswith(("nvidia-", "cuda-", "triton"))]
    assert [name for name in pins("cuda") if name.startswith("nvidia-")]


def test_the_sets_agree_on_what_they_share() -> None:
    versions: dict[str, str] = {}
    for which in SETS:
        for name, build in pins(which).items():
            version = build.partition("+")[0]
            assert versions.setdefault(name, version) == version, name


@pytest.mark.parametrize("path", ["Makefile", "docker/Dockerfile"])
def test_what_installs_asks_for_the_hashes(path: str) -> None:
    installs = re.findall(r"^.*pip install.*$", (REPO / path).read_text(), flags=re.MULTILINE)
    assert installs and all("--require-hashes --no-deps" in line for line in installs)
