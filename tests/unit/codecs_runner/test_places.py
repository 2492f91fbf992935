"""A bucket of an S3 server and a folder keep the same promises."""

from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest

from codecs_runner.errors import StoreError
from codecs_runner.jobs import RenderJob
from codecs_runner.pipeline import render_many
from codecs_runner.places import Place, local_file, open_place
from codecs_runner.store import Store


@pytest.fixture(params=["folder", "bucket"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return str(request.getfixturevalue("bucket")) if request.param == "bucket" else str(tmp_path / "store")


@pytest.fixture
def place(where: str) -> Place:
    return open_place(where)


def test_what_is_written_is_there_on_every_way(place: Place) -> None:
    assert not place.has("ab/clip.flac")
    with pytest.raises(FileNotFoundError):
        place.read("ab/clip.flac")
    assert not place.local("ab/clip.flac").exists()
    place.write("ab/clip.flac", b"sound")
    assert place.has("ab/clip.flac") and not place.has("ab")
    assert place.read("ab/clip.flac") == place.local("ab/clip.flac").read_bytes() == b"sound"
    assert local_file(place.address("ab/clip.flac")).read_bytes() == b"sound"
    assert place.local("ab/clip.flac").suffix == ".flac"


def test_a_signed_address_gives_the_file_to_whoever_has_it(bucket: str) -> None:
    place = open_place(bucket)
    place.write("clip.flac", b"sound")
    url = place.signed_url("clip.flac", 60)
    assert url and "Expires" in url
    with urlopen(url, timeout=10) as answer:
        assert answer.read() == b"sound"


def test_a_bucket_that_is_not_there_is_a_sentence(bucket: str) -> None:
    with pytest.raises(StoreError) as caught:
        open_place("s3://no-such-bucket/x").write("clip.flac", b"sound")
    assert caught.value.code == "not_writable" and "s3://no-such-bucket/x" in caught.value.sentence


def test_recordings_in_a_bucket_are_rendered_into_a_bucket_by_several_processes(bucket: str, recordings: list[Path]) -> None:
    from codecs_runner.audio import inspect_audio

    sources = open_place(f"{bucket}/sources")
    jobs = []
    for path in recordings:
        sources.write(path.name, path.read_bytes())
        digest = inspect_audio(path).pcm_sha256
        jobs += [RenderJob(sources.address(path.name), digest, slug) for slug in ("original", "opus-6kbps")]
    store = Store(f"{bucket}/stimuli")
    results = list(render_many(jobs, store, workers=2))
    assert [result.message for result in results if not result.ok] == []
    for job in jobs:
        store.verify(job.key)


@pytest.fixture
def recordings(tmp_path: Path) -> Iterator[list[Path]]:
    import numpy as np
    import soundfile as sf

    paths = []
    for number in range(3):
        path = tmp_path / f"{number}.wav"
        sf.write(path, np.random.default_rng(number).normal(0, 0.05, 16_000), 16_000)
        paths.append(path)
    yield paths
