"""Models that serve several rates at once: prefixes, batches, and that neither changes what is heard."""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from analysis.pool import executor
from codecs_runner import model_codec, pipeline, weights
from codecs_runner.audio import inspect_audio
from codecs_runner.batches import Clip, code_stream
from codecs_runner.codecs.base import Codec, CodecError, Condition, Signal
from codecs_runner.device import render_on_device
from codecs_runner.jobs import RenderJob
from codecs_runner.model_codec import ModelCodec
from codecs_runner.registry import get_condition, list_conditions
from codecs_runner.rendering import render_together
from codecs_runner.store import Store
from codecs_runner.weight_files import FILES
from tests.unit.codecs_runner.voices import make_speech

pytestmark = pytest.mark.neural
Opened = Callable[[str], tuple[Condition, Codec]]

MODELS = sorted({condition.model for condition in list_conditions() if condition.model})
PADDED = ["encodec-24k", "mimi", "audiodec_symmetric", "audiodec_vocoder"]  # models that zeros behind a clip do not change
every_model = pytest.mark.parametrize("model", MODELS)


def conditions_of(model: str) -> tuple[Condition, ...]:
    return tuple(condition for condition in list_conditions() if condition.model == model)


def open_model(opened: Opened, model: str) -> tuple[tuple[Condition, ...], ModelCodec]:
    conditions = conditions_of(model)
    codec = opened(conditions[-1].slug)[1]
    assert isinstance(codec, ModelCodec)
    return conditions, codec


def speech(seconds: float, rate: int, seed: int = 0) -> Signal:
    return make_speech(seconds, rate, seed).astype(np.float32)


def snr_db(reference: Signal, other: Signal) -> float:
    error = np.sum((reference - other) ** 2, dtype=np.float64)
    return float(10 * np.log10(np.sum(reference**2, dtype=np.float64) / max(error, 1e-30)))


@every_model
def test_rates_encoded_together_are_those_encoded_alone(opened: Opened, model: str) -> None:
    conditions, codec = open_model(opened, model)
    clip = speech(0.4, codec.sample_rate)
    [together] = codec.code_many([clip], conditions)
    for condition, coded in zip(conditions, together, strict=True):
        alone = opened(condition.slug)[1].code(clip)
        assert coded.payload_bits == alone.payload_bits
        assert np.array_equal(coded.samples, alone.samples), condition.slug


@every_model
def test_rates_of_one_model_differ(opened: Opened, model: str) -> None:
    conditions, codec = open_model(opened, model)
    [together] = codec.code_many([speech(0.4, codec.sample_rate)], conditions)
    assert len({coded.samples.tobytes() for coded in together}) == len(conditions) and together[0].samples.any()
    bits = [coded.payload_bits or 0 for coded in together]
    assert (
        len(set(bits)) == len(bits)
        and np.argsort(bits).tolist() == np.argsort([c.nominal_bps or 0 for c in conditions]).tolist()
    )


@every_model
@pytest.mark.parametrize("seconds", [0.05, 1.37])
def test_payload_counts_the_codes_that_there_are(opened: Opened, model: str, seconds: float) -> None:
    import torch

    conditions, codec = open_model(opened, model)
    n_samples, depth = round(seconds * codec.sample_rate), int(conditions[-1].params["n_quantizers"])
    clip = np.zeros((1, codec.padded(n_samples)), np.float32)
    clip[0, :n_samples] = speech(seconds, codec.sample_rate)
    with torch.inference_mode():
        codes = codec.encode(torch.from_numpy(clip), depth)
    assert codec.payload_bits(n_samples, depth) == count_bits(codes, model)


def count_bits(codes: object, model: str) -> int:
    """Bits of everything that `encode` gave: 10 to 16 for an integer, by its codebook, and 32 for a real number."""
    if isinstance(codes, Iterable) and not hasattr(codes, "numel"):
        return sum(count_bits(part, model) for part in codes)
    return int(codes.numel()) * (32 if codes.is_floating_point() else BITS.get(model, 10))  # type: ignore[attr-defined]


BITS = {"mimi": 11, "snac-24k": 12, "snac-32k": 12, "snac-44k": 12, "xcodec2": 16}


@pytest.mark.parametrize("model", PADDED)
def test_zeros_behind_a_clip_change_no_code_and_nothing_that_is_heard(opened: Opened, model: str) -> None:
    import torch

    conditions, codec = open_model(opened, model)
    depth = int(conditions[-1].params["n_quantizers"])
    length = codec.padded(codec.sample_rate // 3)
    clip = torch.from_numpy(speech(length / codec.sample_rate, codec.sample_rate))[None]
    with torch.inference_mode():
        short, long = (codec.encode(padded, depth) for padded in (clip, torch.nn.functional.pad(clip, (0, length))))
        same = short == long[..., : short.shape[-1]]
        assert same.double().mean() >= 0.999
        whole = codec.decode(long, depth)[0, :length].numpy()
        cut = codec.decode(long[..., : short.shape[-1]], depth)[0, :length].numpy()
    assert snr_db(cut, whole) >= 60


@every_model
def test_a_batch_gives_what_single_clips_give(opened: Opened, model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bound for other batch sizes: 99.9 % of the codes, and 60 dB of what the same codes decode to."""
    import torch

    monkeypatch.setenv("CODEC_BATCH", "3")
    conditions, codec = open_model(opened, model)
    if codec.batch_size == 1:
        pytest.skip("codes one clip at a time on every device")
    depth, length = int(conditions[-1].params["n_quantizers"]), codec.padded(codec.sample_rate // 3)
    clips = torch.stack([torch.from_numpy(speech(length / codec.sample_rate, codec.sample_rate, seed)) for seed in range(3)])
    with torch.inference_mode():
        batched = codec.encode(clips, depth)
        singles = [codec.encode(clip[None], depth) for clip in clips]
        monkeypatch.setenv("CODEC_BATCH", "1")
        decoded = codec.decode(batched, depth).numpy()
        again = [codec.decode(_row(batched, row, model), depth).numpy()[0] for row in range(3)]
    equal = [_equal(_row(batched, row, model), singles[row]) for row in range(3)]
    assert np.mean(np.concatenate(equal)) >= 0.999
    assert min(snr_db(alone, row) for alone, row in zip(again, decoded, strict=True)) >= 60


def _row(codes, row: int, model: str):
    """One clip's part of a batch's codes."""
    if isinstance(codes, list):
        return [tuple(part[row : row + 1] for part in segment) for segment in codes]
    if isinstance(codes, tuple):
        return tuple(part[row : row + 1] for part in codes)
    return codes[:, row : row + 1] if model in CODEBOOKS_FIRST else codes[row : row + 1]


CODEBOOKS_FIRST = {"encodec-24k", "speechtokenizer"}


def _equal(one, other) -> np.ndarray:
    if isinstance(one, tuple):  # codes and a gain
        one, other = one[0], other[0]
    if isinstance(one, list):
        return np.concatenate([(a[0] == b[0]).numpy().ravel() for a, b in zip(one, other, strict=True)])
    return (one == other).numpy().ravel()


@pytest.mark.parametrize("model", PADDED)
def test_a_clips_company_in_a_batch_does_not_matter(opened: Opened, model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CODEC_BATCH", "4")
    conditions, codec = open_model(opened, model)
    clip, others = speech(0.4, codec.sample_rate), [speech(0.2 + 0.1 * i, codec.sample_rate, i + 1) for i in range(3)]
    alone, company = codec.code_many([clip], conditions)[0], codec.code_many([clip, *others], conditions)[0]
    assert all(np.array_equal(a.samples, b.samples) for a, b in zip(alone, company, strict=True))


def test_a_stream_gives_each_clip_back_once_at_its_length(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CODEC_BATCH", "3")
    conditions, codec = open_model(opened, "dac_16khz")
    lengths = [1_000, 1_010, 5_000, 1_005, 4_999, 0, 1, 1_020]
    clips = [Clip(speech(0.5, 16_000, n)[:n], conditions[:2], n) for n in lengths]
    seen = {}
    for clip, coded in code_stream(codec, clips, waiting=5):
        assert not isinstance(coded, CodecError)
        assert [len(one.samples) for one in coded] == [clip.tag] * 2
        seen[clip.tag] = coded
    assert sorted(seen) == sorted(lengths)
    single = codec.code_many([clips[2].samples], conditions[:2])[0]
    assert snr_db(single[0].samples, seen[5_000][0].samples) >= 60


def test_a_batch_that_fails_is_coded_clip_by_clip(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CODEC_BATCH", "4")
    conditions, codec = open_model(opened, "dac_16khz")
    encode = codec.encode

    def short_of_memory(clips, depth):
        if len(clips) > 1 or clips.abs().max() > 5:
            raise RuntimeError("out of memory")
        return encode(clips, depth)

    monkeypatch.setattr(codec, "encode", short_of_memory)
    clips = [Clip(speech(0.1, 16_000, seed) * (100 if seed == 2 else 1), conditions[:1], seed) for seed in range(4)]
    found = {clip.tag: coded for clip, coded in code_stream(codec, clips)}
    assert [isinstance(found[seed], CodecError) for seed in range(4)] == [False, False, True, False]


def jobs_for(folder: Path, n_clips: int, slugs: Iterable[str]) -> list[RenderJob]:
    for i in range(n_clips):
        sf.write(folder / f"{i}.wav", make_speech(0.2 + 0.05 * i, 16_000, seed=i), 16_000)
    hashes = [inspect_audio(folder / f"{i}.wav").pcm_sha256 for i in range(n_clips)]
    return [RenderJob(str(folder / f"{i}.wav"), hashes[i], slug) for i in range(n_clips) for slug in slugs]


SLUGS = ("encodec-24k-1.5kbps", "encodec-24k-6kbps", "dac-16k-3kbps")


def test_many_encode_once_and_give_the_bytes_of_each_alone(
    with_weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = jobs_for(tmp_path, 2, SLUGS)
    alone = {job.key: pipeline.render(job, Store(tmp_path / "alone")).sidecar["audio_sha256"] for job in jobs}
    encoded: list[str] = []
    import torch

    from codecs_runner.codecs.encodec import Encodec24k

    encode = Encodec24k.encode

    def noted(self: Encodec24k, clips: torch.Tensor, depth: int) -> torch.Tensor:
        encoded.append("once")
        return encode(self, clips, depth)

    monkeypatch.setattr(Encodec24k, "encode", noted)
    many = list(pipeline.render_many(jobs, Store(tmp_path / "many"), workers=1))
    assert {result.key: result.sidecar["audio_sha256"] for result in many} == alone
    assert len(encoded) == 2  # two recordings at two rates


def test_the_path_of_a_gpu_gives_the_same_stimuli(with_weights: Path, tmp_path: Path) -> None:
    """Readers and finishers in other processes, batches in this one; here on the CPU and one clip at a time, so to the byte."""
    jobs = jobs_for(tmp_path, 3, SLUGS)
    (tmp_path / "2.wav").write_bytes(b"gone")
    groups = pipeline._groups(jobs, pipeline._model)
    one = {r.key: r for together in groups for r in render_together(together, Store(tmp_path / "one"))}
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        many = {r.key: r for r in render_on_device(groups, Store(tmp_path / "many"), pool)}
    assert many.keys() == one.keys()
    for key, result in one.items():
        assert (many[key].ok, many[key].code) == (result.ok, result.code)
        assert many[key].sidecar.get("audio_sha256") == result.sidecar.get("audio_sha256")
    assert sum(not result.ok for result in many.values()) == len(SLUGS)


def test_with_a_gpu_models_with_batches_take_that_path(
    with_weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[str] = []

    def on_device(groups, store, pool):
        for together in groups:
            taken.extend(job.condition for job in together)
            yield from render_together(together, store)

    monkeypatch.setattr(pipeline, "runs_in_batches", lambda: True)
    monkeypatch.setattr(pipeline, "render_on_device", on_device)
    jobs = jobs_for(tmp_path, 9, ("encodec-24k-1.5kbps", "original"))
    assert all(result.ok for result in pipeline.render_many(jobs, Store(tmp_path / "store"), workers=2))
    assert taken == ["encodec-24k-1.5kbps"] * 9


@pytest.mark.parametrize("workers", [1, 2])
def test_batches_on_a_cpu_take_the_whole_path_of_a_gpu(
    with_weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, workers: int
) -> None:
    """The same code as on a device: readers, buckets, batches of several clips, finishers; sound equal to 60 dB, rates to the bit."""
    jobs, sizes = jobs_for(tmp_path, 6, SLUGS), []
    one = {r.key: r for r in pipeline.render_many(jobs, Store(tmp_path / "one"), workers=1)}
    launch = ModelCodec.launch

    def noted(self: ModelCodec, clips: Sequence[Signal], conditions: Sequence[Condition]) -> object:
        sizes.append(len(clips))
        return launch(self, clips, conditions)

    monkeypatch.setattr(ModelCodec, "launch", noted)
    monkeypatch.setenv("CODEC_DEVICE", "cpu")
    monkeypatch.setenv("CODEC_BATCH", "4")
    executor.cache_clear()
    many = {r.key: r for r in pipeline.render_many(jobs, Store(tmp_path / "many"), workers=workers)}
    assert many.keys() == one.keys() and all(result.ok for result in many.values())
    assert max(sizes) > 1 and sum(sizes) == 12  # six clips through each of two models, each encoded once
    for key, result in one.items():
        assert many[key].sidecar["payload_bps"] == result.sidecar["payload_bps"]
        heard, batched = (sf.read(Store(tmp_path / name).flac_path(key))[0] for name in ("one", "many"))
        assert snr_db(heard, batched) >= 60


def test_another_models_weights_are_refused(with_weights: Path) -> None:
    condition = replace(get_condition("dac-24k-24kbps"), weights=("dac_16khz",))
    with pytest.raises(CodecError, match=r"weights_16khz\.pth is of another DAC model"):
        condition.open(condition)


def test_lengths_share_few_shapes_where_padding_is_exact(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    _, codec = open_model(opened, "encodec-24k")
    assert codec.shape(24_001) == (1, 24_320)  # alone: whole frames and no more
    monkeypatch.setenv("CODEC_BATCH", "8")
    assert codec.shape(24_001) == codec.shape(47_000) == (8, 48_000)
    assert codec.shape(600 * 24_000) == (1, 600 * 24_000)
    assert model_codec.BATCH_S < 600


PACKAGED = ["encodec-48k", "dac_44khz", "speechtokenizer", "mimi", "snac-24k", "xcodec2"]


# Where the settings travel in the checkpoint there is no file of settings to cut.
HARMED = [
    (model, harm)
    for model in PACKAGED
    for harm in ("cut", "of another model", "settings cut")
    if harm != "settings cut" or len(conditions_of(model)[0].weights) > 1
]


@pytest.mark.parametrize(("model", "harm"), HARMED)
def test_a_damaged_or_foreign_file_is_refused_by_name(
    weights_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: str, harm: str
) -> None:
    import torch
    from safetensors.torch import save_file

    condition = conditions_of(model)[0]
    key = condition.weights[0 if harm == "settings cut" else -1]
    monkeypatch.setenv("CODEC_WEIGHTS", str(weights_folder))
    for each in condition.weights:
        found = weights.find(each)
        assert found is not None
        copy = tmp_path / found.relative_to(weights_folder)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(found.read_bytes())
    monkeypatch.setenv("CODEC_WEIGHTS", str(tmp_path))
    path = weights.find(key)
    assert path is not None
    if harm == "of another model" and path.suffix == ".safetensors":
        save_file({"weight": torch.zeros(2)}, path, metadata={"format": "pt"})
    elif harm == "of another model":
        torch.save({"state_dict": {"weight": torch.zeros(2)}, "metadata": {"kwargs": {}}}, path)
    else:
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    if FILES[key].pattern:  # else the name itself would tell
        path = path.rename(path.with_name(f"{path.stem.rsplit('-', 1)[0]}-{weights.sha256(path)[:8]}.th"))
    with pytest.raises(CodecError) as caught:
        condition.open(condition)
    assert caught.value.code == "weights_damaged" and str(path) in caught.value.sentence
