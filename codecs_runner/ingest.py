"""Media of other kinds in: MP3, MPEG-4, WebM, film. FFmpeg decodes them in a process that is thrown away.

The program is the one that ``imageio-ffmpeg`` brings, one build everywhere. It may read this one file and nothing else: network,
playlists and whatever else a container could refer to are switched off, and time, memory, length and output are limited.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import ffmpeg
import imageio_ffmpeg

from codecs_runner.errors import AudioError
from codecs_runner.processes import ProcessFailed, run_limited

MEDIA_SUFFIXES = {
    ".3gp",
    ".aac",
    ".ac3",
    ".amr",
    ".avi",
    ".m4a",
    ".mka",
    ".mkv",
    ".mov",
    ".mp3",
    ".mp4",
    ".mpg",
    ".opus",
    ".webm",
    ".wma",
}
# Containers of sound or film, and none that refers to other files (hls, concat, dash).
FORMATS = "aac,ac3,amr,asf,avi,matroska,mov,mp3,mpeg,mpegts,ogg"
TIMEOUT_S = 60


@contextmanager
def decoded_media(path: Path, max_duration_s: float) -> Iterator[Path]:
    """A WAV file, 32 bit, of the first audio stream at its own rate and channels; it is gone when the context ends.

    A little more than ``max_duration_s`` is decoded at most, so that the caller sees that a recording is too long. Raises AudioError
    ``undecodable`` with FFmpeg's reason; a file that breaks off is refused like one that is no media at all.
    """
    with tempfile.TemporaryDirectory(prefix="ingest-") as folder:
        decoded = Path(folder) / "decoded.wav"
        source = ffmpeg.input(f"file:{path.resolve()}", protocol_whitelist="file", format_whitelist=FORMATS, threads=1)
        written = source.audio.output(f"file:{decoded}", format="wav", acodec="pcm_f32le", t=max_duration_s + 1, threads=1)
        quiet = written.global_args("-nostdin", "-hide_banner", "-loglevel", "error", "-xerror")
        try:
            run_limited(quiet.compile(cmd=_program()), timeout_s=TIMEOUT_S)
        except ProcessFailed as error:
            raise AudioError("undecodable", f"{path.name} cannot be decoded as audio ({error}).") from error
        yield decoded


@cache
def _program() -> str:
    return str(imageio_ffmpeg.get_ffmpeg_exe())
