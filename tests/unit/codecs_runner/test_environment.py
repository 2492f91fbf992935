"""What an audio worker is told may lie in files."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from codecs_runner.environment import setting
from codecs_runner.places import open_place

REPO = Path(__file__).resolve().parents[3]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "secret"
    path.write_text("rediss://worker:pass@broker:6379/0\n")
    return path


def test_a_file_goes_before_the_variable_and_loses_its_line_break(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CELERY_BROKER_URL", "redis://other")
    assert setting("CELERY_BROKER_URL") == "redis://other"
    monkeypatch.setenv("CELERY_BROKER_URL_FILE", str(file))
    assert setting("CELERY_BROKER_URL") == "rediss://worker:pass@broker:6379/0"
    monkeypatch.setenv("CELERY_BROKER_URL_FILE", str(file.with_name("absent")))
    with pytest.raises(FileNotFoundError):
        setting("CELERY_BROKER_URL")


def test_a_worker_reads_its_broker_from_a_file(file: Path) -> None:
    names = {"CELERY_BROKER_URL", "CELERY_RESULT_BACKEND"}
    environment = {name: value for name, value in os.environ.items() if name not in names}
    environment["CELERY_BROKER_URL_FILE"] = str(file)
    asked = "from codecs_runner.worker import app; print(app.conf.broker_url, app.conf.result_backend)"
    said = subprocess.run([sys.executable, "-c", asked], cwd=REPO, env=environment, capture_output=True, text=True, check=False)
    assert said.stdout.split() == ["rediss://worker:pass@broker:6379/0"] * 2, said.stderr


def test_the_keys_of_a_bucket_may_lie_in_files(bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, content in {"AWS_ACCESS_KEY_ID": "key-of-a-file", "AWS_SECRET_ACCESS_KEY": "secret-of-a-file"}.items():
        (tmp_path / name).write_text(f"{content}\n")
        monkeypatch.delenv(name)
        monkeypatch.setenv(f"{name}_FILE", str(tmp_path / name))
    place = open_place(bucket)
    place.write("clip.flac", b"sound")
    assert place.read("clip.flac") == b"sound"
    assert "AWSAccessKeyId=key-of-a-file" in str(place.signed_url("clip.flac", 60))
