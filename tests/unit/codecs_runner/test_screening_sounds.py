"""The sounds of the screening, measured: phase between the ears, SNR, level, spectrum, and that a seed gives the same bytes."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from scipy.signal import welch

from codecs_runner.screening_sounds import arithmetic, pairs, tones, traps, triplets, two_ears
from codecs_runner.screening_sounds.pieces import at_speech_level, flac_bytes, rms_dbov
from codecs_runner.screening_sounds.speech import Speaker, SpeechError
from tests.conftest import absent

RATE = 48_000
SPEECH = Path(__file__).parents[3] / "analysis/corpora/synthetic/audio/f1_neutral_a.flac"


@pytest.fixture
def speaker() -> Speaker:
    if shutil.which("espeak-ng") is None:
        absent("no espeak-ng: apt-get install espeak-ng")
    return Speaker()


@pytest.fixture
def recording() -> np.ndarray:
    samples, rate = sf.read(SPEECH)
    assert rate == 16_000
    return at_speech_level(np.interp(np.arange(len(samples) * 3) / 3, np.arange(len(samples)), samples))


def intervals(sound: np.ndarray) -> list[np.ndarray]:
    """The three intervals of a dichotic sound, without their ramps."""
    step = RATE + RATE // 2
    return [sound[start + 4_800 : start + RATE - 4_800] for start in (0, step, 2 * step)]


def coherence(interval: np.ndarray, low: float, high: float) -> float:
    """Mean of the normalised cross-spectrum's real part between the ears: 1 is in phase, −1 is turned over."""
    left, right = np.fft.rfft(interval * np.hanning(len(interval))[:, None], axis=0).T
    hz = np.fft.rfftfreq(len(interval), 1 / RATE)
    band = (hz >= low) & (hz <= high)
    return float(
        np.sum((left * right.conj()).real[band]) / np.sqrt(np.sum(abs(left[band]) ** 2) * np.sum(abs(right[band]) ** 2))
    )


@pytest.mark.parametrize("target", [0, 1, 2])
def test_huggins_turns_the_band_around_600_hz_over_in_one_interval_and_nothing_else(target: int) -> None:
    sound = two_ears.huggins(target, np.random.default_rng(7))
    for number, interval in enumerate(intervals(sound)):
        inside, below, above = coherence(interval, 575, 625), coherence(interval, 100, 550), coherence(interval, 650, 20_000)
        assert below > 0.999 and above > 0.999
        assert (inside < -0.98) if number == target else (inside > 0.999)


def test_no_single_channel_of_huggins_tells_the_interval() -> None:
    for channel in (0, 1):
        powers = []
        for seed in range(8):
            pieces = intervals(two_ears.huggins(seed % 3, np.random.default_rng(seed)))
            spectra = [welch(piece[:, channel], RATE, nperseg=8192)[1] for piece in pieces]
            powers.append([10 * np.log10(spectrum[98:107].sum()) for spectrum in spectra])  # 574 to 621 Hz
        tone = np.mean([powers[seed][seed % 3] for seed in range(8)])
        rest = np.mean([np.delete(powers[seed], seed % 3).mean() for seed in range(8)])
        assert abs(tone - rest) < 0.6


def test_huggins_is_at_the_level_of_the_clips_in_both_ears() -> None:
    for interval in intervals(two_ears.huggins(0, np.random.default_rng(1))):
        assert rms_dbov(interval[:, 0]) == pytest.approx(-25.9, abs=0.2)
        assert rms_dbov(interval[:, 1]) == pytest.approx(rms_dbov(interval[:, 0]), abs=0.05)


def test_antiphase_cancels_over_one_loudspeaker_and_only_two_ears_hear_which_tone_is_softest() -> None:
    standard, foil, target = intervals(two_ears.antiphase((0, 1, 2)))
    assert np.corrcoef(foil.T)[0, 1] == pytest.approx(-1)
    assert np.corrcoef(target.T)[0, 1] == pytest.approx(1)
    assert rms_dbov(standard[:, 0]) - rms_dbov(target[:, 0]) == pytest.approx(6.02, abs=0.01)
    assert rms_dbov(foil[:, 1]) == pytest.approx(rms_dbov(standard[:, 1]), abs=0.01)
    assert np.max(np.abs(foil.sum(axis=1))) < 1e-12
    spectrum = np.abs(np.fft.rfft(standard[:, 0]))
    assert np.fft.rfftfreq(len(standard), 1 / RATE)[spectrum.argmax()] == pytest.approx(200, abs=1.5)


@pytest.mark.parametrize("snr_db", [-11.0, -5.0, 3.0])
def test_a_triplet_has_the_snr_that_was_asked_for(speaker: Speaker, snr_db: float) -> None:
    mixed = triplets.triplet("289", snr_db, speaker, np.random.default_rng(3))
    clean = triplets.triplet("289", 200.0, speaker, np.random.default_rng(3))
    # The noise before the first digit against the digits, each scaled as in the mixture.
    lead = slice(4_800, 22_000)
    scale = np.dot(mixed[30_000:-30_000], clean[30_000:-30_000]) / np.dot(clean[30_000:-30_000], clean[30_000:-30_000])
    spoken = [speaker.say(d, d) for d in "289"]
    active = sum(map(len, spoken))
    speech_db = 10 * np.log10(np.sum((clean * scale) ** 2) / active)
    assert speech_db - rms_dbov(mixed[lead]) == pytest.approx(snr_db, abs=1.0)
    assert rms_dbov(mixed) == pytest.approx(-26, abs=0.01)


def test_the_noise_of_the_triplets_has_the_spectrum_of_the_digits(speaker: Speaker) -> None:
    noise = triplets.shaped_noise(10 * RATE, speaker, np.random.default_rng(0))
    words = np.concatenate([speaker.say(d, d) / np.sqrt(np.mean(speaker.say(d, d) ** 2)) for d in "0123456789"])
    levels = []
    for signal in (noise, words):
        hz, power = welch(signal, RATE, nperseg=2048)
        bands = [power[(hz >= f / 1.26) & (hz < f * 1.26)].sum() for f in (250, 400, 630, 1000, 1600, 2500, 4000)]
        levels.append(10 * np.log10(np.array(bands) / sum(bands)))
    assert np.max(np.abs(levels[0] - levels[1])) < 2.0


def test_a_number_to_be_added_reaches_one_ear_alone(speaker: Speaker) -> None:
    sound = arithmetic.addition("Add", [3, 8], ["left", "right"], speaker)
    eight = len(speaker.say("8", "8"))
    three = slice(len(sound) - eight - RATE // 2 - len(speaker.say("3", "3")), len(sound) - eight - RATE // 2)
    assert np.abs(sound[three, 0]).max() > 0.05 and not sound[three, 1].any()
    assert not sound[-eight:, 0].any() and np.abs(sound[-eight:, 1]).max() > 0.05


@pytest.mark.parametrize("band", [pairs.OBVIOUS, pairs.SUPER_WIDE, pairs.FULL])
def test_a_bandwidth_pair_differs_above_its_edge_alone(recording: np.ndarray, band: pairs.Band) -> None:
    sound = pairs.bandwidth_pair(recording, band, np.random.default_rng(2))
    first, second = sound[: len(recording)], sound[-len(recording) :]
    hz, before = welch(first, RATE, nperseg=4096)
    _, after = welch(second, RATE, nperseg=4096)
    inside = (hz > band.low_hz * 1.1) & (hz < 21_000)
    below = (hz > 100) & (hz < band.low_hz * 0.6)
    assert 10 * np.log10(after[inside].sum() / before[inside].sum()) > 10
    assert abs(10 * np.log10(after[below].sum() / before[below].sum())) < 0.2


def test_equal_bandwidth_pairs_sound_alike_and_are_not_equal_in_bytes(recording: np.ndarray) -> None:
    sound = pairs.bandwidth_pair(recording, None, np.random.default_rng(2))
    difference = (sound[: len(recording)] - sound[-len(recording) :])[2_000:-2_000]
    assert rms_dbov(difference) == pytest.approx(-72, abs=0.3)  # two noises at −75 dBov


def test_an_environment_pair_has_40_and_50_db_snr_of_independent_noise(recording: np.ndarray) -> None:
    n = len(recording)
    sound = pairs.noise_pair(recording, (40.0, 50.0), np.random.default_rng(5))
    first, second = sound[9_600 : 9_600 + n], sound[-9_600 - n : -9_600]
    inner = slice(2_000, -2_000)
    for version, snr_db in ((first, 40), (second, 50)):
        assert rms_dbov(recording) - rms_dbov((version - recording)[inner]) == pytest.approx(snr_db, abs=0.1)
    # As measured on the P.808 toolkit's clips: 10·lg(10^-4 + 10^-5) = −39.59 dB.
    assert rms_dbov((first - second)[inner]) - rms_dbov(recording) == pytest.approx(-39.59, abs=0.1)


def test_our_environment_pair_differs_as_much_as_the_clips_of_the_p808_toolkit(shared: Path) -> None:
    folder = shared / "data/p808_screening_clips/environment_test"
    noisy, quiet = (sf.read(folder / f"{snr}S_male1.flac")[0] for snr in (40, 50))
    n = min(len(noisy), len(quiet))
    theirs = rms_dbov(noisy[:n] - quiet[:n]) - rms_dbov(quiet[:n])
    assert theirs == pytest.approx(-39.6, abs=0.3)


@pytest.mark.parametrize("count", [3, 6])
def test_tones_can_be_counted_in_the_envelope_and_lie_at_the_level_of_the_clips(count: int) -> None:
    sound = tones.counted_tones(count)
    loud = np.convolve(np.abs(sound), np.ones(480) / 480, "same") > 0.01
    assert np.sum(np.diff(loud.astype(int)) == 1) == count
    assert rms_dbov(sound[17_800:32_600]) == pytest.approx(-26, abs=0.3)


def test_a_trap_starts_as_its_clip_and_ends_with_the_whole_instruction(recording: np.ndarray, speaker: Speaker) -> None:
    words = speaker.say("Please select the answer two.")
    sound = traps.interrupted(recording, words)
    np.testing.assert_array_equal(sound[4_000:20_000], recording[4_000:20_000])
    np.testing.assert_array_equal(sound[-9_600 - len(words) : -9_600], words)


def test_the_same_seed_gives_the_same_bytes_and_another_one_others(recording: np.ndarray, speaker: Speaker) -> None:
    def sounds(seed: int) -> list[bytes]:
        rng = np.random.default_rng(seed)
        made = [
            two_ears.huggins(0, rng),
            triplets.triplet("123", -8, speaker, rng),
            pairs.bandwidth_pair(recording, pairs.FULL, rng),
            pairs.noise_pair(recording, (50, 40), rng),
        ]
        return [flac_bytes(sound) for sound in made]

    assert sounds(1) == sounds(1)
    assert not set(sounds(1)) & set(sounds(2))


def test_a_researchers_recording_is_taken_before_espeak(tmp_path: Path) -> None:
    (tmp_path / "en").mkdir()
    tone = 0.1 * np.sin(2 * np.pi * 300 * np.arange(RATE) / RATE)
    sf.write(tmp_path / "en" / "7.flac", tone, RATE)
    spoken = Speaker(folder=tmp_path).say("7", "7")
    assert len(spoken) == pytest.approx(RATE, abs=200)
    assert Speaker(folder=tmp_path).problem("7") == ""


def test_without_espeak_and_recordings_the_sentence_says_what_is_missing(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "espeak-ng" in Speaker(folder=tmp_path).problem("7")
    with pytest.raises(SpeechError, match="not installed"):
        Speaker().say("a word nobody said before")
