"""Descript Audio Codec (Kumar et al. 2023, arXiv 2306.06546) through its authors' package ``descript-audio-codec``.

The models' own `encode` and `decode` are called and not the package's windowed `compress`, which sends overlapping codes and
normalises loudness. Decoding starts from the codes alone, as in a receiver. With the odd stride of the 16 and 24 kHz models the
decoder gives 8 samples less than whole frames hold, so a clip is padded to the least number of frames whose output covers it.

The models were trained with a random number of codebooks left out, so fewer than all give a lower rate of the same model.
"""

from collections.abc import Callable, Sequence
from inspect import signature
from typing import TYPE_CHECKING, Any

from codecs_runner import weights
from codecs_runner.codecs.base import CodecError, Condition
from codecs_runner.model_codec import ModelCodec
from codecs_runner.neural import load_checkpoint, model_errors

if TYPE_CHECKING:
    import torch

BITS = 10  # of a code: codebooks of 1,024 entries


class Dac(ModelCodec):
    """One of the published models."""

    name = "DAC"
    distributions = ("descript-audio-codec",)

    @classmethod
    def load(cls, keys: Sequence[str]) -> Any:
        path = weights.require(keys[0])
        checkpoint = load_checkpoint(path, "state_dict", "metadata")
        with model_errors(path):
            import dac

            known = signature(dac.DAC).parameters  # the package too leaves out what other versions of it wrote
            model = dac.DAC(**{name: value for name, value in checkpoint["metadata"]["kwargs"].items() if name in known})
            missing = model.load_state_dict(checkpoint["state_dict"], strict=False).missing_keys
            if missing:  # tensors too many do no harm, one too few would stay random
                raise KeyError(missing[0])
        return model

    def check(self, condition: Condition) -> None:
        if self.model.sample_rate != self.sample_rate or self.model.n_codebooks < int(condition.params["n_quantizers"]):
            path = weights.require(condition.weights[0])
            raise CodecError("weights_damaged", f"{path} is of another DAC model ({self.model.sample_rate} Hz).")

    def shortfall(self) -> int:
        """Samples that the decoder gives less than hop × frames: one for each odd stride, times the strides after it."""
        short = 0
        for rate in self.model.decoder_rates:
            short = short * rate + rate % 2
        return short

    def n_frames(self, n_samples: int) -> int:
        return -(-(n_samples + self.shortfall()) // int(self.model.hop_length))

    def padded(self, n_samples: int) -> int:
        return self.n_frames(n_samples) * int(self.model.hop_length)

    def encode(self, clips: "torch.Tensor", depth: int) -> "torch.Tensor":
        """Codes, shape [rows, depth, frames]."""
        _latent, codes, *_ = self.model.encode(clips[:, None], n_quantizers=depth)
        found: torch.Tensor = codes
        return found

    def decode(self, codes: "torch.Tensor", depth: int) -> "torch.Tensor":
        audio: torch.Tensor = self.model.decode(self.model.quantizer.from_codes(codes[:, :depth])[0])
        return audio[:, 0]

    def payload_bits(self, n_samples: int, depth: int) -> int:
        return self.n_frames(n_samples) * depth * BITS


def _dac(rate: str, hop: int, weights_key: str) -> Callable[..., Condition]:
    sample_rate = round(float(rate) * 1000)

    def condition(kbps: str, n_quantizers: int, *aliases: str, called: str = "", note: str = "") -> Condition:
        """``called``: kbps by its authors, where codebooks × 10 bits × frames a second give another rate."""
        true_bps = round(sample_rate / hop * n_quantizers * BITS)
        return Condition(
            slug=f"dac-{rate}k-{called or kbps}kbps",
            label=f"DAC {rate} kHz, {f'{called} → {kbps}' if called else kbps} kbps",
            nominal_bps=int(called) * 1000 if called else true_bps,
            true_bps=true_bps if called else None,
            aliases=aliases,
            note=note or ("" if aliases else "The same model with its first codebooks only."),
            params={"n_quantizers": n_quantizers},
            family="DAC",
            open=Dac,
            sample_rate=sample_rate,
            licence="MIT",
            packages=("torch", "dac"),
            weights=(weights_key,),
            model=weights_key,
        )

    return condition


_16k = _dac("16", 320, "dac_16khz")
_24k = _dac("24", 320, "dac_24khz")
_44k = _dac("44.1", 512, "dac_44khz")
_44k_16 = _dac("44.1", 512, "dac_44khz_16kbps")

DAC_16K = _16k("6", 12, "emo-codec:D1", "codec-superb:D1")
DAC_16K_3 = _16k("3", 6)
DAC_16K_1_5 = _16k("1.5", 3)
DAC_24K = _24k("24", 32, "emo-codec:D2", "codec-superb:D2")
DAC_24K_12 = _24k("12", 16)
DAC_24K_6 = _24k("6", 8)
DAC_24K_3 = _24k("3", 4)
DAC_44K = _44k("7.75", 9, "codec-superb:D3", called="8", note="9 codebooks of 10 bits at 86.1 frames a second give 7.75 kbps.")
DAC_44K_5 = _44k("5.2", 6)
DAC_44K_3 = _44k("2.6", 3)
DAC_44K_16 = _44k_16("15.5", 18, called="16", note="Another model than that of 8 kbps, with 18 codebooks.")
