"""Opus, MP3, AAC, G.722 and AMR-NB, encoded and decoded in this process by the FFmpeg libraries that PyAV brings.

Each clip is written into the container whose header tells the decoder how much priming to drop (Ogg pre-skip, Xing/LAME header,
MP4 edit list) and read back from memory. What no container tells is declared: G.722's filter bank and AMR's look-ahead. The bit
rate counts packet bytes, so container overhead is not charged to the codec; where a packet pads its frame to whole bytes
(``frame_bits``), it counts the frame.
"""

import io
from functools import partial
from typing import cast

import av
import numpy as np

from codecs_runner.codecs.base import CodecError, Coded, Condition, Signal

LIBRARIES = ("libavcodec", "libavformat", "libswresample")
NOT_OPTIONS = {"encoder", "container", "delay_samples", "frame_bits"}


class Ffmpeg:
    """One FFmpeg encoder at one rate, with the decoder that belongs to its container."""

    device = "cpu"

    def __init__(self, condition: Condition) -> None:
        params = condition.params
        self.encoder, self.container = str(params["encoder"]), str(params["container"])
        self.delay, self.frame_bits = int(params.get("delay_samples", 0)), int(params.get("frame_bits", 0))
        self.sample_rate, self.bit_rate = condition.sample_rate, condition.nominal_bps or 0
        self.options = {name: str(value) for name, value in params.items() if name not in NOT_OPTIONS}
        versions = {name: ".".join(map(str, av.library_versions[name])) for name in LIBRARIES}
        self.versions = {"av": av.__version__, **versions}

    def code(self, samples: Signal) -> Coded:
        try:
            return self._decode(self._encode(np.pad(samples, (0, self.delay))))
        except (av.FFmpegError, ValueError) as error:
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
        sizes, blocks, rate = [], [], self.sample_rate
        with av.open(memory, "r", format=READ_AS.get(self.container, self.container)) as container:
            for packet in container.demux(audio=0):
                if packet.size:
                    sizes.append(packet.size)
                for frame in packet.decode():
                    blocks.append(frame.to_ndarray()[0])
                    rate = frame.sample_rate
        if not blocks:
            raise CodecError("codec_failed", f"{self.encoder} gave nothing that could be decoded.")
        decoded = np.concatenate(blocks)
        if decoded.dtype == np.int16:
            decoded = decoded.astype(np.float32) / (1 << 15)
        if decoded.dtype != np.float32:
            raise CodecError("codec_failed", f"{self.encoder} decodes to {decoded.dtype}, which is not known here.")
        bits = len(sizes) * self.frame_bits if self.frame_bits else 8 * sum(sizes)
        return Coded(decoded, rate, payload_bits=bits, delay_samples=self.delay)


READ_AS = {"ipod": "mov"}  # a container's reader, where it has another name than its writer


_condition = partial(Condition, open=Ffmpeg, sample_rate=16_000, packages=("av",))
_opus = partial(
    _condition,
    family="Opus",
    licence="BSD-3-Clause (libopus)",
    params={"encoder": "libopus", "container": "ogg", "application": "audio", "vbr": "on"},
)
_mp3 = partial(_condition, family="MP3", licence="LGPL-2.0 (LAME)", params={"encoder": "libmp3lame", "container": "mp3"})
_aac = partial(
    _condition,
    family="AAC",
    licence="LGPL-2.1 (FFmpeg)",
    params={"encoder": "aac", "container": "ipod"},
)

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
    label="MP3 6 → 8 kbps",
    nominal_bps=6_000,
    true_bps=8_000,
    aliases=("emo-codec:M1",),
    note="The paper says 6 kbps; 8 is the least that MP3 has at 16 kHz.",
)
MP3_24 = _mp3(slug="mp3-24kbps", label="MP3 24 kbps", nominal_bps=24_000, aliases=("emo-codec:M2",))
MP3_160 = _mp3(
    slug="mp3-160kbps",
    label="MP3 192 → 160 kbps",
    nominal_bps=192_000,
    true_bps=160_000,
    aliases=("emo-codec:M3",),
    note="The paper says 192 kbps; 160 is the most that MP3 has at 16 kHz.",
)
AAC_10 = _aac(
    slug="aac-10kbps",
    label="AAC 6 → 10 kbps",
    nominal_bps=6_000,
    true_bps=10_000,
    aliases=("emo-codec:A1",),
    note="Asked for 6 kbps, FFmpeg's AAC-LC gives about 10; a true 6 needs HE-AAC, which is another codec.",
)
AAC_24 = _aac(
    slug="aac-24kbps",
    label="AAC 24 kbps",
    nominal_bps=24_000,
    aliases=("emo-codec:A2",),
    note="AAC-LC by FFmpeg's own encoder.",
)
AAC_77 = _aac(
    slug="aac-77kbps",
    label="AAC 192 → 77 kbps",
    nominal_bps=192_000,
    true_bps=77_000,
    aliases=("emo-codec:A3",),
    note="Asked for 192 kbps at 16 kHz, AAC-LC may use 96 at most (6,144 bits a frame) and uses about 77 on speech.",
)

G722_64 = _condition(
    slug="g722-64kbps",
    family="G.722",
    label="G.722 64 kbps",
    nominal_bps=64_000,
    licence="LGPL-2.1 (FFmpeg)",
    params={"encoder": "g722", "container": "g722", "delay_samples": 22},
)
_amr = partial(
    _condition,
    family="AMR-NB",
    sample_rate=8_000,
    licence="Apache-2.0 (OpenCORE)",
    note="Narrow band, 8 kHz.",
)
_amr_params = {"encoder": "libopencore_amrnb", "container": "amr", "delay_samples": 40}  # 5 ms of look-ahead
AMR_4 = _amr(slug="amr-nb-4.75kbps", label="AMR-NB 4.75 kbps", nominal_bps=4_750, params={**_amr_params, "frame_bits": 95})
AMR_7 = _amr(slug="amr-nb-7.4kbps", label="AMR-NB 7.4 kbps", nominal_bps=7_400, params={**_amr_params, "frame_bits": 148})
AMR_12 = _amr(slug="amr-nb-12.2kbps", label="AMR-NB 12.2 kbps", nominal_bps=12_200, params={**_amr_params, "frame_bits": 244})
