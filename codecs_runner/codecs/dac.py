"""Descript Audio Codec (Kumar et al. 2023, arXiv 2306.06546) through its authors' package ``descript-audio-codec``.

The models' own `encode` and `decode` are called and not the package's windowed `compress`, which sends overlapping codes and
normalises loudness. With the odd stride of the 16 and 24 kHz models the decoder gives 8 samples less than whole frames hold, so
the clip is padded to the least number of frames whose output covers it.
"""

from functools import partial
from importlib.metadata import version
from inspect import signature

import numpy as np

from codecs_runner import weights
from codecs_runner.codecs.base import CodecError, Coded, Condition, Signal
from codecs_runner.neural import as_signal, describe_device, load_checkpoint, model_errors, open_device

BITS = 10  # of a code: codebooks of 1,024 entries
SHORTFALL = 8  # samples that the decoder gives less than hop × frames


class Dac:
    """One model with a number of its codebooks."""

    def __init__(self, condition: Condition) -> None:
        path = weights.require(condition.weights[0])
        device = open_device()
        checkpoint = load_checkpoint(path, "state_dict", "metadata")
        with model_errors(path):
            import dac

            known = signature(dac.DAC).parameters  # the package too leaves out what other versions of it wrote
            model = dac.DAC(**{name: value for name, value in checkpoint["metadata"]["kwargs"].items() if name in known})
            missing = model.load_state_dict(checkpoint["state_dict"], strict=False).missing_keys
            if missing:  # tensors too many do no harm, one too few would stay random
                raise KeyError(missing[0])
        self.n_quantizers, self.sample_rate = int(condition.params["n_quantizers"]), condition.sample_rate
        if model.sample_rate != self.sample_rate or model.n_codebooks < self.n_quantizers:
            raise CodecError("weights_damaged", f"{path} is of another DAC model ({model.sample_rate} Hz).")
        self.model, self.torch_device = model.to(device).eval(), device
        self.device = describe_device(device)
        self.versions = {name: version(name) for name in ("torch", "descript-audio-codec")}

    def code(self, samples: Signal) -> Coded:
        import torch

        hop = int(self.model.hop_length)
        padding = -(len(samples) + SHORTFALL) % hop + SHORTFALL
        try:
            with torch.inference_mode():
                clip = torch.from_numpy(np.pad(samples, (0, padding))).to(self.torch_device)[None, None]
                latent, codes, *_ = self.model.encode(clip, n_quantizers=self.n_quantizers)
                decoded = self.model.decode(latent)
        except RuntimeError as error:
            raise CodecError("codec_failed", f"DAC failed: {error}") from error
        return Coded(as_signal(decoded)[: len(samples)], self.sample_rate, payload_bits=codes.numel() * BITS)


_condition = partial(Condition, family="DAC", open=Dac, licence="MIT", packages=("torch", "dac"))

DAC_16K = _condition(
    slug="dac-16k-6kbps",
    label="DAC 16 kHz, 6 kbps",
    sample_rate=16_000,
    nominal_bps=6_000,
    aliases=("emo-codec:D1", "codec-superb:D1"),
    params={"n_quantizers": 12},
    weights=("dac_16khz",),
)
DAC_24K = _condition(
    slug="dac-24k-24kbps",
    label="DAC 24 kHz, 24 kbps",
    sample_rate=24_000,
    nominal_bps=24_000,
    aliases=("emo-codec:D2", "codec-superb:D2"),
    params={"n_quantizers": 32},
    weights=("dac_24khz",),
)
