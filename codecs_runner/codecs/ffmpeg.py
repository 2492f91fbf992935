"""Opus, MP3 and AAC, encoded and decoded in this process by the FFmpeg libraries that PyAV brings.

Each clip is written into the container whose header tells the decoder how much priming to drop (Ogg pre-skip, Xing/LAME header,
MP4 edit list) and read back from memory. The bit rate counts packet bytes, so container overhead is not charged to the codec.
"""

import io
from functools import partial
from typing import cast

import av
import numpy as np

from codecs_runner.codecs.base import CodecError, Coded, Condition, Signal

LIBRARIES = ("libavcodec", "libavformat", "libswresample")


class Ffmpeg:
    """One FFmpeg encoder at one rate, with the decoder that belongs to its container."""

    device = "cpu"

    def __init__(self, condition: Condition) -> None:
        params = dict(condition.params)
        self.encoder, self.container = str(params.pop("encoder")), str(params.pop("container"))
        self.sample_rate, self.bit_rate = condition.sample_rate, condition.nominal_bps or 0
        self.options = {name: str(value) for name, value in params.items()}
        versions = {name: ".".join(map(str, av.library_versions[name])) for name in LIBRARIES}
        self.versions = {"av": av.__version__, **versions}

    def code(self, samples: Signal) -> Coded:
        try:
            return self._decode(self._encode(samples))
        except av.FFmpegError as error:
            raise CodecError("codec_failed", f"{self.encoder} failed: {error}.") from error

    def _encode(self, samples: Signal) -> io.BytesIO:
        memory = io.BytesIO()
        with av.open(memory, "w", format=self.container) as container:
            new_stream = container.add_stream(self.encoder, rate=self.sample_rate, layout="mono", options=self.options)
            stream = cast(av.AudioStream, new_stream)
            stream.bit_rate = self.bit_rate
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples[None, :]), format="fltp", layout="mono")
            frame.sample_rate, frame.pts = self.sample_rate, 0
            for packet in [*stream.encode(frame), *stream.encode(None)]:
                container.mux(packet)
        memory.seek(0)
        return memory

    def _decode(self, memory: io.BytesIO) -> Coded:
        n_bytes, blocks, rate = 0, [], self.sample_rate
        with av.open(memory, "r") as container:
            for packet in container.demux(audio=0):
                n_bytes += packet.size
                for frame in packet.decode():
                    blocks.append(frame.to_ndarray()[0])
                    rate = frame.sample_rate
        if not blocks or blocks[0].dtype != np.float32:
            raise CodecError("codec_failed", f"{self.encoder} gave nothing that could be decoded.")
        return Coded(np.concatenate(blocks), rate, payload_bits=8 * n_bytes)


_condition = partial(Condition, open=Ffmpeg, sample_rate=16_000, packages=("av",))
_opus = partial(
    _condition, family="Opus", params={"encoder": "libopus", "container": "ogg", "application": "audio", "vbr": "on"}
)
_mp3 = partial(_condition, family="MP3", params={"encoder": "libmp3lame", "container": "mp3"})
_aac = partial(_condition, family="AAC", params={"encoder": "aac", "container": "ipod"})

OPUS_6 = _opus(
    slug="opus-6kbps",
    label="Opus 6 kbps",
    nominal_bps=6_000,
    aliases=("emo-codec:O1",),
    note="Variable rate around 6 kbps.",
)
OPUS_24 = _opus(
    slug="opus-24kbps",
    label="Opus 24 kbps",
    nominal_bps=24_000,
    aliases=("emo-codec:O2",),
    note="Variable rate around 24 kbps.",
)
MP3_8 = _mp3(
    slug="mp3-8kbps",
    label="MP3 8 kbps",
    nominal_bps=8_000,
    aliases=("emo-codec:M1",),
    note="The paper says 6 kbps; 8 is the least that MP3 has at 16 kHz.",
)
MP3_24 = _mp3(slug="mp3-24kbps", label="MP3 24 kbps", nominal_bps=24_000, aliases=("emo-codec:M2",))
AAC_24 = _aac(
    slug="aac-24kbps",
    label="AAC 24 kbps",
    nominal_bps=24_000,
    aliases=("emo-codec:A2",),
    note="AAC-LC by FFmpeg's own encoder.",
)
