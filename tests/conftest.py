"""What every test may ask for: scratch PostgreSQL and Redis servers, a browser, and the folder of shared recordings.

A service is taken from its environment variable (TEST_POSTGRES_URL, TEST_REDIS_URL) or, where its programs are installed,
started here on a free loopback port in a temporary folder, so that no running server of the machine is touched unasked.
What is missing skips the test with one line that says what to install; under CI=true it fails instead, so that nothing is
skipped there unseen.
"""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import NoReturn

import psycopg
import pytest
import redis

REPO = Path(__file__).resolve().parent.parent
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MARKER_OF_FIXTURE = {"postgres_url": "postgres", "redis_url": "redis", "chromium_path": "browser"}


def pytest_configure() -> None:
    """Lets programs that tests start be interrupted also where a shell runs all of this in its background, with SIGINT ignored."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Leaves helpers and the programs that tests start unimported by collection: some change what they import."""
    if collection_path.suffix == ".py" and not collection_path.name.startswith(("test_", "bench_")):
        return True
    return None


@pytest.hookimpl(tryfirst=True)  # before pytest's own, which deselects by marker
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks each test by the services that it asks for, so that `-m "not browser"` works without marking by hand."""
    for item in items:
        for fixture, marker in MARKER_OF_FIXTURE.items():
            if fixture in getattr(item, "fixturenames", ()):
                item.add_marker(marker)


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("neural") and find_spec("torch") is None:
        absent("the neural packages are not installed: make install (without NEURAL=0)")


def absent(sentence: str) -> NoReturn:
    """Ends a test whose requirement is missing: a skip on a person's machine, a failure in CI."""
    if os.environ.get("CI", "").lower() in {"1", "true"}:
        pytest.fail(sentence, pytrace=False)
    pytest.skip(sentence)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real recordings and votes: SHARED_DATA, else `shared` beside the checkout. Skips in CI too."""
    folder = Path(os.environ.get("SHARED_DATA") or REPO.parent / "shared")
    if not (folder / "data").is_dir():
        pytest.skip("no shared recordings: set SHARED_DATA to the folder that holds data/ and weights/")
    return folder


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """Path of an installed Chromium or Chrome (CHROMIUM_PATH, else the first on PATH)."""
    path = os.environ.get("CHROMIUM_PATH") or next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        absent("no Chromium: apt-get install chromium, or set CHROMIUM_PATH")
    return path


@pytest.fixture(scope="session")
def pesq() -> Callable[..., float]:
    """PESQ of the package that is built from source; a machine without a C compiler does without it."""
    if find_spec("pesq") is None:
        absent("no PESQ: install a C compiler (apt-get install gcc libc6-dev) and run make test again")
    measure: Callable[..., float] = import_module("pesq").pesq
    return measure


@pytest.fixture
def postgres_url(_postgres_server: str) -> Iterator[str]:
    """URL of a new, empty PostgreSQL database, dropped after the test."""
    with new_database(_postgres_server) as url:
        yield url


@contextmanager
def new_database(server_url: str, like: str = "") -> Iterator[str]:
    """URL of a database of its own on a server, empty, or with what the database of the URL ``like`` holds."""
    server, _, query = server_url.partition("?")
    name = f"test_{uuid.uuid4().hex[:12]}"
    template = like.partition("?")[0].rpartition("/")[2] or "template1"
    with closing(psycopg.connect(server_url, autocommit=True)) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        yield f"{server.rpartition('/')[0]}/{name}{'?' + query if query else ''}"
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def redis_url(_redis_server: str) -> Iterator[str]:
    """URL of a Redis database that is empty before and after the test."""
    with closing(redis.Redis.from_url(_redis_server)) as client:
        client.flushdb()
        yield _redis_server
        client.flushdb()


@pytest.fixture(scope="session")
def _postgres_server() -> Iterator[str]:
    given = os.environ.get("TEST_POSTGRES_URL")
    if given:
        yield given
        return
    programs = _postgres_programs()
    if programs is None:
        absent("no PostgreSQL: apt-get install postgresql, or set TEST_POSTGRES_URL")
    # PostgreSQL refuses to run as root; the Debian package brings a user for it.
    account = "postgres" if os.geteuid() == 0 else None
    with _scratch_folder(account) as folder:
        cluster, port = folder / "cluster", _free_port()
        make = [
            f"{programs}/initdb",
            f"--pgdata={cluster}",
            "--username=postgres",
            "--auth=trust",
            "--no-sync",
            "--encoding=UTF8",
        ]
        subprocess.run(make, check=True, capture_output=True, user=account, cwd=folder)
        options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off"
        control = [f"{programs}/pg_ctl", f"--pgdata={cluster}", "--wait", "--silent"]
        start = [*control, f"--log={folder}/log", f"--options={options}", "start"]
        subprocess.run(start, check=True, user=account, cwd=folder, stdout=subprocess.DEVNULL)
        try:
            yield f"postgres://postgres@127.0.0.1:{port}/postgres"
        finally:
            subprocess.run([*control, "--mode=immediate", "stop"], check=True, user=account, cwd=folder)


@pytest.fixture(scope="session")
def _redis_server() -> Iterator[str]:
    given = os.environ.get("TEST_REDIS_URL")
    if given:
        yield given
        return
    program = shutil.which("redis-server")
    if program is None:
        absent("no Redis: apt-get install redis-server, or set TEST_REDIS_URL")
    with _scratch_folder(None) as folder:
        port = _free_port()
        options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
        server = subprocess.Popen([program, *options], stdout=subprocess.DEVNULL)
        try:
            url = f"redis://127.0.0.1:{port}/0"
            _wait_for_redis(url)
            yield url
        finally:
            server.terminate()
            server.wait(timeout=10)


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[str]:
    """Address of an empty bucket on an S3 server of our own, for this process and those it starts."""
    import boto3
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    url = "http://{}:{}".format(*server.get_host_and_port())
    name = f"stimuli-{uuid.uuid4().hex[:8]}"
    access = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_DEFAULT_REGION": "us-east-1"}
    for variable, value in {**access, "AWS_ENDPOINT_URL": url, "STORE_CACHE": str(tmp_path / "copies")}.items():
        monkeypatch.setenv(variable, value)
    boto3.client("s3").create_bucket(Bucket=name)
    yield f"s3://{name}/prefix"
    server.stop()


def _postgres_programs() -> Path | None:
    """The folder of the newest installed PostgreSQL; Debian keeps `initdb` off the PATH."""
    on_path = shutil.which("initdb")
    if on_path:
        return Path(on_path).parent
    return max(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: float(folder.parent.name), default=None)


def _wait_for_redis(url: str) -> None:
    deadline = time.monotonic() + 10
    with closing(redis.Redis.from_url(url)) as client:
        while True:
            try:
                client.ping()
                return
            except redis.ConnectionError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)


def _free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def _scratch_folder(account: str | None) -> Iterator[Path]:
    """A temporary folder that belongs to `account` (pytest's own lie below a folder that only the caller may enter)."""
    with tempfile.TemporaryDirectory(prefix="listening-test-") as name:
        if account:
            shutil.chown(name, account)
        yield Path(name)


@pytest.fixture(scope="session")
def _rendered_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One stimulus store for the whole run: it is addressed by content, so tests share what they render."""
    return tmp_path_factory.mktemp("stimuli")


@pytest.fixture(autouse=True)
def _no_downloads(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test fetches weights from the network."""
    monkeypatch.setenv("CODEC_DOWNLOAD", "0")


@pytest.fixture(autouse=True)
def _quick_passwords(settings) -> None:
    """What makes a password slow to guess makes it slow to set: half a second for each account that a test has."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def without_pdf(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leaves report.pdf out, which takes longer than all the rest of a small report."""
    monkeypatch.setattr("analysis.report.pdf", lambda contents: (None, "There is no report.pdf in this test."))


@pytest.fixture(autouse=True)
def _own_stores(settings, tmp_path: Path, _rendered_store: Path) -> None:
    """No test writes into the installation's own data."""
    settings.DATA_DIR = tmp_path / "data"
    settings.SOURCE_STORE = tmp_path / "sources"
    settings.STIMULUS_STORE = _rendered_store
    # Requests of other tests in the same minute count against none; and no test touches a Redis of the installation.
    memory = "django.core.cache.backends.locmem.LocMemCache"
    settings.CACHES = {name: {"BACKEND": memory, "LOCATION": f"{tmp_path}/{name}"} for name in ("default", "limits")}


@pytest.fixture
def corpus(db):
    """Eight clips of the synthetic corpus, imported."""
    from listening.services.corpora import import_corpus

    return import_corpus("manifest", REPO / "analysis" / "corpora" / "synthetic", "synthetic", limit=8).corpus


@pytest.fixture
def draft(corpus):
    """A draft: four clips, three conditions, one vote from each stratum, three trials per session; stimuli not made yet."""
    from listening.services.studies import create_study

    return create_study(
        corpus=corpus,
        slug="small",
        conditions=["original", "opus-6kbps", "mp3-24kbps"],
        n_clips=4,
        votes_per_stratum=1,
        trials_per_session=3,
    )


@pytest.fixture
def study(draft):
    """The draft with its stimuli made, frozen and open."""
    from listening.services.stimuli import work
    from listening.services.studies import open_study, queue_stimuli

    queue_stimuli(draft)
    work()
    open_study(draft)
    return draft
