"""nginx with the container's own configuration before gunicorn: TLS, audio that nginx sends itself, logs that name nobody."""

import os
import shutil
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.conftest import absent
from tests.integration.server import REPO, free_port, manage, manage_all


class Site(NamedTuple):
    url: str
    plain_url: str
    context: ssl.SSLContext
    log: Path
    environment: dict[str, str]

    def get(self, path: str, **headers: str) -> tuple[int, bytes, dict[str, str]]:
        request = urllib.request.Request(self.url + path, headers=headers)
        try:
            with urllib.request.urlopen(request, context=self.context, timeout=10) as answer:
                return answer.status, answer.read(), dict(answer.headers)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read(), dict(error.headers)


def certificate(folder: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(now - timedelta(hours=1)).not_valid_after(now + timedelta(days=1))
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
    (folder / "fullchain.pem").write_bytes(builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "privkey.pem").write_bytes(private)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    nginx = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    if nginx is None:
        absent("no nginx: apt-get install nginx-light")
    web, http, https = free_port(), free_port(), free_port()
    data, prefix = tmp_path / "data", tmp_path / "nginx"
    prefix.mkdir()
    certificate(prefix)
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    environment = {
        **kept,
        "DATA_DIR": str(data),
        "SECRET_KEY": "for this test only",
        "PUBLIC_URL": f"https://localhost:{https}",
        "ALLOWED_HOSTS": "localhost",
        "BEHIND_PROXY": "true",
        "SECURE_SSL_REDIRECT": "true",
        "MEDIA_ACCEL": "/protected",
        "WEB_LISTEN": f"127.0.0.1:{web}",
        "DJANGO_SETTINGS_MODULE": "listening.settings",
    }
    filled = {
        "SITE": f"127.0.0.1:{web}",
        "SITE_NAME": "localhost",
        "HTTP_PORT": f"127.0.0.1:{http}",
        "HTTPS_PORT": f"127.0.0.1:{https}",
        "TLS_CERTIFICATE": str(prefix / "fullchain.pem"),
        "TLS_KEY": str(prefix / "privkey.pem"),
        "MAX_BODY": "1m",
        "MEDIA_ACCEL": "/protected",
        "DATA_DIR": str(data),
    }
    conf = (REPO / "docker/nginx.conf.template").read_text().replace("/dev/stdout", str(prefix / "access.log"))
    for name, value in filled.items():
        conf = conf.replace(f"${{{name}}}", value)
    assert "${" not in conf, "the template has a variable that the containers do not set"
    whole = f"daemon off; pid {prefix}/pid; error_log {prefix}/error.log; events {{}} http {{ include /etc/nginx/mime.types; "
    # As root nginx would give its workers to another user, who may not read a test's folder.
    (prefix / "nginx.conf").write_text(("user root; " if os.geteuid() == 0 else "") + whole + conf + "}")
    study = ["--clips=4", "--votes-per-stratum=1", "--trials-per-session=4", "--conditions=original,opus-6kbps"]
    manage_all(
        environment,
        ["migrate", "--verbosity=0"],
        ["import_corpus", "manifest", str(REPO / "analysis/corpora/synthetic"), "--name=synthetic"],
        ["create_study", "--preset=emo-codec", "--corpus=synthetic", "--name=s", *study],
        ["prepare_stimuli", "s"],
        ["open_study", "s"],
    )
    commands = [
        [nginx, "-p", str(prefix), "-c", str(prefix / "nginx.conf")],
        [sys.executable, "-m", "gunicorn", "--config=python:listening.serving", "listening.wsgi"],
    ]
    processes = [subprocess.Popen(command, cwd=REPO, env=environment) for command in commands]
    context = ssl.create_default_context(cafile=str(prefix / "fullchain.pem"))
    found = Site(f"https://localhost:{https}", f"http://localhost:{http}", context, prefix / "access.log", environment)
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                if found.get("/readyz")[0] == 200:
                    break
            except OSError:
                pass
            assert time.monotonic() < deadline, (prefix / "error.log").read_text()
            time.sleep(0.2)
        yield found
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(timeout=40)


AUDIO = """
from listening.models import *
from django.urls import reverse
from listening.services import sessions
from listening.models.session import Trial
session = sessions.preview(Study.objects.get(slug="s"))
stimulus = Stimulus.objects.filter(status="ready").first()
trial = session.trials.first() or Trial.objects.create(session=session, position=1, stimulus=stimulus)
print("ADDRESS", reverse("trial-audio", args=[trial.ticket]), trial.stimulus.audio_sha256, session.token)
"""


def test_a_site_behind_nginx(site: Site) -> None:
    import hashlib

    said = manage(site.environment, "shell", "-v0", "-c", AUDIO)
    _, path, digest, token = next(line for line in said.splitlines() if line.startswith("ADDRESS")).split()
    status, body, headers = site.get(path)
    assert status == 200 and hashlib.sha256(body).hexdigest() == digest
    assert "X-Accel-Redirect" not in headers and headers["Content-Type"] == "audio/flac"
    assert "immutable" in headers["Cache-Control"]
    assert site.get(path, Range="bytes=4-7")[:2] == (206, body[4:8])  # nginx sent it: it knows ranges, and ours was not asked
    stored = next((Path(site.environment["DATA_DIR"]) / "stimuli").rglob("*.flac"))
    inside = stored.relative_to(site.environment["DATA_DIR"])
    assert site.get(f"/protected/{inside}")[0] == 404
    assert site.get("/metrics")[0] == 404 and site.get("/nginx-health")[0] == 200
    assert "GET /audio/- 200" in site.log.read_text() and path.split("/")[2] not in site.log.read_text()
    assert site.get("/session/" + token + "/consent/?PROLIFIC_PID=" + "5f" * 12)[0] == 200
    assert site.get(f"/api/v1/sessions/{token}/")[0] == 200
    assert token not in site.log.read_text()
    assert "5f5f" not in site.log.read_text() and "127.0.0.1" not in site.log.read_text()

    environment = {**os.environ, **site.environment}
    assert subprocess.run([sys.executable, "-m", "listening.probe"], cwd=REPO, env=environment, check=False).returncode == 0
    wrong = {**environment, "WEB_LISTEN": f"127.0.0.1:{free_port()}"}
    assert (
        subprocess.run([sys.executable, "-m", "listening.probe"], cwd=REPO, env=wrong, check=False, stderr=-3).returncode == 1
    )

    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *args: object) -> None:
            return None

    with pytest.raises(urllib.error.HTTPError) as redirected:
        urllib.request.build_opener(Stay).open(site.plain_url + "/s/s/", timeout=10)
    redirected.value.close()
    assert redirected.value.code == 308 and redirected.value.headers["Location"].startswith("https://")
    codes = [site.get("/admin/login/")[0] for _ in range(15)]
    assert codes[0] == 200 and codes[-1] == 429, "log-ins are limited"
