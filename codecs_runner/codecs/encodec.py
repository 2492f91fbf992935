"""EnCodec at 24 kHz (Défossez et al. 2022, arXiv 2210.13438) through its authors' package ``encodec``.

75 frames a second, 10 bits for each codebook: 8 codebooks give 6 kbps, 32 give 24. The model is causal and adds no delay; its
output is longer than the input by what fills the last frame.
"""

from functools import partial
from importlib.metadata import version

import numpy as np

from codecs_runner import weights
from codecs_runner.codecs.base import CodecError, Coded, Condition, Signal
from codecs_runner.neural import as_signal, describe_device, load_checkpoint, model_errors, open_device

BITS = 10  # of a code: codebooks of 1,024 entries


class Encodec:
    """The model at one bandwidth."""

    def __init__(self, condition: Condition) -> None:
        path = weights.require(condition.weights[0])
        device = open_device()
        checkpoint = load_checkpoint(path)
        with model_errors(path):
            from encodec.model import EncodecModel

            model = EncodecModel.encodec_model_24khz(pretrained=False)
            model.load_state_dict(checkpoint)
        model.set_target_bandwidth((condition.nominal_bps or 0) / 1000)
        self.model, self.torch_device, self.sample_rate = model.to(device).eval(), device, condition.sample_rate
        self.device = describe_device(device)
        self.versions = {name: version(name) for name in ("torch", "encodec")}

    def code(self, samples: Signal) -> Coded:
        import torch

        try:
            with torch.inference_mode():
                clip = torch.from_numpy(np.ascontiguousarray(samples)).to(self.torch_device)[None, None]
                frames = self.model.encode(clip)
                decoded = self.model.decode(frames)
        except RuntimeError as error:
            raise CodecError("codec_failed", f"EnCodec failed: {error}") from error
        n_codes = sum(codes.numel() for codes, _scale in frames)
        return Coded(as_signal(decoded)[: len(samples)], self.sample_rate, payload_bits=n_codes * BITS)


_condition = partial(
    Condition,
    family="EnCodec",
    open=Encodec,
    sample_rate=24_000,
    licence="MIT",
    packages=("torch", "encodec"),
    weights=("encodec_24khz",),
)

ENCODEC_6 = _condition(
    slug="encodec-24k-6kbps",
    label="EnCodec 24 kHz, 6 kbps",
    nominal_bps=6_000,
    aliases=("emo-codec:E3", "codec-superb:E3"),
)
ENCODEC_24 = _condition(
    slug="encodec-24k-24kbps",
    label="EnCodec 24 kHz, 24 kbps",
    nominal_bps=24_000,
    aliases=("emo-codec:E5", "codec-superb:E5"),
)
