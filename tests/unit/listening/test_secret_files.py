"""A secret may lie in a file, as Docker and Kubernetes hand them out."""

import os
import subprocess
import sys

from tests.integration.server import REPO

SHOW = (
    "from django.conf import settings as s; "
    "print(s.SECRET_KEY, s.PARTICIPANT_KEYS, s.PROLIFIC_TOKEN, s.DATABASES['default']['NAME'], s.METRICS_TOKEN, s.PROLIFIC_POLL_S)"
)


def show(tmp_path, asked: str = SHOW, **extra: str) -> subprocess.CompletedProcess[str]:
    dropped = {"SECRET_KEY", "DATABASE_URL", "DJANGO_ALLOW_ASYNC_UNSAFE"}
    environment = {name: value for name, value in os.environ.items() if name not in dropped}
    environment |= {"DATA_DIR": str(tmp_path), "DJANGO_SETTINGS_MODULE": "listening.settings", **extra}
    return subprocess.run([sys.executable, "-c", asked], cwd=REPO, env=environment, capture_output=True, text=True, check=False)


def test_secrets_are_read_from_files_without_their_last_line_break(tmp_path):
    files = {
        "SECRET_KEY": "key-of-a-file\n",
        "PARTICIPANT_KEYS": "new,old\n",
        "PROLIFIC_TOKEN": "token\n",
        "DATABASE_URL": "postgres://listening:pass@db:5432/kept\n",
        "METRICS_TOKEN": "watch\r\n",
        "PROLIFIC_POLL_S": "77\n",
    }
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    said = show(tmp_path, SECRET_KEY="of-the-environment", **{f"{name}_FILE": str(tmp_path / name) for name in files})
    assert said.stdout == "key-of-a-file ['new', 'old'] token kept watch 77\n", said.stderr


def test_the_password_of_the_database_may_be_all_that_is_secret_about_it(tmp_path):
    (tmp_path / "password").write_text("of-a-file\n")
    given = {"SECRET_KEY": "any", "POSTGRES_PASSWORD_FILE": str(tmp_path / "password")}
    asked = "from django.conf import settings as s; print(s.DATABASES['default']['PASSWORD'])"
    assert show(tmp_path, asked, DATABASE_URL="postgres://listening@db/kept", **given).stdout == "of-a-file\n"
    assert (
        show(tmp_path, asked, DATABASE_URL="postgres://listening:of-the-address@db/kept", **given).stdout == "of-the-address\n"
    )


def test_a_file_that_is_not_there_stops_the_start(tmp_path):
    said = show(tmp_path, SECRET_KEY_FILE=str(tmp_path / "absent"))
    assert said.returncode != 0 and "absent" in said.stderr
