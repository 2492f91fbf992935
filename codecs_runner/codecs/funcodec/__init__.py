"""FunCodec (Du et al. 2023, arXiv 2309.07405) at 16 kHz: four EnCodec-like models of the waveform, two of magnitude and phase.

Own inference code over the published tensor names; ``config.yaml`` beside each ``model.pth`` is read too, and a setting that this
code does not compute is refused by name. 32 codebooks of 1,024 entries: 16 kbps with frames of 320 samples, 8 with 640. The clip is
divided by its root mean square before encoding; that scale is sent along, as 32 bits of side information, and multiplied back.
Normalization runs over the whole clip, so clips are never padded to one another's length.
"""

from collections.abc import Mapping
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from codecs_runner import weights
from codecs_runner.codecs.base import CodecError, Coded, Condition, Signal
from codecs_runner.codecs.funcodec.model import N_FFT, STFT_HOP, padding_for_spectra, run, spectrum, waveform
from codecs_runner.layers import check_model, quantize_residual, read_model
from codecs_runner.neural import as_signal, describe_device, load_checkpoint, model_errors, open_device

BITS = 10  # of a code: codebooks of 1,024 entries
SCALE_BITS = 32
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


class FunCodec:
    """One model with all its codebooks."""

    def __init__(self, condition: Condition) -> None:
        config_path, path = (weights.require(key) for key in condition.weights)
        self.spectral = condition.params["domain"] == "mag_phase"
        check_config(config_path, condition)
        device = open_device()
        checkpoint = load_checkpoint(path)
        with model_errors(path):
            self.model = read_model(checkpoint, device, without=TRAINING)
        self.sample_rate, self.device = condition.sample_rate, describe_device(device)
        self.versions = {name: version(name) for name in ("torch", "pyyaml")}
        self._device, self._hop = device, int(condition.params["hop"])
        check_model(path, self.model, lambda: self.code(np.zeros(2 * self._hop, np.float32)))

    def code(self, samples: Signal) -> Coded:
        import torch

        padding = padding_for_spectra(len(samples), self._hop // STFT_HOP) if self.spectral else 0
        try:
            with torch.inference_mode():
                clip = torch.from_numpy(np.ascontiguousarray(samples)).to(self._device)[None, None]
                scale = clip.pow(2).mean(dim=2, keepdim=True).sqrt() + TINY
                x = torch.nn.functional.pad(clip / scale, (0, padding))
                latent = run(self.model["encoder.model"], spectrum(x) if self.spectral else x)
                codes, quantized = quantize_residual(latent, self.model[CODEBOOKS].tensor("embed"))
                y = run(self.model["decoder.model"], quantized)
                decoded = (waveform(y) if self.spectral else y) * scale
        except RuntimeError as error:
            raise CodecError("codec_failed", f"FunCodec failed: {error}") from error
        return Coded(as_signal(decoded)[: len(samples)], self.sample_rate, payload_bits=codes.numel() * BITS + SCALE_BITS)


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


_condition = partial(Condition, family="FunCodec", open=FunCodec, sample_rate=16_000, packages=("torch",))


def _encodec(slug: str, label: str, key: str, hop: int, aliases: tuple[str, ...]) -> Condition:
    return _condition(
        slug=slug,
        label=label,
        nominal_bps=16_000 * 320 // hop,
        aliases=aliases,
        params={"domain": "time", "hop": hop},
        weights=(f"{key}_config", key),
    )


def _freqcodec(slug: str, label: str, key: str, aliases: tuple[str, ...]) -> Condition:
    return _condition(
        slug=slug,
        label=label,
        nominal_bps=16_000,
        aliases=aliases,
        note="Clips are padded so that the number of spectra is even: with an odd number the published model is late by 10 ms.",
        params={"domain": "mag_phase", "hop": 320},
        weights=(f"{key}_config", key),
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
