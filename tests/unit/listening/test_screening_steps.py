"""Every screening step keeps the same promises, and scores what it says when somebody guesses."""

import itertools
import json
import re

import numpy as np
import pytest
from django.utils.functional import Promise

from codecs_runner.screening_sounds.pieces import flac_bytes
from codecs_runner.screening_sounds.speech import Speaker
from listening.models import Session
from listening.screening.base import END, MARK, Material, Question, chance_in
from listening.screening.registry import SCREENING_STEPS, chosen_steps, get_step

QUESTIONS = (
    Question("Which language did you speak as a child?", ("English",), ("English", "German", "Chinese", "Another")),
    Question("Do you hear normally?", ("Yes", "I think so"), ("Yes", "No", "I think so")),
)


def _speech(rng: np.random.Generator) -> np.ndarray:
    return 0.05 * rng.standard_normal(48_000)


MATERIAL = Material(Speaker(), _speech, QUESTIONS, QUESTIONS)


@pytest.fixture(params=SCREENING_STEPS)
def step(request):
    return get_step(request.param)


def items_of(step, seed: int = 1):
    return step.draw(np.random.default_rng([seed, 0]), step.chosen({}).settings, MATERIAL)


def grade(step, items, given) -> bool:
    return step.passes([item.is_right(g) for item, g in zip(items, given, strict=True)], items, step.chosen({}).settings)


def test_a_step_says_who_it_is_and_what_failing_means(step) -> None:
    assert step.key in SCREENING_STEPS
    assert step.title and step.__doc__
    for text in (step.heading, step.lead, step.again, step.failure):
        assert isinstance(text, Promise) and str(text)
    assert str(step.failure).endswith((".", "time."))
    assert step.on_failure in (END, MARK)
    assert step.ends_as in (Session.State.FAILED_CHECK, Session.State.INCOMPATIBLE)
    chosen = step.chosen({})
    assert chosen_steps([chosen.as_json()]) == [chosen]
    assert json.loads(json.dumps(chosen.as_json())) == chosen.as_json()


def test_the_right_answers_pass_and_wrong_ones_do_not(step) -> None:
    items = items_of(step)
    right = [step.right_answer(item) for item in items]
    assert grade(step, items, right)
    assert not grade(step, items, ["nothing of the kind"] * len(items))
    assert not grade(step, items, [""] * len(items))


def test_the_same_seed_asks_and_plays_the_same_and_another_one_something_else(step) -> None:
    def asked(seed: int) -> list[tuple]:
        return [(str(item.prompt), item.answers, item.kind) for item in items_of(step, seed)]

    def played(seed: int) -> list[bytes]:
        first = items_of(step, seed)[0]
        return [flac_bytes(first.sound(np.random.default_rng([seed, 1])))] if first.sound else []

    assert asked(1) == asked(1) and played(1) == played(1)
    if step.listens and step.key != "volume":
        assert any(asked(seed) != asked(1) for seed in range(2, 12))


def test_what_reaches_the_page_does_not_tell_the_answer(step, rf) -> None:
    """The template gets items; what it prints must be the same whatever the right answers are."""
    from django.template.loader import render_to_string

    def page(seed: int) -> str:
        entries = [
            {"number": n, "item": item, "given": "", "missing": False, "audio_url": item.sound and f"sound/{n}"}
            for n, item in enumerate(items_of(step, seed), start=1)
        ]
        return render_to_string(step.template, {"items": entries, "study": None, "attempt": None})

    pages = {re.sub(r"\s+", " ", page(seed)) for seed in range(1, 8)}
    assert len(pages) == 1


#: What a clever guesser answers without listening.
STRATEGY = {
    "tones": ["4"],
    "huggins": ["1"] * 6,
    "antiphase": ["2"] * 6,
    "arithmetic": ["15"] * 2,
    "hearing": ["123"] * 5,
    "bandwidth": ["different", "different", "different", "same", "same"],
    "environment": ["a"] * 4,
}
N = 4000


@pytest.mark.parametrize("key", STRATEGY)
def test_a_guess_scores_what_the_step_declares(key: str) -> None:
    step = get_step(key)
    passed = sum(grade(step, items_of(step, seed), STRATEGY[key]) for seed in range(N)) / N
    declared = step.chance(step.chosen({}).settings, MATERIAL)
    assert declared is not None
    assert abs(passed - declared) < 4 * np.sqrt(max(declared, 1e-3) * (1 - declared) / N)


@pytest.mark.parametrize(("key", "p"), [("huggins", 1 / 3), ("antiphase", 1 / 3), ("environment", 1 / 2), ("hearing", 1 / 720)])
def test_the_pass_rule_lets_through_the_declared_share_of_independent_guesses(key: str, p: float) -> None:
    step = get_step(key)
    items, settings = items_of(step), step.chosen({}).settings
    total = 0.0
    for pattern in itertools.product([True, False], repeat=len(items)):
        if step.passes(pattern, items, settings):
            total += float(np.prod([p if right else 1 - p for right in pattern]))
    assert step.chance(settings, MATERIAL) == pytest.approx(total)


@pytest.mark.parametrize("key", ["huggins", "antiphase", "environment", "tones"])
def test_no_answer_is_likelier_than_another(key: str) -> None:
    step = get_step(key)
    answers = [min(item.answers) for seed in range(1500) for item in items_of(step, seed)]
    values, counts = np.unique(answers, return_counts=True)
    expected = len(answers) / len(values)
    assert np.sum((counts - expected) ** 2 / expected) < 16  # chi-square, at most 3 degrees of freedom: p > 0.001


def test_the_published_figures_hold() -> None:
    def declared(key: str) -> float:
        step = get_step(key)
        return step.chance(step.chosen({}).settings, MATERIAL) or 0.0

    assert declared("huggins") == pytest.approx(0.00137, abs=1e-5)  # Milne et al.: 6 of 6
    assert chance_in(2, declared("huggins")) == pytest.approx(0.0027, abs=1e-4)
    assert declared("antiphase") == pytest.approx(13 / 729)  # Woods et al.: 5 of 6
    environment = get_step("environment")
    lenient = environment.chosen({"settings": {"needed": 2}}).settings
    assert environment.chance(lenient, MATERIAL) == pytest.approx(0.6875)  # two of four, as the toolkit has it
    assert declared("questions") == pytest.approx(1 / 4 * 2 / 3)


def test_who_hears_one_ear_only_fails_arithmetic() -> None:
    step = get_step("arithmetic")
    passed = 0
    for seed in range(2000):
        given = []
        for item in items_of(step, seed):
            _, numbers, ears = item.sound.args
            heard = [n for n, ear in zip(numbers, ears, strict=True) if ear == "left"]
            given.append(str(sum(heard) + 5 * (3 - len(heard))))
        passed += grade(step, items_of(step, seed), given)
    assert passed / 2000 < 0.02


def test_a_typed_answer_is_compared_without_case_and_spaces() -> None:
    from listening.screening.questions import Questions

    asked = Material(Speaker(), _speech, (Question("Type the word “Codec”.", ("Codec",)),))
    (item,) = Questions().draw(np.random.default_rng(0), {}, asked)
    assert item.is_right("  codec ") and not item.is_right("coded")
    (hearing, *_) = items_of(get_step("hearing"))
    digits = min(hearing.answers)
    assert hearing.is_right(" ".join(digits)) and not hearing.is_right(digits[::-1])


@pytest.mark.parametrize(
    "report",
    [
        "",
        "[]",
        "null",
        "{}",
        '{"decoded_s": "x"}',
        '{"decoded_s": 9, "decoded_channels": 2, "output_channels": 2, "output_rate": 48000}',
    ],
)
def test_a_capability_report_that_is_not_true_is_refused(report: str) -> None:
    (item,) = items_of(get_step("capability"))
    assert not item.is_right(report)


def test_a_telephone_headset_or_one_channel_is_not_enough() -> None:
    step = get_step("capability")
    (item,) = items_of(step)
    report = json.loads(step.right_answer(item))
    assert item.is_right(json.dumps(report))
    assert not item.is_right(json.dumps({**report, "output_rate": 16_000}))
    assert not item.is_right(json.dumps({**report, "output_channels": 1}))


def test_a_step_that_needs_a_voice_says_so_where_there_is_none(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    for key in ("hearing", "arithmetic"):
        assert "espeak-ng" in get_step(key).problem(MATERIAL)
    assert get_step("huggins").problem(MATERIAL) == ""
