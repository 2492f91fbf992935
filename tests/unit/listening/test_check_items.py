"""Gold clips, traps and practice: placed by the design, graded on every scale on the server, told to researchers, never counted."""

from collections import Counter

import numpy as np
import pandas as pd
import pytest
import soundfile as sf

from analysis.schema import select_usable, validate_ratings
from listening.frames import ratings_frame
from listening.models import Event, Exclusion, PlanTrial, Rating, ScreeningResult, Session, Stimulus
from listening.services.balance import free_plans, is_full, missing_votes, usable_votes
from listening.services.check_items import HEAVY_NOISE, ORIGINAL, trap_instruction
from listening.services.errors import ServiceError
from listening.services.ratings import skip_trial
from listening.services.stimuli import store, work
from listening.services.studies import check_study, freeze_study, open_study, queue_stimuli
from tests.unit.listening.raters import ANSWERS, Rater


@pytest.fixture
def checked(draft):
    """The small draft with one gold clip, one trap and two practice clips in each session, open."""
    draft.gold_trials = draft.trap_trials = 1
    draft.training_trials = 2
    draft.save()
    queue_stimuli(draft)
    work()
    open_study(draft)
    return draft


def right(trial) -> dict:
    """Answers to a check item as it wants them; other scales get the usual ones."""
    wanted = {scale: answer.get("labels") or answer["value"] for scale, answer in trial.expected.items()}
    return {**ANSWERS, **wanted}


def position_of(rater: Rater, role: str) -> int:
    return rater.session.trials.get(role=role).position


def test_every_plan_has_practice_first_and_its_checks_at_other_places_than_the_first(checked):
    places = []
    for plan in checked.plans.all():
        roles = list(plan.trials.order_by("position").values_list("role", flat=True))
        assert roles[:2] == ["training", "training"]
        assert Counter(roles) == {"training": 2, "gold": 1, "trap": 1, "": len(roles) - 4}
        assert roles[2] == ""
        clips = list(plan.trials.values_list("stimulus__source_clip", flat=True))
        assert len(set(clips)) == len(clips)
        places += [i for i, role in enumerate(roles) if role in ("gold", "trap")]
    assert len(set(places)) > 2


def test_check_items_leave_the_balance_of_the_test_as_it_is(checked, corpus):
    votes = Counter(
        PlanTrial.objects.filter(plan__study=checked, role="").values_list("plan__stratum", "stimulus").order_by("stimulus")
    )
    assert set(votes.values()) == {checked.votes_per_stratum}
    assert len(votes) == len(checked.strata) * checked.n_clips * len(checked.conditions)


def test_test_trials_are_the_same_with_and_without_check_items(draft):
    def test_trials() -> list:
        rows = PlanTrial.objects.filter(plan__study=draft, role="").order_by("plan__number", "position")
        return list(rows.values_list("plan__number", "stimulus"))

    queue_stimuli(draft)
    work()
    freeze_study(draft)
    plain = test_trials()
    draft.plans.all().delete()
    draft.study_stimuli.all().delete()
    draft.status, draft.gold_trials, draft.trap_trials = "draft", 1, 1
    draft.save()
    queue_stimuli(draft)
    work()
    freeze_study(draft)
    assert test_trials() == plain


def test_gold_is_an_original_or_heavy_noise_of_a_clip_that_the_test_does_not_use(checked):
    gold = checked.study_stimuli.filter(role="gold").select_related("stimulus")
    assert {each.stimulus.condition for each in gold} == {ORIGINAL, HEAVY_NOISE}
    assert not checked.clips.filter(pk__in=[each.stimulus.source_clip_id for each in gold]).exists()
    for trial in PlanTrial.objects.filter(plan__study=checked, role="gold"):
        value = 5 if trial.stimulus.condition == ORIGINAL else 1
        assert trial.expected == {scale: {"value": value, "tolerance": 1} for scale in ("ovrl", "sig")}


def test_a_trap_starts_as_a_clip_says_what_to_choose_on_every_scale_and_is_asked_for_exactly(checked):
    trap = PlanTrial.objects.filter(plan__study=checked, role="trap").first()
    assert set(trap.expected) == {"emotion", "ovrl", "sig"}
    number = trap.expected["ovrl"]["value"]
    instruction = trap_instruction(checked, trap.expected)
    assert f"number {number}" in instruction and trap.expected["emotion"]["labels"][0] in instruction
    assert trap.stimulus.sidecar["instruction"] == instruction
    heard, rate = sf.read(store().flac_path(trap.stimulus.key))
    base, _ = sf.read(store().flac_path(trap.stimulus.sidecar["made_from"]))
    start = slice(4_800, min(2 * rate, len(base) // 2) - 4_800)
    np.testing.assert_allclose(heard[start], base[start], atol=2**-15)
    assert len(heard) / rate == pytest.approx(trap.stimulus.duration_s)


def test_the_page_does_not_tell_a_check_item_from_any_other_trial(checked):
    trials = Rater(checked).arrive().state()["trials"]
    assert {tuple(sorted(trial)) for trial in trials if not trial["practice"]} == {tuple(sorted(trials[-1]))}
    assert "gold" not in str(trials) and "trap" not in str(trials) and "expected" not in str(trials)


def test_right_answers_pass_on_the_server_and_are_stored(checked):
    rater = Rater(checked).arrive()
    for trial in rater.session.trials.order_by("position"):
        rater.hear(trial.position)
        assert rater.rate(trial.position, right(trial)).status_code == 201
    results = rater.session.screening_results.filter(step__in=("gold", "trap"))
    assert {(r.step, r.passed) for r in results} == {("gold", True), ("trap", True)}
    assert all(scale["right"] for r in results for scale in r.detail["scales"].values())
    assert rater.session.state == Session.State.COMPLETED
    assert not Exclusion.objects.exists()


@pytest.mark.parametrize("scale", ["emotion", "ovrl", "sig"])
def test_a_trap_is_graded_on_every_scale_and_failing_it_leaves_the_session_out(checked, scale):
    rater = Rater(checked).arrive()
    trap = rater.session.trials.get(role="trap")
    answers = right(trap)
    wrong = {"emotion": [*answers["emotion"], "neutral" if "neutral" not in answers["emotion"] else "anger"]}
    wrong |= {key: answers[key] % 5 + 1 for key in ("ovrl", "sig")}
    rater.hear(trap.position)
    rater.rate(trap.position, {**answers, scale: wrong[scale]})
    result = ScreeningResult.objects.get(step="trap")
    assert result.passed is False
    assert [key for key, graded in result.detail["scales"].items() if not graded["right"]] == [scale]
    assert Event.objects.get(kind="failed_attention_check").data == {"position": trap.position, "scales": [scale]}
    assert Exclusion.objects.get(session=rater.session).rule == "trap"
    assert rater.session.plan is None


def test_gold_is_taken_with_a_tolerance_and_failing_it_is_no_attention_check(checked):
    rater = Rater(checked).arrive()
    gold = rater.session.trials.get(role="gold")
    near = 4 if gold.expected["ovrl"]["value"] == 5 else 2
    rater.hear(gold.position)
    rater.rate(gold.position, {**ANSWERS, "ovrl": near, "sig": near})
    assert ScreeningResult.objects.get(step="gold").passed
    other = Rater(checked).arrive()
    gold = other.session.trials.get(role="gold")
    other.hear(gold.position)
    other.rate(gold.position, {**ANSWERS, "ovrl": 3, "sig": gold.expected["sig"]["value"]})
    assert Event.objects.filter(kind="failed_gold").count() == 1
    assert not Event.objects.filter(kind="failed_attention_check").exists()
    assert Exclusion.objects.get(session=other.session).rule == "gold"


def test_frames_carry_role_and_right_answer_and_analysis_counts_the_test_alone(checked):
    rater = Rater(checked).arrive()
    for trial in rater.session.trials.order_by("position"):
        rater.hear(trial.position)
        rater.rate(trial.position, right(trial))
    frame = validate_ratings(ratings_frame(checked))
    roles = Counter(frame.drop_duplicates("stimulus_id")["role"])
    assert roles["gold"] == roles["trap"] == 1 and roles["training"] == 2
    trap = frame[(frame["role"] == "trap") & (frame["scale"] == "ovrl")].iloc[0]
    assert float(trap["expected"]) == trap["value"]
    emotion = frame[(frame["role"] == "trap") & (frame["scale"] == "emotion")].iloc[0]
    assert emotion["expected"] == emotion["labels"]
    assert not set(frame[~frame["role"].isin(("gold", "trap"))]["expected"]) - {""}
    used = select_usable(frame).used
    assert not set(used["role"]) & {"gold", "trap", "training"}


def test_analysis_screens_by_the_same_items(checked):
    from analysis.ratings.screening_rules import gold, trap

    raters = [Rater(checked).arrive("female"), Rater(checked).arrive("male")]
    for careless, rater in enumerate(raters):
        for trial in rater.session.trials.order_by("position"):
            rater.hear(trial.position)
            rater.rate(trial.position, {**ANSWERS, "ovrl": 3, "sig": 3} if careless else right(trial))
    frame = validate_ratings(ratings_frame(checked))
    name = raters[1].session.participant.rater_id
    assert set(trap(frame, {"minimum_share": 1.0}, "original").failed["rater_id"]) <= {name}
    assert set(gold(frame, {"minimum": 1, "tolerance": 1}, "original").failed["rater_id"]) == {name}


def test_the_same_seed_places_the_same_checks(checked):
    rows = checked.plans.values_list("number", "trials__position", "trials__role", "trials__stimulus")
    before = sorted(rows)
    checked.plans.all().delete()
    checked.study_stimuli.all().delete()
    checked.status = "draft"
    checked.save()
    freeze_study(checked)
    assert sorted(rows.all()) == before


def test_practice_comes_again_after_its_time_and_its_first_answers_do_not_count_twice(checked):
    from datetime import timedelta

    from django.utils import timezone

    rater = Rater(checked).arrive()
    for position in (1, 2, 3):
        rater.hear(position)
        rater.rate(position)
    rater.client.get(f"{rater.base}trial/")
    assert rater.session.trials.filter(role="training").count() == 2
    rater.session.trials.exclude(answered_at=None).update(answered_at=timezone.now() - timedelta(minutes=61))
    rater.client.get(f"{rater.base}trial/")
    trials = rater.state()["trials"]
    assert [trial["practice"] for trial in trials[:4]] == [True] * 4
    assert [trial["answered"] for trial in trials[:4]] == [True, True, False, False]
    assert {trial["of"] for trial in trials if not trial["practice"]} == {5}
    for trial in trials:
        if not trial["answered"]:
            rater.client.get(trial["audio_url"]).getvalue()
            rater.rate(trial["position"], right(rater.session.trials.get(position=trial["position"])))
    assert rater.session.state == Session.State.COMPLETED
    frame = validate_ratings(ratings_frame(checked))
    assert Counter(frame[frame["role"] == "training"]["excluded"]) == {"": 6, "practice was repeated": 6}


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"gold_trials": 4}, "more gold clips and traps than clips"),
        ({"training_trials": 5}, "clips that the test does not use"),
        ({"gold_trials": 1, "rating_tasks": ["emotion"]}, "no plain right answer|plain right answer"),
    ],
)
def test_check_items_that_cannot_be_had_are_refused_in_a_sentence(draft, changes, sentence):
    for name, value in changes.items():
        setattr(draft, name, value)
    with pytest.raises(ServiceError, match=sentence):
        check_study(draft)


def test_traps_need_a_voice(draft, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    draft.trap_trials = 1
    with pytest.raises(ServiceError, match="espeak-ng"):
        check_study(draft)


def test_a_study_is_not_frozen_before_its_check_items_are_made(draft):
    queue_stimuli(draft)
    work()
    draft.gold_trials = 1
    draft.save()
    with pytest.raises(ServiceError, match="practice, gold clips and traps are not made yet"):
        freeze_study(draft)


def test_a_preview_shows_practice_gold_and_trap_and_grades_nothing(checked, admin_client):
    admin_client.get(f"/preview/{checked.slug}/", follow=True)
    session = Session.objects.get(preview=True)
    roles = Counter(session.trials.values_list("role", flat=True))
    assert roles["training"] == 2 and roles["gold"] == roles["trap"] == 1
    assert Rating.objects.count() == 0 and Stimulus.objects.filter(condition__startswith="trap-").exists()
    assert pd.notna(roles[""])


def test_a_make_up_plan_carries_practice_gold_and_trap_like_any_other(checked):
    """One clip is left out; the session that asks for it again is shorter than its checks, and has them all the same."""
    raters = []
    for stratum in checked.strata:
        while free_plans(checked).filter(stratum=stratum).exists():
            rater = Rater(checked).arrive(stratum)
            raters.append(rater)
            for trial in rater.session.trials.order_by("position"):
                if len(raters) == 1 and trial.role == "" and not rater.session.trials.exclude(skipped="").exists():
                    skip_trial(rater.session, trial.position, "damaged", listening={"plays": 0, "heard_share": 0})
                    continue
                rater.hear(trial.position)
                assert rater.rate(trial.position, right(trial)).status_code == 201
    make_up = checked.plans.get(make_up=True)
    roles = list(make_up.trials.order_by("position").values_list("role", flat=True))
    assert roles[:3] == ["training", "training", ""] and sorted(roles[3:]) == ["gold", "trap"]
    any_plan = checked.plans.filter(make_up=False).first().trials
    practice = ["stimulus", "position"]
    assert list(make_up.trials.filter(role="training").values_list(*practice)) == list(
        any_plan.filter(role="training").values_list(*practice)
    )
    assert all(trial.expected for trial in make_up.trials.filter(role__in=("gold", "trap")))
    # The session's own checks are graded, and its vote is the one that was missing.
    assert missing_votes(checked).total() == 0
    held = make_up.sessions.get()
    assert held.state == Session.State.COMPLETED and set(held.screening_results.values_list("step", "passed")) >= {
        ("gold", True),
        ("trap", True),
    }
    assert is_full(checked) and set(usable_votes(checked).values()) == {checked.votes_per_stratum}
