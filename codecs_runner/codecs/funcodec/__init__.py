"""FunCodec (Du et al. 2023, arXiv 2309.07405) at 16 kHz: four EnCodec-like models of the waveform, two of magnitude and phase.

Own inference code over the published tensor names; ``config.yaml`` beside each ``model.pth`` is read too, and a setting that this
code does not compute is refused by name. 32 codebooks of 1,024 entries: 16 kbps with frames of 320 samples, 8 with 640. The clip is
divided by its root mean square before encoding; that scale is sent along, as 32 bits of side information, and multiplied back.
Normalization runs over the whole clip, so clips are never padded to one another's length.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from codecs_runner import weights
from codecs_runner.codecs.base import CodecError, Condition
from codecs_runner.codecs.funcodec.model import N_FFT, STFT_HOP, padding_for_spectra, run, spectrum, waveform
from codecs_runner.layer_codec import BITS, LayerCodec
from codecs_runner.layers import Layer, dequantize, quantize_residual, read_model
from codecs_runner.neural import load_checkpoint, model_errors

if TYPE_CHECKING:
    import torch

TINY = 1e-8  # added to the root mean square, as published
CODEBOOKS = "quantizer.rq.model"
TRAINING = (
    *("discriminator", "mel_spec_transforms", "enc_trans_func", "dec_trans_func"),
    *(f"{CODEBOOKS}.{name}" for name in ("inited", "cluster_size", "embed_avg")),
)
# What the code computes, by section of config.yaml; a key that a file does not have is taken to be so.
COMPUTED: Mapping[str, Mapping[str, tuple[object, ...]]] = {
    "encoder_conf": {
        "norm": ("time_group_norm",),
        "causal": (False,),
        "activation": ("ELU",),
        "pad_mode": ("reflect",),
        "true_skip": (False,),
        "seq_model": ("lstm", None, "none", "None"),
        "res_seq": (True,),
        "n_residual_layers": (1,),
        "add_snake_activation": (False,),
    },
    "quantizer_conf": {"codec_dim": (None,), "codec_range": (None,), "q0_ds_ratio": (1,), "codebook_size": (1 << BITS,)},
    "model_conf": {
        "audio_normalize": (True,),
        "segment_dur": (None,),
        "bypass_quantizer": (False,),
        "codec_domain": ("time", ["time", "time"], ["mag_phase", "mag_phase"]),
    },
}


class FunCodec(LayerCodec):
    """One of the published models."""

    name = "FunCodec"
    side_bits = 32  # of the scale

    @classmethod
    def load(cls, keys: Sequence[str]) -> Layer:
        path = weights.require(keys[1])
        checkpoint = load_checkpoint(path)
        with model_errors(path):
            return read_model(checkpoint, without=TRAINING)

    def check(self, condition: Condition) -> None:
        check_config(weights.require(condition.weights[0]), condition)
        super().check(condition)

    @property
    def spectral(self) -> bool:
        return self.condition.params["domain"] == "mag_phase"

    @property
    def hop(self) -> int:
        return int(self.condition.params["hop"])

    def codebooks(self) -> "Sequence[torch.Tensor]":
        return list(self.model[CODEBOOKS].tensor("embed"))

    def n_frames(self, n_samples: int) -> int:
        return -(-(self.padded(n_samples) + (STFT_HOP if self.spectral else 0)) // self.hop)

    def padded(self, n_samples: int) -> int:
        return n_samples + (padding_for_spectra(n_samples, self.hop // STFT_HOP) if self.spectral else 0)

    def encode(self, clips: "torch.Tensor", depth: int) -> "tuple[torch.Tensor, torch.Tensor]":
        scale = clips.pow(2).mean(1, keepdim=True).sqrt() + TINY
        x = (clips / scale)[:, None]
        latent = run(self.model["encoder.model"], spectrum(x) if self.spectral else x)
        return quantize_residual(latent, self.codebooks()[:depth]), scale

    def decode(self, codes: "tuple[torch.Tensor, torch.Tensor]", depth: int) -> "torch.Tensor":
        indices, scale = codes
        y = run(self.model["decoder.model"], dequantize(indices[:, :depth], self.codebooks()))
        return (waveform(y) if self.spectral else y[:, 0]) * scale


def check_config(path: Path, condition: Condition) -> None:
    """See that a ``config.yaml`` describes this condition's model and nothing that is not computed here.

    Raises:
        CodecError: ``weights_damaged`` with the setting's name and value.
    """
    try:
        config: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise CodecError("weights_damaged", f"{path} cannot be read as plain YAML ({error}).") from error
    if not isinstance(config, dict):
        raise CodecError("weights_damaged", f"{path} is not a FunCodec configuration.")
    if condition.params["domain"] not in ("time", "mag_phase"):
        raise CodecError(
            "codec_failed", f"{condition.slug} asks for the domain {condition.params['domain']!r}, which is not computed."
        )
    domain = ["mag_phase", "mag_phase"] if condition.params["domain"] == "mag_phase" else None
    expected: dict[str, Mapping[str, tuple[object, ...]]] = {
        **COMPUTED,
        "decoder_conf": COMPUTED["encoder_conf"],
        "domain_conf": {"n_fft": (N_FFT,), "hop_length": (STFT_HOP,)},
        "": {"model": ("freq_codec",) if domain else ("encodec",), "sampling_rate": (condition.sample_rate,)},
    }
    model_conf = config.get("model_conf") or {}
    sections = {"": config, "domain_conf": model_conf.get("domain_conf") or {}}
    if domain and model_conf.get("codec_domain") != domain:
        raise CodecError("weights_damaged", f"{path} has no codec_domain mag_phase; it is of another FunCodec model.")
    for section, settings in expected.items():
        found = sections.get(section, config.get(section) or {})
        for name, values in settings.items():
            if name in found and found[name] not in values:
                place = f"{section}.{name}".lstrip(".")
                raise CodecError(
                    "weights_damaged", f"{path} sets {place} to {found[name]!r}, which {condition.slug} does not have."
                )


_condition = partial(
    Condition,
    family="FunCodec",
    open=FunCodec,
    sample_rate=16_000,
    packages=("torch",),
    licence="own code; the original's is MIT",
)


def _encodec(slug: str, label: str, key: str, hop: int, aliases: tuple[str, ...]) -> Condition:
    return _condition(
        slug=slug,
        label=label,
        nominal_bps=16_000 * 320 // hop,
        aliases=aliases,
        params={"n_quantizers": 32, "domain": "time", "hop": hop},
        weights=(f"{key}_config", key),
        model=key,
    )


def _freqcodec(slug: str, label: str, key: str, aliases: tuple[str, ...]) -> Condition:
    return _condition(
        slug=slug,
        label=label,
        nominal_bps=16_000,
        aliases=aliases,
        note="Clips are padded so that the number of spectra is even: with an odd number the published model is late by 10 ms.",
        params={"n_quantizers": 32, "domain": "mag_phase", "hop": 320},
        weights=(f"{key}_config", key),
        model=key,
    )


FUNCODEC_EN_320 = _encodec(
    "funcodec-en-16kbps", "FunCodec English, 16 kbps", "funcodec_en_ds320", 320, ("emo-codec:F1", "codec-superb:F3")
)
FUNCODEC_EN_640 = _encodec(
    "funcodec-en-8kbps", "FunCodec English, 8 kbps", "funcodec_en_ds640", 640, ("emo-codec:F2", "codec-superb:F4")
)
FUNCODEC_ZH_EN_320 = _encodec(
    "funcodec-zh-en-16kbps",
    "FunCodec Chinese and English, 16 kbps",
    "funcodec_zh_en_ds320",
    320,
    ("emo-codec:F3", "codec-superb:F5"),
)
FUNCODEC_ZH_EN_640 = _encodec(
    "funcodec-zh-en-8kbps",
    "FunCodec Chinese and English, 8 kbps",
    "funcodec_zh_en_ds640",
    640,
    ("emo-codec:F4", "codec-superb:F6"),
)
FREQCODEC_GR1 = _freqcodec("freqcodec-gr1-16kbps", "FreqCodec gr1, 16 kbps", "freqcodec_gr1", ("codec-superb:F1",))
FREQCODEC_GR8 = _freqcodec("freqcodec-gr8-16kbps", "FreqCodec gr8, 16 kbps", "freqcodec_gr8", ("codec-superb:F2",))
