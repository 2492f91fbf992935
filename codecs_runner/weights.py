"""Trained weights: which files there are, where they are looked for, and that they are what their name says.

A file is looked for in the folder CODEC_WEIGHTS (there also in a sub-folder named after its family), then in the cache of the
package it belongs to. Nothing is fetched unless `download` is called.
"""

import hashlib
import os
import urllib.request
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from codecs_runner.errors import CodecError

TIMEOUT_S = 15
CHUNK_BYTES = 1 << 20
LYRA_URL = "https://github.com/google/lyra/raw/v1.3.2/lyra/model_coeffs/"
DAC_URL = "https://github.com/descriptinc/descript-audio-codec/releases/download/"


@dataclass(frozen=True)
class WeightFile:
    """A published file.

    Args:
        family: sub-folder of CODEC_WEIGHTS where it may also lie.
        name: file name.
        url: where its authors publish it.
        licence: of the weights.
        sha256: published checksum, or the first digits of it; empty where none is published.
        pattern: other names taken as the same file, as a glob; such a name must end in the first digits of its own checksum.
        cache: path below the user's cache folder where the family's own package puts it.
    """

    family: str
    name: str
    url: str
    licence: str
    sha256: str = ""
    pattern: str = ""
    cache: str = ""


def _lyra(name: str, sha256: str) -> WeightFile:
    return WeightFile("lyra", name, LYRA_URL + name, "Apache-2.0", sha256)


FILES = {
    "encodec_24khz": WeightFile(
        family="encodec",
        name="encodec_24khz-d7cc33bc.th",
        url="https://dl.fbaipublicfiles.com/encodec/v0/encodec_24khz-d7cc33bc.th",
        licence="CC-BY-NC 4.0 by the package's metadata, MIT by its repository",
        sha256="d7cc33bc",
        pattern="encodec_24khz-????????.th",
        cache="torch/hub/checkpoints/encodec_24khz-d7cc33bc.th",
    ),
    "encodec_48khz": WeightFile(
        family="encodec",
        name="encodec_48khz-7e698e3e.th",
        url="https://dl.fbaipublicfiles.com/encodec/v0/encodec_48khz-7e698e3e.th",
        licence="MIT by its model card, CC-BY-NC 4.0 by the package's metadata",
        sha256="7e698e3e",
        pattern="encodec_48khz-????????.th",
        cache="torch/hub/checkpoints/encodec_48khz-7e698e3e.th",
    ),
    "dac_16khz": WeightFile(
        family="dac",
        name="weights_16khz.pth",
        url=DAC_URL + "0.0.5/weights_16khz.pth",
        licence="MIT",
        cache="descript/dac/weights_16khz_8kbps_0.0.5.pth",
    ),
    "dac_24khz": WeightFile(
        family="dac",
        name="weights_24khz.pth",
        url=DAC_URL + "0.0.4/weights_24khz.pth",
        licence="MIT",
        cache="descript/dac/weights_24khz_8kbps_0.0.4.pth",
    ),
    "dac_44khz": WeightFile(
        family="dac",
        name="weights_44khz.pth",
        url=DAC_URL + "0.0.1/weights.pth",
        licence="MIT",
        cache="descript/dac/weights_44khz_8kbps_0.0.1.pth",
    ),
    "dac_44khz_16kbps": WeightFile(
        family="dac",
        name="weights_44khz_16kbps.pth",
        url=DAC_URL + "1.0.0/weights_44khz_16kbps.pth",
        licence="MIT",
        cache="descript/dac/weights_44khz_16kbps_1.0.0.pth",
    ),
    "lyra_encoder": _lyra("soundstream_encoder.tflite", "237da0b16226fb0a68d49551c81bebf614e42142af72764448359f68581e88f1"),
    "lyra_quantizer": _lyra("quantizer.tflite", "841ee05989687d32d1f616a8ad1419fc7eda37599d3c05c7cf5a0d60ccf8ac5c"),
    "lyra_decoder": _lyra("lyragan.tflite", "50e7839cda4f30599a3a34cfaddcd9c98449b049eee884e1a74295780448ad06"),
}


def folder() -> Path:
    """Where weights are kept: CODEC_WEIGHTS, else a folder in the user's cache."""
    return Path(os.environ.get("CODEC_WEIGHTS") or _user_cache() / "codec-weights")


def find(key: str) -> Path | None:
    """The file, or None; the published name goes before names that match its pattern."""
    file = FILES[key]
    folders = [folder(), folder() / file.family]
    candidates = [place / file.name for place in folders]
    if file.cache:
        candidates.append(_user_cache() / file.cache)
    if file.pattern:
        candidates += [path for place in folders for path in sorted(place.glob(file.pattern))]
    return next((path for path in candidates if path.is_file()), None)


def require(key: str) -> Path:
    """The file, checked; raises CodecError ``weights_missing`` or ``weights_damaged``."""
    path = find(key)
    if path is None:
        raise CodecError("weights_missing", what_to_do([key]))
    complaint = problem(key, path)
    if complaint:
        raise CodecError("weights_damaged", complaint)
    return path


def problem(key: str, path: Path) -> str:
    """Why a file is not what its name promises; empty where it is, or where no checksum is published."""
    file = FILES[key]
    expected = path.stem.rsplit("-", 1)[-1] if file.pattern else file.sha256
    found = sha256(path)
    if found.startswith(expected):
        return ""
    mismatch = f"its SHA-256 begins {found[:8]}, not {expected[:8]}"
    return f"{path} is not the published file ({mismatch}); fetch it again from {file.url}."


def what_to_do(keys: Iterable[str]) -> str:
    """The sentence for a person whose files are missing.

    >>> what_to_do(["dac_16khz"]).split(":")[0]
    'Weights missing'
    """
    files = [FILES[key] for key in keys]
    names = " and ".join(file.name for file in files)
    source = files[0].url.rsplit("/", 1)[0]
    return f"Weights missing: put {names} (from {source}) into {folder()}, or run: python -m codecs_runner weights download."


def sha256(path: Path) -> str:
    """Checksum of a file's bytes; remembered as long as size and time of change stay the same."""
    status = path.stat()
    return _sha256(path, status.st_size, status.st_mtime_ns)


def checksums(keys: Iterable[str]) -> dict[str, str]:
    """File name to SHA-256; the text ``missing`` stands where a file is not there."""
    return {path.name if (path := find(key)) else FILES[key].name: sha256(path) if path else "missing" for key in keys}


def download(key: str, progress: Callable[[int, int], None] | None = None) -> Path:
    """Fetch a file from its authors into `folder`; raises CodecError ``download_failed``.

    ``progress`` hears bytes so far and bytes in all (0 where the server does not say). A connection that stays silent for
    15 seconds ends the attempt, and a file only gets its name when it is whole and its checksum right.
    """
    file = FILES[key]
    target = folder() / file.family / file.name
    part = target.with_suffix(".part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with urllib.request.urlopen(file.url, timeout=TIMEOUT_S) as reply, part.open("wb") as out:
            total, done = int(reply.headers.get("Content-Length") or 0), 0
            while block := reply.read(CHUNK_BYTES):
                done += out.write(block)
                if progress:
                    progress(done, total)
        if (total and done != total) or not sha256(part).startswith(file.sha256):
            raise CodecError("download_failed", f"{file.url} did not arrive whole or is not the published file; try again.")
        part.replace(target)
    except OSError as error:
        raise CodecError("download_failed", f"{file.url} could not be fetched ({error}).") from error
    finally:
        part.unlink(missing_ok=True)
    return target


def download_allowed() -> bool:
    """Whether a command in the foreground may fetch missing weights before it renders; CODEC_DOWNLOAD=0 forbids it."""
    return os.environ.get("CODEC_DOWNLOAD", "") != "0"


def _user_cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")


@lru_cache(maxsize=64)
def _sha256(path: Path, size: int, mtime_ns: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
