"""Checkpoints in the formats that the codecs' authors publish, with seeded random numbers for weights.

Where the shapes are written in the checkpoint itself (DAC) the layers are narrow; EnCodec's are fixed in its package and full.
"""

import hashlib
import json
import warnings
from pathlib import Path
from typing import Any

DAC_KWARGS = {  # the published 16 and 24 kHz models' strides and codebooks in narrow layers
    "encoder_dim": 8,
    "encoder_rates": [2, 4, 5, 8],
    "decoder_dim": 128,
    "decoder_rates": [8, 5, 4, 2],
    "codebook_dim": 8,
    "quantizer_dropout": 0.5,
}
DAC_44K_KWARGS = {**DAC_KWARGS, "encoder_rates": [2, 4, 8, 8], "decoder_rates": [8, 8, 4, 2]}


def write_random_checkpoints(folder: Path) -> None:
    """All families' files, where CODEC_WEIGHTS looks for them."""
    import torch

    from codecs_runner.neural import open_device

    open_device()
    torch.manual_seed(7)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the packages' own, on import
        write_encodec(folder)
        write_dac(folder)
        write_speechtokenizer(folder / "speechtokenizer_hubert_avg")
        write_mimi(folder / "mimi")
        write_snac(folder)
        write_xcodec2(folder / "xcodec2-hf")


def write_random_encodec(folder: Path) -> None:
    """EnCodec's files alone, in a new folder."""
    import torch

    from codecs_runner.neural import model_errors, open_device

    folder.mkdir()
    open_device()
    torch.manual_seed(7)
    with model_errors(folder):  # silences what the package warns of
        write_encodec(folder)


def write_random_dac(folder: Path, kwargs: dict[str, Any]) -> None:
    """The model at 16 kHz alone, in a new folder; without ``kwargs`` at the published size."""
    import torch

    from codecs_runner.neural import model_errors, open_device

    folder.mkdir()
    open_device()
    torch.manual_seed(7)
    with model_errors(folder):
        import dac

        published = {"encoder_rates": DAC_KWARGS["encoder_rates"], "decoder_rates": DAC_KWARGS["decoder_rates"]}
        kwargs = {**published, **kwargs, "sample_rate": 16_000, "n_codebooks": 12}
        torch.save({"state_dict": dac.DAC(**kwargs).state_dict(), "metadata": {"kwargs": kwargs}}, folder / "weights_16khz.pth")


def write_encodec(folder: Path) -> None:
    """A bare state dict whose name ends in the first digits of its checksum."""
    import torch
    from encodec.model import EncodecModel

    for name in ("24khz", "48khz"):
        state: dict[str, Any] = getattr(EncodecModel, f"encodec_model_{name}")(pretrained=False).state_dict()
        for key, value in state.items():
            if key.endswith("codebook.embed"):
                value.normal_()
        torch.save(state, folder / "part")
        digest = hashlib.sha256((folder / "part").read_bytes()).hexdigest()
        (folder / "part").rename(folder / f"encodec_{name}-{digest[:8]}.th")


def write_dac(folder: Path) -> None:
    """A state dict with the arguments of the model beside it."""
    import dac
    import torch

    models = {
        "16khz": {**DAC_KWARGS, "sample_rate": 16_000, "n_codebooks": 12},
        "24khz": {**DAC_KWARGS, "sample_rate": 24_000, "n_codebooks": 32},
        "44khz": {**DAC_44K_KWARGS, "sample_rate": 44_100, "n_codebooks": 9},
        "44khz_16kbps": {**DAC_44K_KWARGS, "sample_rate": 44_100, "n_codebooks": 18},
    }
    for name, kwargs in models.items():
        metadata = {"kwargs": {**kwargs, "of_an_older_version": 1}}
        torch.save({"state_dict": dac.DAC(**kwargs).state_dict(), "metadata": metadata}, folder / f"weights_{name}.pth")


def randomize(model: Any) -> Any:
    """Numbers that let signals through: what the packages start from is zero or nearly so in places."""
    for name, value in model.state_dict().items():
        if name.endswith(("embed_sum", "codebook.embed")):
            value.normal_()
        elif value.is_floating_point() and value.ndim > 1 and "window" not in name and "filter" not in name:
            value.normal_(std=value[0].numel() ** -0.5)
        elif name.endswith("bias"):
            value.normal_(std=0.1)
    return model


def write_speechtokenizer(folder: Path) -> None:
    """config.json and a bare state dict; the settings of the published model with fewer filters."""
    import torch
    from speechtokenizer import SpeechTokenizer

    config = {
        "activation": "ELU",
        "bidirectional": True,
        "codebook_size": 1024,
        "dilation_base": 2,
        "dimension": 64,
        "lstm_layers": 2,
        "n_filters": 4,
        "n_q": 8,
        "n_residual_layers": 1,
        "residual_kernel_size": 3,
        "sample_rate": 16_000,
        "semantic_dimension": 48,
        "strides": [8, 5, 4, 2],
    }
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(config))
    torch.save(randomize(SpeechTokenizer(config)).state_dict(), folder / "SpeechTokenizer.pt")


def write_mimi(folder: Path) -> None:
    """config.json and model.safetensors, as the package itself writes them."""
    from transformers import MimiConfig, MimiModel

    config = MimiConfig(
        num_filters=8,
        hidden_size=64,
        codebook_dim=32,
        vector_quantization_hidden_dimension=32,
        intermediate_size=64,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=2,
        upsample_groups=64,
    )
    randomize(MimiModel(config)).save_pretrained(folder)
    published = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**published, "frame_rate": 12.5}))


def write_snac(folder: Path) -> None:
    """config.json and a bare state dict, with the published rates and strides in narrow layers."""
    import torch
    from snac import SNAC

    narrow = {"encoder_dim": 4, "decoder_dim": 64, "codebook_size": 4096, "codebook_dim": 8, "noise": True, "depthwise": True}
    by_384 = {"encoder_rates": [2, 3, 8, 8], "decoder_rates": [8, 8, 3, 2], "attn_window_size": 32, "vq_strides": [8, 4, 2, 1]}
    by_512 = {"encoder_rates": [2, 4, 8, 8], "decoder_rates": [8, 8, 4, 2], "attn_window_size": None, "vq_strides": [4, 2, 1]}
    for rate, rates in ((24_000, by_512), (32_000, by_384), (44_100, by_384)):
        place = folder / f"snac_{rate // 1000}khz"
        place.mkdir()
        config = {"sampling_rate": rate, **narrow, **rates}
        (place / "config.json").write_text(json.dumps(config))
        torch.save(SNAC(**config).state_dict(), place / "pytorch_model.bin")


def write_xcodec2(folder: Path) -> None:
    """config.json and model.safetensors, as the package itself writes them."""
    from transformers import Xcodec2Config, Xcodec2Model

    semantic = {
        "model_type": "wav2vec2-bert",
        "hidden_size": 32,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 64,
        "output_hidden_size": 32,
    }
    config = Xcodec2Config(
        hidden_size=64,
        intermediate_size=64,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=2,
        head_dim=32,
        encoder_hidden_size=4,
        quantization_dim=96,
        semantic_model_config=semantic,
    )
    randomize(Xcodec2Model(config)).save_pretrained(folder)
