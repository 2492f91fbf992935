"""Signal measures against published numbers and against independent implementations."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from analysis.audio import Samples
from analysis.objective import get_measure, score
from analysis.objective.codec_superb import resample_frac, warping_path
from analysis.objective.overall import DOMAINS, benchmark_table, domain_score, harmonic_mean, overall_score
from analysis.objective.spectra import mel_filters
from tests.conftest import absent

SUPERB = ("mel", "stft", "waveform", "pesq", "stoi", "f0corr")
# Of metrics.py at 1452c71 on sample1_16kHz.wav, in the order of SUPERB.
HALF = (1.3129, 1.7670, 0.0342, 4.6439, 1, 1)
LATE = (0.7138, 1.3033, 0.0875, 4.4540, 0.8457, 0.9958)


@pytest.fixture(scope="module")
def sample(shared: Path) -> Samples:
    samples: Samples = sf.read(shared / "data/lyra_speech/sample1_16kHz.wav")[0]
    return samples


def superb(reference: Samples, degraded: Samples) -> list[float]:
    keys = [f"codec_superb_{name}" for name in SUPERB]
    found = score(keys, reference=reference, degraded=degraded, sample_rate=16_000)
    return [found[key].value for key in keys]


def test_pesq_is_that_of_the_reference_pair(shared: Path, pesq: Callable[..., float]) -> None:
    reference, rate = sf.read(shared / "data/pesq_pair/speech.wav")
    degraded, _ = sf.read(shared / "data/pesq_pair/speech_bab_0dB.wav")
    found = score(["pesq_wb", "pesq_nb"], reference=reference, degraded=degraded, sample_rate=rate)
    assert [round(value.value, 4) for value in found.values()] == [1.0832, 1.6072]


def test_codec_superbs_numbers_of_a_gain_and_a_delay_are_reproduced(sample: Samples, pesq: Callable[..., float]) -> None:
    assert superb(sample, 0.5 * sample) == pytest.approx(HALF, abs=1e-4)
    late = np.concatenate([np.zeros(160), sample])[: len(sample)]
    assert superb(sample, late) == pytest.approx(LATE, abs=1e-4)


def test_the_same_gain_and_delay_cost_nothing_once_they_are_undone(sample: Samples) -> None:
    late = 0.5 * np.concatenate([np.zeros(160), sample])
    found = score(["stft_distance", "mel_distance", "stoi"], reference=sample, degraded=late, sample_rate=16_000)
    assert [value.value for value in found.values()] == pytest.approx([0, 0, 1], abs=2e-3)


@pytest.mark.parametrize("shift", [0, 1])
def test_stoi_and_estoi_are_those_of_pystoi(sample: Samples, shift: int) -> None:
    import pystoi

    from analysis.objective.intelligibility import ReferenceSpeech, estoi, stoi

    clean = np.roll(sample, shift)[:25_000]  # taken as 10 kHz on both sides: resampling is not what is compared
    noisy = clean + 0.03 * np.random.default_rng(0).standard_normal(len(clean))
    reference = ReferenceSpeech.of(clean)
    assert stoi(reference, reference.follow(noisy)) == pytest.approx(pystoi.stoi(clean, noisy, 10_000), abs=1e-9)
    assert estoi(reference, reference.follow(noisy)) == pytest.approx(
        pystoi.stoi(clean, noisy, 10_000, extended=True), abs=1e-6
    )


@pytest.mark.neural
def test_mel_filters_and_warping_are_those_of_librosa() -> None:
    import librosa

    theirs = librosa.filters.mel(sr=16_000, n_fft=2048, n_mels=150)
    assert pytest.approx(theirs, abs=1e-7) == mel_filters(16_000, 2048, 150).T
    x, y = (np.random.default_rng(seed).standard_normal(length) for seed, length in ((0, 60), (1, 47)))
    assert warping_path(x, y).tolist() == librosa.sequence.dtw(x, y)[1].tolist()


@pytest.mark.neural
@pytest.mark.parametrize(("old", "new"), [(48_000, 16_000), (44_100, 16_000), (16_000, 24_000)])
def test_the_resampler_is_that_of_julius(old: int, new: int) -> None:
    import julius
    import torch

    signal = np.random.default_rng(0).standard_normal(3001)
    theirs = julius.resample_frac(torch.from_numpy(signal).float(), old, new).numpy()
    assert resample_frac(signal, old, new) == pytest.approx(theirs, abs=1e-4)


def test_the_overall_formula_gives_the_benchmarks_numbers() -> None:
    columns = ("mel", "stft", "pesq", "stoi")
    published = {
        (0.8989, 1.9304, 2.4514, 0.9146): 0.7003,
        (0.8117, 1.8224, 3.3542, 0.9404): 0.7648,
        (0.7615, 1.7582, 3.4422, 0.9456): 0.7750,
        (1.7637, 4.0359, 2.3349, 0.9105): 0.6441,
        (4.5276, 7.0757, 1.4694, 0.7512): 0.5305,
    }
    for values, overall in published.items():
        assert overall_score(dict(zip(columns, values, strict=True)), "speech") == pytest.approx(overall, abs=1e-4)


def test_a_domains_score_is_the_harmonic_mean_over_its_data_sets() -> None:
    row_a = (0.713, 0.677, 0.637, 0.676, 0.697, 0.629, 0.637, 0.586, 0.566, 0.651)  # Table 6: 0.644, arithmetic 0.647
    assert domain_score(dict(zip("abcdefghij", row_a, strict=True))) == pytest.approx(0.6438, abs=1e-4)
    assert harmonic_mean([0.5, 0.0]) == 0.0


def test_the_benchmark_table_averages_clips_before_data_sets() -> None:
    import pandas as pd

    rows = [
        ("c", dataset, f"codec_superb_{name}", value)
        for dataset, values in {"one": (0.5, 1.5), "two": (2.0, 2.0)}.items()
        for value in values
        for name in DOMAINS["audio"]
    ]
    table = benchmark_table(pd.DataFrame(rows, columns=["condition", "dataset", "measure", "score"]), "audio")
    one, two = (1 / (1 + np.exp(-1 / mean)) for mean in (1.0, 2.0))
    assert table["overall"].tolist() == pytest.approx([2 / (1 / one + 1 / two)])
    assert benchmark_table(pd.DataFrame(rows, columns=["condition", "dataset", "measure", "score"]))["overall"].isna().all()


def test_dnsmos_is_that_of_its_package(sample: Samples) -> None:
    if get_measure("dnsmos_ovrl").missing:
        absent(get_measure("dnsmos_ovrl").missing)
    from speechmos import dnsmos

    sample = sample[:37_000]
    theirs = dnsmos.run(sample, sr=16_000)
    found = score(
        ["dnsmos_sig", "dnsmos_bak", "dnsmos_ovrl", "dnsmos_p808"], reference=sample, degraded=sample, sample_rate=16_000
    )
    keys = ("sig_mos", "bak_mos", "ovrl_mos", "p808_mos")
    assert [value.value for value in found.values()] == pytest.approx([theirs[key] for key in keys], abs=1e-4)
