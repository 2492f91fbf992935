"""The codecs that live only in git repositories: published names loaded strictly, and what sets us apart from the field's wrappers."""

import re
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from codecs_runner.codecs import audiodec, soundstream
from codecs_runner.codecs.base import Codec, CodecError, Condition
from codecs_runner.codecs.funcodec import model as funcodec_model
from codecs_runner.layers import Layer, dequantize, nearest, quantize_residual, read_model
from codecs_runner.registry import get_condition, open_codec
from codecs_runner.weight_files import FILES
from tests.unit.codecs_runner import published
from tests.unit.codecs_runner.voices import make_speech

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.neural

Opened = Callable[[str], tuple[Condition, Codec]]
FAMILIES = ["soundstream-16k-4kbps", "audiodec-24k-6.4kbps", "hificodec-16k-2kbps", "funcodec-en-8kbps", "freqcodec-gr1-16kbps"]


def speech(condition: Condition, seconds: float = 0.5) -> Any:
    return make_speech(seconds, condition.sample_rate).astype(np.float32)


@pytest.mark.parametrize(
    ("shapes", "places", "millions"),
    [
        (published.audiodec(), ("encoder", "decoder", "projector"), 7.9),
        (published.audiodec_vocoder(), ("",), 19.5),
        (published.funcodec(published.FUNCODEC_RATIOS["ds320"]), ("encoder", "decoder"), 14.86),
        (published.freqcodec(), ("encoder", "decoder"), 0.52),
    ],
    ids=["audiodec", "audiodec vocoder", "funcodec ds320", "freqcodec gr1"],
)
def test_the_tables_have_as_many_parameters_as_the_authors_say(shapes: Any, places: tuple[str, ...], millions: float) -> None:
    assert round(published.size(shapes, only=places) / 1e6, len(str(millions).partition(".")[2])) == millions


@pytest.mark.parametrize(
    ("slug", "contents"),
    [
        ("soundstream-16k-4kbps", [lambda: published.lightning(published.fill(published.soundstream()))]),
        (
            "audiodec-24k-6.4kbps",
            [
                lambda: published.audiodec_checkpoint(published.fill(published.audiodec())),
                lambda: published.audiodec_checkpoint(published.fill(published.audiodec_vocoder())),
            ],
        ),
        ("hificodec-24k-3kbps", [lambda: {part: published.fill(table) for part, table in published.hificodec().items()}]),
        (
            "funcodec-en-8kbps",
            [
                lambda: published.funcodec_config(published.FUNCODEC_RATIOS["ds640"]),
                lambda: published.fill(published.funcodec(published.FUNCODEC_RATIOS["ds640"])),
            ],
        ),
        (
            "freqcodec-gr1-16kbps",
            [lambda: published.freqcodec_config(1), lambda: published.fill(published.freqcodec())],
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
@pytest.mark.slow
def test_the_published_widths_load_and_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, slug: str, contents: list[Callable[[], Any]]
) -> None:
    monkeypatch.setenv("CODEC_WEIGHTS", str(tmp_path))
    condition = get_condition(slug)
    for key, content in zip(condition.weights, contents, strict=True):
        path = tmp_path / FILES[key].family / FILES[key].name
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".yaml":
            published.write_config(path.parent, content())
        else:
            torch.save(content(), path)
    clip = speech(condition)
    coded = open_codec(condition).code(clip)
    assert len(coded.samples) == len(clip) and np.isfinite(coded.samples).all() and coded.samples.any()


def test_a_tensor_too_few_too_many_or_of_another_shape_is_refused_by_the_file_s_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CODEC_WEIGHTS", str(tmp_path))
    whole = published.fill(published.soundstream(2))
    name = "decoder.layers.3.layers.2.conv1.bias"
    harmed: list[dict[str, Any]] = [
        {key: value for key, value in whole.items() if key != "encoder.layers.2.layers.0.conv0.weight"},
        {**whole, "encoder.layers.7.weight": torch.zeros(3)},
        {**whole, name: torch.zeros(99)},
        {**whole, name: "not a tensor"},
    ]
    for state in harmed:
        torch.save(published.lightning(state), tmp_path / "soundstream_16khz-20230425.ckpt")
        with pytest.raises(CodecError, match=r"20230425\.ckpt does not fit") as caught:
            open_codec(get_condition("emo-codec:N"))
        assert caught.value.code == "weights_damaged"


def test_a_bias_that_is_left_out_is_not_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Convolutions run without a bias too, so its absence would go unnoticed if nobody counted."""
    monkeypatch.setenv("CODEC_WEIGHTS", str(tmp_path))
    whole = published.fill(published.soundstream(2))
    del whole["encoder.layers.6.bias"]
    torch.save(published.lightning(whole), tmp_path / "soundstream_16khz-20230425.ckpt")
    with pytest.raises(CodecError, match=r"does not fit this codec's model \(encoder\.layers\.6\.bias is missing\)"):
        open_codec(get_condition("emo-codec:N"))


def test_numpy_numbers_in_a_checkpoint_are_read_and_code_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CODEC_WEIGHTS", str(tmp_path))
    path = tmp_path / "soundstream_16khz-20230425.ckpt"
    checkpoint = published.lightning(published.fill(published.soundstream(2)))
    torch.save({**checkpoint, "callbacks": {"best_model_score": np.float64(0.25), "patience": np.int64(3)}}, path)
    open_codec(get_condition("emo-codec:N"))
    torch.save({**checkpoint, "hyper_parameters": Path("/")}, path)
    with pytest.raises(CodecError, match="not opened for safety"):
        open_codec(get_condition("emo-codec:N"))


def test_an_audiodec_decoder_is_taken_from_its_own_file(opened: Opened) -> None:
    """The symmetric decoder is that of 1,000,000 steps though the encoder's file holds one too."""
    symmetric, vocoder = (opened(slug)[1] for slug in ("audiodec-24k-6.4kbps-sym", "audiodec-24k-6.4kbps"))
    clip = speech(get_condition("codec-superb:C"))
    with torch.inference_mode():
        both = [codec.encode(torch.from_numpy(clip)[None], 8) for codec in (symmetric, vocoder)]  # type: ignore[attr-defined]
    assert torch.equal(*both)
    assert not np.array_equal(symmetric.code(clip).samples, vocoder.code(clip).samples)
    last = "decoder.conv2.conv.weight"
    assert torch.equal(symmetric.model.tensor(last), published.fill(published.audiodec(4), seed=1_000_000)[last])  # type: ignore[attr-defined]


def test_audiodec_is_causal_and_soundstream_is_centred() -> None:
    """Where a change of one sample reaches: from its frame on, or evenly before and after it. So neither is late."""
    at, hop = 9_600, 300
    low, _ = reach(lambda model, x: audiodec.decode(model, audiodec.encode(model, x)), published.audiodec(4), at, 19_200)
    assert low == at // hop * hop
    low, high = reach(
        lambda model, x: soundstream.decode(model["decoder"], soundstream.encode(model["encoder"], x)),
        published.soundstream(2),
        at,
        19_200,
    )
    assert abs((low + high) / 2 - at) < soundstream.HOP / 2


def reach(run: Callable[[Layer, Any], Any], shapes: Any, at: int, length: int) -> tuple[int, int]:
    model = read_model({name: tensor.double() for name, tensor in published.fill(shapes).items()})
    x = torch.randn(1, 1, length, generator=torch.Generator().manual_seed(1), dtype=torch.float64) / 10
    touched = x.clone()
    touched[..., at] += 1
    with torch.inference_mode():
        changed = (run(model, touched) != run(model, x)).flatten().nonzero()
    return int(changed[0]), int(changed[-1])


def test_soundstream_keeps_the_ends_that_the_repository_s_loader_cuts_off(opened: Opened) -> None:
    condition, codec = opened("soundstream-16k-4kbps")
    clip = speech(condition, 3.0)
    decoded = codec.code(clip).samples
    assert len(decoded) == 48_000
    assert np.abs(decoded[:5_327]).max() > 0 and np.abs(decoded[-5_327:]).max() > 0


def test_soundstream_does_not_learn_while_it_encodes(opened: Opened) -> None:
    condition, codec = opened("soundstream-16k-4kbps")
    before = codec.model.tensor("quantizer.weight").clone()  # type: ignore[attr-defined]
    codec.code(speech(condition))
    assert torch.equal(codec.model.tensor("quantizer.weight"), before)  # type: ignore[attr-defined]


@pytest.mark.parametrize("slug", ["hificodec-16k-2kbps", "funcodec-en-8kbps", "freqcodec-gr8-16kbps"])
def test_the_gain_before_encoding_is_undone(opened: Opened, slug: str) -> None:
    condition, codec = opened(slug)
    clip = speech(condition)
    loud, quiet = codec.code(clip).samples, codec.code(clip / 4).samples
    assert 20 * np.log10(np.linalg.norm(loud) / np.linalg.norm(quiet)) == pytest.approx(20 * np.log10(4), abs=0.01)


@pytest.mark.parametrize("slug", FAMILIES)
def test_an_empty_clip_and_a_constant_one_are_coded(opened: Opened, slug: str) -> None:
    condition, codec = opened(slug)
    for clip in (np.zeros(1, np.float32), np.full(condition.sample_rate // 4, 0.5, np.float32)):
        coded = codec.code(clip)
        assert len(coded.samples) == len(clip) and np.isfinite(coded.samples).all()


@pytest.mark.parametrize("ratios", published.FUNCODEC_RATIOS.values(), ids=published.FUNCODEC_RATIOS)
def test_funcodec_in_time_computes_what_encodec_s_own_layers_do(ratios: tuple[int, ...]) -> None:
    """FunCodec took its layers over from EnCodec, with normalization over time instead of the weights."""
    with warnings.catch_warnings(action="ignore"):  # the package's own, on import
        from encodec.modules.seanet import SEANetDecoder, SEANetEncoder
    state = published.fill(published.funcodec(ratios, 4))
    model = read_model(state, without=("discriminator", "mel_spec_transforms"))
    settings: dict[str, Any] = {"ratios": list(reversed(ratios)), "n_filters": 4, "norm": "time_group_norm", "causal": False}
    x = torch.randn(1, 1, 7_001, generator=torch.Generator().manual_seed(1))
    for part, reference in (("encoder", SEANetEncoder(**settings)), ("decoder", SEANetDecoder(**settings))):
        own = {name.removeprefix(f"{part}."): value for name, value in state.items() if name.startswith(f"{part}.")}
        reference.load_state_dict(own, strict=True)
        with torch.inference_mode():
            expected = reference.eval()(x)
            assert torch.equal(funcodec_model.run(model[part]["model"], x), expected)
        x = expected


def test_spectra_become_the_waveform_they_were_taken_from() -> None:
    x = torch.from_numpy(make_speech(0.51, 16_000).astype(np.float32))[None, None]
    bins = funcodec_model.spectrum(x)
    assert bins.shape == (1, 3, 257, 52)
    as_decoded = torch.cat([bins[:, :1].exp().expm1().log(), bins[:, 1:]], 1)  # softplus undone
    assert torch.allclose(funcodec_model.waveform(as_decoded), x[0], atol=1e-4)


@pytest.mark.parametrize("n_samples", [1, 159, 160, 16_000, 16_001, 16_160, 16_161])
def test_padding_makes_the_decoder_s_spectra_as_many_as_the_encoder_s(n_samples: int) -> None:
    """An odd number of spectra is where the published model pads in front and comes out 10 ms late."""
    length = n_samples + funcodec_model.padding_for_spectra(n_samples, 2)
    model = read_model(published.fill(published.freqcodec(4)))
    spectra = funcodec_model.spectrum(torch.zeros(1, 1, length))
    assert spectra.shape[-1] % 2 == 0
    with torch.inference_mode():
        latent = funcodec_model.run(model["encoder.model"], spectra)
        decoded = funcodec_model.run(model["decoder.model"], latent)
    assert latent.shape[-1] * 2 == spectra.shape[-1]
    assert decoded.shape == spectra.shape
    assert funcodec_model.waveform(decoded).shape[-1] == length


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"sampling_rate": 24_000}, "sampling_rate to 24000"),
        ({"model": "codec_semantic_aug"}, "model to 'codec_semantic_aug'"),
        ({"encoder_conf": {"causal": True}}, "encoder_conf.causal to True"),
        ({"model_conf": {"audio_normalize": False}}, "model_conf.audio_normalize to False"),
        ({"quantizer_conf": {"codebook_size": 8_192}}, "quantizer_conf.codebook_size to 8192"),
    ],
)
def test_a_setting_that_is_not_computed_is_refused_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: dict[str, Any], complaint: str
) -> None:
    monkeypatch.setenv("CODEC_WEIGHTS", str(tmp_path))
    place = write_funcodec(tmp_path)
    published.write_config(place, {**published.funcodec_config(published.FUNCODEC_RATIOS["ds320"]), **change})
    with pytest.raises(CodecError, match=re.escape(complaint)):
        open_codec(get_condition("emo-codec:F1"))


def write_funcodec(folder: Path) -> Path:
    path = folder / FILES["funcodec_en_ds320"].family / FILES["funcodec_en_ds320"].name
    path.parent.mkdir(parents=True)
    torch.save(published.fill(published.funcodec(published.FUNCODEC_RATIOS["ds320"], 2)), path)
    return path.parent


@pytest.mark.parametrize("change", ["strides of another model", "a codebook less", "a codebook more", "smaller codebooks"])
def test_a_model_that_would_send_another_rate_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str) -> None:
    monkeypatch.setenv("CODEC_WEIGHTS", str(tmp_path))
    place = write_funcodec(tmp_path)
    published.write_config(place, published.funcodec_config(published.FUNCODEC_RATIOS["ds320"]))
    shapes = published.funcodec(published.FUNCODEC_RATIOS["ds640" if change.startswith("strides") else "ds320"], 2)
    shapes["quantizer.rq.model.embed"] = {
        "a codebook less": (31, 1024, 128),
        "a codebook more": (33, 1024, 128),
        "smaller codebooks": (32, 512, 128),
    }.get(change, (32, 1024, 128))
    torch.save(published.fill(shapes), place / "model.pth")
    with pytest.raises(CodecError, match=r"model\.pth does not fit"):
        open_codec(get_condition("emo-codec:F1"))


def test_a_configuration_that_would_run_code_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CODEC_WEIGHTS", str(tmp_path))
    place = write_funcodec(tmp_path)
    (place / "config.yaml").write_text("model: !!python/object/apply:os.getcwd []")
    with pytest.raises(CodecError, match="cannot be read as plain YAML"):
        open_codec(get_condition("emo-codec:F1"))


def test_residual_quantization_by_hand() -> None:
    codebooks = torch.tensor([[[0.0, 0.0], [4.0, 4.0]], [[1.0, 0.0], [0.0, 0.5]]])
    x = torch.tensor([[[5.0, 0.1], [4.0, 0.4]]])  # two frames: (5, 4) and (0.1, 0.4)
    codes = quantize_residual(x, list(codebooks))
    assert codes.tolist() == [[[1, 0], [0, 1]]]  # one row, two codebooks, two frames
    assert dequantize(codes, list(codebooks)).tolist() == [[[5.0, 0.0], [4.0, 0.5]]]
    assert nearest(torch.tensor([[0.5]]), torch.tensor([[0.0], [1.0]])).tolist() == [0]  # a tie
