"""Checkpoints of the codecs that live only in git repositories: names and shapes as published, random numbers in them.

The tables are written down apart from the code that reads them. ``width`` is the published one unless a test asks for less.
"""

from collections.abc import Iterator
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    import torch

Shapes = dict[str, tuple[int, ...]]
Folder = Path

FUNCODEC_RATIOS = {"ds320": (2, 4, 5, 8), "ds640": (2, 2, 4, 5, 8)}
FREQCODEC_RATIOS = ((4, 1), (4, 2), (4, 1), (4, 1))  # frequency and time, from the waveform inwards


def conv(name: str, out: int, into: int, *kernel: int, bias: bool = True, weight_norm: bool = False) -> Shapes:
    """The names of one convolution. A transposed one has its channels the other way round: ``transposed``."""
    weight = (out, into, *kernel)
    names: Shapes = {f"{name}.weight": weight}
    if weight_norm:
        names = {f"{name}.weight_g": (out, *(1 for _ in weight[1:])), f"{name}.weight_v": weight}
    return {**names, **({f"{name}.bias": (out,)} if bias else {})}


def transposed(name: str, into: int, out: int, *kernel: int, weight_norm: bool = False) -> Shapes:
    return {**conv(name, into, out, *kernel, weight_norm=weight_norm), f"{name}.bias": (out,)}


def soundstream(width: int = 32) -> Shapes:
    shapes = conv("encoder.layers.0", width, 1, 7)
    for place, (stride, channels) in enumerate(zip((2, 4, 5, 8), (1, 2, 4, 8), strict=True), start=2):
        shapes |= _soundstream_units(f"encoder.layers.{place}.layers", range(3), channels * width)
        shapes |= conv(f"encoder.layers.{place}.layers.3", 2 * channels * width, channels * width, 2 * stride)
    shapes |= conv("encoder.layers.6", 16 * width, 16 * width, 3) | conv("decoder.layers.0", 16 * width, 16 * width, 7)
    for place, (stride, channels) in enumerate(zip((8, 5, 4, 2), (8, 4, 2, 1), strict=True), start=2):
        shapes |= transposed(f"decoder.layers.{place}.layers.0", 2 * channels * width, channels * width, 2 * stride)
        shapes |= _soundstream_units(f"decoder.layers.{place}.layers", range(2, 5), channels * width)
    shapes |= conv("decoder.layers.6", 1, width, 7)
    for name in ("weight", "running_mean"):
        shapes[f"quantizer.{name}"] = (8, 1024, 16 * width)
    return {**shapes, "quantizer.code_count": (8, 1024), **conv("wave_discriminators.0.layers.0", 4, 1, 15, weight_norm=True)}


def _soundstream_units(place: str, numbers: range, channels: int) -> Shapes:
    shapes: Shapes = {}
    for number in numbers:
        shapes |= conv(f"{place}.{number}.conv0", channels, channels, 7) | conv(
            f"{place}.{number}.conv1", channels, channels, 1
        )
    return shapes


def audiodec(width: int = 32) -> Shapes:
    """The autoencoder, which holds encoder and symmetric decoder, with the buffers of its streaming classes."""
    shapes = conv("encoder.conv.conv", width, 1, 7, bias=False) | {"encoder.conv.pad_buffer": (1, 1, 6)}
    into = width
    for number, (stride, ratio) in enumerate(zip((3, 4, 5, 5), (2, 4, 8, 16), strict=True)):
        place = f"encoder.conv_blocks.{number}"
        shapes |= _audiodec_units(place, into) | conv(f"{place}.conv.conv", ratio * width, into, 2 * stride)
        into = ratio * width
    shapes |= conv("projector.project.conv", 64, into, 3, bias=False) | conv(
        "decoder.conv1.conv", 16 * width, 64, 7, bias=False
    )
    for number, stride in enumerate((5, 5, 4, 3)):
        place, out = f"decoder.conv_blocks.{number}", (8, 4, 2, 1)[number] * width
        shapes |= transposed(f"{place}.conv.deconv", 2 * out, out, 2 * stride) | _audiodec_units(place, out)
    shapes |= conv("decoder.conv2.conv", 1, width, 7, bias=False)
    for number in range(8):
        for name, shape in {"embed": (64, 1024), "embed_avg": (64, 1024), "cluster_size": (1024,)}.items():
            shapes[f"quantizer.codebook.layers.{number}.{name}"] = shape
    return shapes


def _audiodec_units(place: str, channels: int) -> Shapes:
    shapes: Shapes = {}
    for number in range(3):
        unit = f"{place}.res_units.{number}"
        shapes |= conv(f"{unit}.conv1.conv", channels, channels, 7, bias=False)
        shapes |= conv(f"{unit}.conv2", channels, channels, 1, bias=False)
    return shapes


def audiodec_vocoder(width: int = 512, groups: int = 3) -> Shapes:
    shapes = conv("input_conv.conv", width, 64, 7, weight_norm=True) | {"mean": (64,), "scale": (64,)}
    for number, stride in enumerate((5, 5, 4, 3)):
        into, out = width >> number, width >> (number + 1)
        shapes |= transposed(f"upsamples.{number}.deconv", into, out, 2 * stride, weight_norm=True)
        for kind in ("convs1", "convs2"):
            for layer in range(3):
                shapes |= conv(f"blocks.{number}.{kind}.{layer}.conv", groups * out, out, 11, weight_norm=True)
        shapes |= conv(f"blocks.{number}.conv_out", out, groups * out, 1, bias=False, weight_norm=True)
    return shapes | conv("output_conv.conv", 1, width >> 4, 7, weight_norm=True)


def hificodec(width: int = 32) -> dict[str, Shapes]:
    """Encoder, quantizer and generator, each with names of its own."""
    encoder, generator = (
        conv("conv_pre", width, 1, 7, weight_norm=True),
        conv("conv_pre", 16 * width, 16 * width, 7, weight_norm=True),
    )
    for number, (up, down) in enumerate(zip((16, 11, 8, 4), (4, 8, 11, 16), strict=True)):
        out = width << (number + 1)
        encoder |= conv(f"ups.{number}", out, out // 2, down, weight_norm=True)
        into = 16 * width >> number
        generator |= transposed(f"ups.{number}", into, into // 2, up, weight_norm=True)
        for offset, kernel in enumerate((3, 7, 11)):
            block = 3 * number + offset
            generator |= _hificodec_block(f"resblocks.{block}", into // 2, kernel)
            encoder |= _hificodec_block(f"resblocks.{block}", out, (11, 7, 3)[offset])
            encoder |= {f"normalize.{block}.weight": (out,), f"normalize.{block}.bias": (out,)}
    encoder |= conv("conv_post", 16 * width, 16 * width, 3)
    generator |= conv("conv_post", 1, width, 7, weight_norm=True)
    names = [f"quantizer_modules{stage}.{group}.embedding.weight" for stage in ("", "2") for group in (0, 1)]
    return {"encoder": encoder, "quantizer": dict.fromkeys(names, (1024, 8 * width)), "generator": generator}


def _hificodec_block(place: str, channels: int, kernel: int) -> Shapes:
    names = [f"{place}.{kind}.{number}" for kind in ("convs1", "convs2") for number in range(3)]
    return {key: shape for name in names for key, shape in conv(name, channels, channels, kernel, weight_norm=True).items()}


def funcodec(ratios: tuple[int, ...], width: int = 32) -> Shapes:
    """An EnCodec-like model over the waveform; ratios from the waveform inwards."""
    places = _seanet([(ratio,) for ratio in ratios], width, 1, 7, lstm=True)
    return {**places, **_funcodec_quantizer()}


def freqcodec(width: int = 16, lstm: bool = False, group_ratio: int = 1) -> Shapes:
    """A model of magnitude and phase, its convolutions in groups of 2 × group_ratio channels."""
    places = _seanet(list(FREQCODEC_RATIOS), width, 3, 7, lstm=lstm, per_group=2 * group_ratio)
    return {**places, **_funcodec_quantizer()}


def _funcodec_quantizer() -> Shapes:
    names: Shapes = {"inited": (32, 1), "cluster_size": (32, 1024), "embed": (32, 1024, 128), "embed_avg": (32, 1024, 128)}
    extra: Shapes = {"mel_spec_transforms.0.window": (32,), "discriminator.discriminators.0.weight": (3,)}
    return {**{f"quantizer.rq.model.{name}": shape for name, shape in names.items()}, **extra}


def _seanet(
    ratios: list[tuple[int, ...]], width: int, channels: int, kernel: int, *, lstm: bool, per_group: int | None = None
) -> Shapes:
    flat = len(ratios[0])  # dimensions of its convolutions
    shapes: Shapes = {}

    def add(name: str, out: int, into: int, *sizes: int, groups: int = 1, back: bool = False) -> None:
        kind = "convtr" if back else "conv"
        place = f"{name}.{kind}"
        table = (
            transposed(f"{place}.{kind}", into, out // groups, *sizes)
            if back
            else conv(f"{place}.{kind}", out, into // groups, *sizes)
        )
        shapes.update({**table, f"{place}.{kind}.bias": (out,), f"{place}.norm.weight": (out,), f"{place}.norm.bias": (out,)})

    def groups_of(dim: int) -> int:
        return max(dim // per_group, 1) if per_group else 1

    def block(name: str, dim: int) -> None:
        for place, (out, into, size) in {"1": (dim // 2, dim, 3), "3": (dim, dim // 2, 1)}.items():
            add(f"{name}.block.{place}", out, into, *[size] * flat, groups=groups_of(dim // 2))
        add(f"{name}.shortcut", dim, dim, *[1] * flat, groups=groups_of(dim))

    def recurrent(name: str, dim: int) -> None:
        for number in range(2 * lstm):
            for kind in ("ih", "hh"):
                shapes[f"{name}.lstm.weight_{kind}_l{number}"] = (4 * dim, dim)
                shapes[f"{name}.lstm.bias_{kind}_l{number}"] = (4 * dim,)

    add("encoder.model.0", width, channels, *[kernel] * flat)
    number, dim = 1, width
    for ratio in ratios:
        block(f"encoder.model.{number}", dim)
        add(f"encoder.model.{number + 2}", 2 * dim, dim, *(2 * size for size in ratio), groups=groups_of(dim))
        number, dim = number + 3, 2 * dim
    number += flat - 1  # in two dimensions a reshaping stands here
    recurrent(f"encoder.model.{number}", dim)
    add(f"encoder.model.{number + lstm + 1}", 128, dim, kernel)

    add("decoder.model.0", dim, 128, kernel)
    recurrent("decoder.model.1", dim)
    number = lstm + flat
    for ratio in reversed(ratios):
        add(f"decoder.model.{number + 1}", dim // 2, dim, *(2 * size for size in ratio), groups=groups_of(dim // 2), back=True)
        block(f"decoder.model.{number + 2}", dim // 2)
        number, dim = number + 3, dim // 2
    add(f"decoder.model.{number + 1}", channels, dim, *[kernel] * flat)
    return shapes


def fill(shapes: Shapes, seed: int = 7) -> dict[str, "torch.Tensor"]:
    """Random numbers that keep a signal's size from layer to layer."""
    import torch

    generator = torch.Generator().manual_seed(seed)
    return {name: _numbers(name, shape, generator) for name, shape in shapes.items()}


def _numbers(name: str, shape: tuple[int, ...], generator: "torch.Generator") -> "torch.Tensor":
    import torch

    last = name.rpartition(".")[2]
    if last in ("weight_g", "scale") or ("norm" in name and last == "weight"):
        return torch.ones(shape)
    numbers = torch.randn(shape, generator=generator)
    if "bias" in last or last == "mean":
        return 0.1 * numbers
    if name.startswith("quantizer"):
        return 0.5 * numbers
    return numbers / prod(shape[1:]) ** 0.5


def size(shapes: Shapes, *, only: tuple[str, ...] = ("",)) -> int:
    return sum(prod(shape) for name, shape in shapes.items() if name.startswith(only))


def write_all(folder: Folder) -> None:
    """One narrow checkpoint for every file of the four families, where `codecs_runner.weights` looks for it."""
    import torch

    for path, content in _narrow(folder):
        path.parent.mkdir(parents=True, exist_ok=True)
        torch.save(content, path)


def _narrow(folder: Folder) -> Iterator[tuple[Path, Any]]:
    yield folder / "soundstream_16khz-20230425.ckpt", lightning(fill(soundstream(2)))
    for steps in (500_000, 1_000_000):
        path = folder / "audiodec/autoencoder/symAD_libritts_24000_hop300" / f"checkpoint-{steps}steps.pkl"
        yield path, audiodec_checkpoint(fill(audiodec(4), seed=steps))
    path = folder / "audiodec/vocoder/AudioDec_v1_symAD_libritts_24000_hop300_clean/checkpoint-500000steps.pkl"
    yield path, audiodec_checkpoint(fill(audiodec_vocoder(32)))
    for seed, name in enumerate(("16k-320d", "16k-320d-large-universal", "24k-320d")):
        parts = {part: fill(shapes, seed) for part, shapes in hificodec(8).items()}
        yield folder / f"HiFi-Codec-{name}", parts
    for model in ("en-libritts", "zh_en-general"):
        for hop, ratios in FUNCODEC_RATIOS.items():
            place = folder / f"funcodec/audio_codec-encodec-{model}-16k-nq32{hop}-pytorch"
            write_config(place, funcodec_config(ratios))
            yield place / "model.pth", fill(funcodec(ratios, 2), seed=len(model))
    for group_ratio in (1, 8):
        place = folder / f"funcodec/audio_codec-freqcodec_magphase-en-libritts-16k-gr{group_ratio}nq32ds320-pytorch"
        write_config(place, freqcodec_config(group_ratio))
        yield place / "model.pth", fill(freqcodec(4, lstm=group_ratio == 8, group_ratio=group_ratio))


def lightning(state: dict[str, "torch.Tensor"]) -> dict[str, Any]:
    """What PyTorch Lightning wraps around a state."""
    return {"epoch": 3, "global_step": 9, "state_dict": state, "optimizer_states": [], "hyper_parameters": {"padding": "same"}}


def audiodec_checkpoint(state: dict[str, "torch.Tensor"]) -> dict[str, Any]:
    return {"model": {"generator": state}, "steps": 500_000, "epochs": 1}


def funcodec_config(ratios: tuple[int, ...]) -> dict[str, Any]:
    """The published recipe's settings that decide how a model computes."""
    seanet = {"ratios": list(reversed(ratios)), "norm": "time_group_norm", "causal": False}
    return {
        "input_size": 1,
        "sampling_rate": 16_000,
        "encoder": "encodec_seanet_encoder",
        "encoder_conf": seanet,
        "quantizer": "costume_quantizer",
        "quantizer_conf": {"codebook_size": 1024, "num_quantizers": 32, "sampling_rate": 16_000},
        "decoder": "encodec_seanet_decoder",
        "decoder_conf": seanet,
        "model": "encodec",
        "model_conf": {"odim": 128, "target_sample_hz": 16_000, "audio_normalize": True, "segment_dur": None},
    }


def freqcodec_config(group_ratio: int) -> dict[str, Any]:
    config = funcodec_config(())
    seanet = {"norm": "time_group_norm", "causal": False, "dilation_base": 1, "conv_group_ratio": group_ratio}
    config["encoder_conf"] = config["decoder_conf"] = {**seanet, "ratios": [list(pair) for pair in reversed(FREQCODEC_RATIOS)]}
    config["model"] = "freq_codec"
    config["model_conf"] = {**config["model_conf"], "codec_domain": ["mag_phase", "mag_phase"]}
    return config


def write_config(place: Folder, config: dict[str, Any]) -> None:
    place.mkdir(parents=True, exist_ok=True)
    (place / "config.yaml").write_text(yaml.safe_dump(config))
