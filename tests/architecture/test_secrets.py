"""No password, key or token stands in a file under version control, beside what was looked at and is none."""

import subprocess
from pathlib import Path

import pytest
from detect_secrets.core import baseline
from detect_secrets.core.secrets_collection import SecretsCollection

REPO = Path(__file__).resolve().parents[2]
# What looks like a secret and is none, by its hash, as detect-secrets itself writes it; with it, what is looked for.
KNOWN = ".ci/not_secrets.json"
# What only its name makes a secret (`password = …`): in tests it is made up, and has no form that would give a real one away.
NAMED = "Secret Keyword"
# Made up for these tests, in the form of real ones.
PLANTED = {
    "AWS Access Key": 'key = "AKIA' + 'Z7Q2M4X6R8T1V3B5"',
    "Private Key": "-----BEGIN RSA " + "PRIVATE KEY-----",
    NAMED: "PROLIFIC_TOKEN_" + 'password = "vRt8-kq1Zx"',
}


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> SecretsCollection:
    """What was looked at; also sets the scanner up as it was then."""
    monkeypatch.chdir(REPO)
    return baseline.load(baseline.load_from_file(KNOWN), KNOWN)


def test_no_file_holds_a_secret(known: SecretsCollection) -> None:
    """If what is found is none, write the list anew, as listening/SECURITY.md says, and look at what was added to it."""
    listing = subprocess.run(["git", "ls-files", "-z"], check=True, capture_output=True, text=True).stdout
    found = SecretsCollection()
    for name in listing.split("\0"):
        if name and Path(name).is_file():
            found.scan_file(name)
    new = {(secret.filename, secret.type) for _, secret in found - known}
    assert {(file, kind) for file, kind in new if not (file.startswith("tests/") and kind == NAMED)} == set()


@pytest.mark.parametrize("kind", PLANTED)
def test_a_planted_secret_is_found(known: SecretsCollection, tmp_path: Path, kind: str) -> None:
    file = tmp_path / "settings.py"
    file.write_text(PLANTED[kind])
    found = SecretsCollection()
    found.scan_file(str(file))
    assert kind in {secret.type for _, secret in found}
