"""Every rating task keeps the same promises, and each the ones of its own standard."""

import pytest

from analysis.scales import SCALES
from listening.rating_tasks.base import AnswerError, RatingTask, Screen
from listening.rating_tasks.registry import RATING_TASKS, get_rating_task
from listening.services.asking import reference_comes_first
from listening.services.errors import ServiceError
from listening.services.studies import check_names

EMOTIONS = ("anger", "fear", "neutral", "sadness")
SCREEN = Screen(EMOTIONS, "session")


def some_answers(task: RatingTask, which: int = 0) -> dict:
    """An answer to every scale as the page sends it: the option at ``which``."""
    offered = {scale.key: task.options(scale, SCREEN)[which]["value"] for scale in task.scales}
    return {key: [value] if SCALES[key].kind == "labels" else value for key, value in offered.items()}


@pytest.fixture(params=RATING_TASKS)
def task(request) -> RatingTask:
    return get_rating_task(request.param)


def test_a_task_is_known_by_its_key_and_asks_scales_that_analysis_knows(task):
    assert get_rating_task(task.key) == task or get_rating_task(task.key).__class__ is task.__class__
    assert sorted(scale.key for scale in task.asked(SCREEN)) == sorted(task.scale_keys)
    assert all(scale.source and scale.prompt for scale in task.scales)


@pytest.mark.parametrize("which", [0, -2])
def test_every_option_that_is_offered_is_accepted_and_stored_within_the_scale(task, which):
    stored = task.clean_all(some_answers(task, which), SCREEN)
    assert {answer.scale for answer in stored} == set(task.scale_keys)
    for answer in stored:
        assert answer.labels or answer.value in SCALES[answer.scale].labels


@pytest.mark.parametrize("wrong", [None, "", [], True, "5", 2.5, 99, -99, ["nothing"], [[1]], {"a": 1}], ids=repr)
def test_what_is_no_answer_is_refused_in_a_sentence_that_names_the_question(task, wrong):
    for scale in task.scale_keys:
        with pytest.raises(AnswerError) as refusal:
            task.clean_all({**some_answers(task), scale: wrong}, SCREEN)
        assert refusal.value.scale == scale
        assert len(str(refusal.value)) > 20


def test_shortcut_keys_are_digits_that_differ_within_a_question(task):
    for scale in task.context(SCREEN)["scales"]:
        keys = [str(option["key"]) for option in scale["options"] if option["key"] != ""]
        assert len(set(keys)) == len(keys)
        assert scale["kind"] != "category" or sorted(keys) == [str(n) for n in range(1, len(keys) + 1)]


def test_ccr_is_stored_as_the_clip_against_its_original_whichever_came_first():
    ccr = get_rating_task("ccr")
    better = {"ccr": 2}
    assert ccr.clean_all(better, Screen(reference_first=True))[0].value == 2
    assert ccr.clean_all(better, Screen(reference_first=False))[0].value == -2
    assert str(ccr.clean_all({"ccr": 0}, Screen(reference_first=False))[0].value) == "0.0"


def test_p835_asks_the_whole_last_and_draws_which_part_comes_first_for_each_session():
    p835 = get_rating_task("p835")
    orders = [tuple(scale.key for scale in p835.asked(Screen(seed=f"session {n}"))) for n in range(200)]
    assert {order[2] for order in orders} == {"p835_ovrl"}
    first = sum(order[0] == "p835_sig" for order in orders)
    assert 70 < first < 130
    assert len({tuple(scale.key for scale in p835.asked(Screen(seed="one"))) for _ in range(5)}) == 1


def test_the_order_of_emotions_is_the_sessions_own_and_is_stored_in_the_studys():
    emotion = get_rating_task("emotion")
    scale = SCALES["emotion"]
    orders = {tuple(o["value"] for o in emotion.options(scale, Screen(EMOTIONS, f"session {n}"))) for n in range(60)}
    assert len(orders) > 10 and all(sorted(order) == sorted(EMOTIONS) for order in orders)
    assert emotion.clean_all({"emotion": ["sadness", "anger", "anger"]}, SCREEN)[0].labels == ("anger", "sadness")


def test_another_emotion_is_kept_as_a_label_and_its_word_beside_it():
    task = get_rating_task("emotion-or-other")
    offered = [option["value"] for option in task.options(SCALES["emotion"], Screen((*EMOTIONS, "other"), "session"))]
    assert offered[-1] == "other" and offered.count("other") == 1
    label, word = task.clean_all({"emotion": ["anger", "other: nostal|gia  sweet "]}, SCREEN)
    assert label.labels == ("anger", "other")
    assert (word.scale, word.labels) == ("emotion_other", ("nostal/gia sweet",))
    for wrong in (["other"], ["other: "], ["other:a", "other:b"], ["other:" + "x" * 61]):
        with pytest.raises(AnswerError, match="own words"):
            task.clean_all({"emotion": wrong}, SCREEN)


def test_reference_and_clip_come_first_equally_often_and_dcr_always_plays_the_reference_first(study):
    from listening.models import Session

    study.rating_tasks = ["ccr"]
    session = Session(study=study, public_id="abc")
    first = [reference_comes_first(session, n) for n in range(1, 41)]
    assert sum(first) == 20
    assert first != [reference_comes_first(Session(study=study, public_id="def"), n) for n in range(1, 41)]
    study.rating_tasks = ["dcr"]
    assert all(reference_comes_first(session, n) for n in range(1, 41))


@pytest.mark.parametrize("tasks", [["dcr", "acr"], ["dcr", "ccr"], ["emotion", "emotion-or-other"], ["p835", "p835-each"]])
def test_tasks_that_do_not_go_together_are_refused(study, tasks):
    study.rating_tasks = tasks
    with pytest.raises(ServiceError):
        check_names(study)


def test_tasks_about_one_clip_combine(study):
    study.rating_tasks = ["emotion", "intensity", "dimensions", "p835", "acr", "emo-codec-quality"]
    check_names(study)
