"""Speex, Codec 2 and GSM full rate by the machine's own ``ffmpeg``, for PyAV's libraries lack their encoders.

One process encodes and one decodes, through pipes. Delays are declared: of Speex the look-ahead of its encoder (10 ms, and in wide
band that of both bands and the filter bank), of Codec 2, which rebuilds no waveform, what envelopes of eight recordings agreed
on to 2 ms. Both are flushed with as many zeros, so that no end is cut off. Bits are those of the frames: GSM's and
Codec 2's are padded to whole bytes in their packets.
"""

import io
from functools import partial

import av
import ffmpeg
import numpy as np

from codecs_runner.codecs.base import CodecError, Coded, Condition, Signal
from codecs_runner.processes import ProcessFailed, ask, find_program, run_limited

PROGRAM = "ffmpeg"
SECONDS_PER_SECOND = 2.0  # of the clock for each of speech, at most, beside those it may take to start
START_S = 30.0


class FfmpegProgram:
    """One encoder of the machine's ``ffmpeg``."""

    device = "cpu"

    def __init__(self, condition: Condition) -> None:
        params = condition.params
        self.program = find_program(PROGRAM) or PROGRAM
        self.encoder, self.container = str(params["encoder"]), str(params["container"])
        self.delay, self.frame_bits = int(params["delay_samples"]), int(params.get("frame_bits", 0))
        self.options = {"mode": params["mode"]} if "mode" in params else {"b:a": condition.nominal_bps}
        self.sample_rate = condition.sample_rate
        self.versions = {PROGRAM: ask(self.program, "-version").partition(" Copyright")[0].removeprefix("ffmpeg version ")}

    def code(self, samples: Signal) -> Coded:
        padded = np.pad(samples, (0, self.delay)).astype("<f4")
        timeout_s = START_S + SECONDS_PER_SECOND * len(padded) / self.sample_rate
        raw = {"format": "f32le", "ar": self.sample_rate, "ac": 1}
        try:
            sent = self._run(
                raw, {"format": self.container, "acodec": self.encoder, **self.options}, padded.tobytes(), timeout_s
            )
            decoded = self._run({"format": self.container}, raw, sent, timeout_s)
        except ProcessFailed as error:
            raise CodecError("codec_failed", f"{self.encoder} failed: {error}.") from error
        bits = sum(self.frame_bits or 8 * size for size in _packet_sizes(sent, self.container))
        return Coded(np.frombuffer(decoded, "<f4").astype(np.float32), self.sample_rate, bits, self.delay)

    def _run(self, reads: dict[str, object], writes: dict[str, object], content: bytes, timeout_s: float) -> bytes:
        stream = ffmpeg.input("pipe:", **reads).output("pipe:", fflags="+bitexact", **writes)
        return run_limited(
            stream.global_args("-hide_banner", "-loglevel", "error").compile(cmd=self.program), content, timeout_s=timeout_s
        )


def missing_encoder(condition: Condition) -> str:
    """What to install where the machine's ``ffmpeg`` is absent or lacks the encoder."""
    encoder, program = str(condition.params["encoder"]), find_program(PROGRAM)
    hint = "Debian's and Ubuntu's has it: apt-get install ffmpeg."
    if program is None:
        return f"Needs an ffmpeg program with {encoder}, and there is none. {hint}"
    if encoder not in ask(program, "-hide_banner", "-encoders").split():
        return f"{program} was built without {encoder}. {hint}"
    return ""


def _packet_sizes(content: bytes, container: str) -> list[int]:
    """Bytes of each packet that carries sound."""
    with av.open(io.BytesIO(content), "r", format=container) as opened:
        return [packet.size for packet in opened.demux(audio=0) if packet.size]


_condition = partial(Condition, open=FfmpegProgram, packages=("av", "ffmpeg"), obstacle=missing_encoder)
_speex = partial(_condition, family="Speex", licence="BSD-3-Clause (libspeex)")
_codec2 = partial(_condition, family="Codec 2", licence="LGPL-2.1 (libcodec2)", sample_rate=8_000, note="Narrow band, 8 kHz.")
_nb = {"encoder": "libspeex", "container": "ogg", "delay_samples": 80}
_wb = {"encoder": "libspeex", "container": "ogg", "delay_samples": 223}
_c2 = {"encoder": "libcodec2", "container": "codec2"}
_narrow = partial(_speex, sample_rate=8_000, params=_nb, note="Narrow band, 8 kHz.")
_wide = partial(_speex, sample_rate=16_000, params=_wb)

SPEEX_8 = _narrow(slug="speex-nb-8kbps", label="Speex NB 8 kbps", nominal_bps=8_000)
SPEEX_15 = _narrow(slug="speex-nb-15kbps", label="Speex NB 15 kbps", nominal_bps=15_000)
SPEEX_17 = _wide(slug="speex-wb-16.8kbps", label="Speex WB 16.8 kbps", nominal_bps=16_800)
SPEEX_28 = _wide(slug="speex-wb-27.8kbps", label="Speex WB 27.8 kbps", nominal_bps=27_800)

_C2_3200 = {**_c2, "mode": "3200", "frame_bits": 64, "delay_samples": 160}
_C2_2400 = {**_c2, "mode": "2400", "frame_bits": 48, "delay_samples": 160}
_C2_1300 = {**_c2, "mode": "1300", "frame_bits": 52, "delay_samples": 160}
_C2_700C = {**_c2, "mode": "700C", "frame_bits": 28, "delay_samples": 240}
CODEC2_3200 = _codec2(slug="codec2-3.2kbps", label="Codec 2 3.2 kbps", nominal_bps=3_200, params=_C2_3200)
CODEC2_2400 = _codec2(slug="codec2-2.4kbps", label="Codec 2 2.4 kbps", nominal_bps=2_400, params=_C2_2400)
CODEC2_1300 = _codec2(slug="codec2-1.3kbps", label="Codec 2 1.3 kbps", nominal_bps=1_300, params=_C2_1300)
CODEC2_700C = _codec2(slug="codec2-0.7kbps", label="Codec 2 700C", nominal_bps=700, params=_C2_700C)

GSM_13 = _condition(
    slug="gsm-13kbps",
    family="GSM",
    label="GSM FR 13 kbps",
    nominal_bps=13_000,
    sample_rate=8_000,
    licence="TU-Berlin (libgsm)",
    note="Full rate (GSM 06.10), narrow band, 8 kHz.",
    params={"encoder": "libgsm", "container": "gsm", "delay_samples": 0, "frame_bits": 260},
)
