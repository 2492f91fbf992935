"""Checkpoints in the formats that the codecs' authors publish, with seeded random numbers for weights.

Where the shapes are written in the checkpoint itself (DAC) the layers are narrow; EnCodec's are fixed in its package and full.
"""

import hashlib
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
