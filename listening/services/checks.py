"""Lead a rater through the study's screening: draw each try, grade it here, and decide what a failure means."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from codecs_runner.audio import STIMULUS_RATE, load_audio, resample
from codecs_runner.places import open_place
from codecs_runner.screening_sounds.pieces import Samples, at_speech_level, flac_bytes
from codecs_runner.screening_sounds.speech import Speaker
from listening.models import Event, ScreeningResult, Session, Study
from listening.screening.base import END, Chosen, Item, Material, Step, Text, clean
from listening.screening.questions import read_questions
from listening.screening.registry import chosen_steps, get_step
from listening.services.screening import exclude_session

EXCERPT_S = 3.0


@dataclass(frozen=True)
class Try:
    """An open try of the step that a session has come to."""

    result: ScreeningResult
    chosen: Chosen
    step: Step
    items: list[Item]
    number: int
    of: int
    #: What went wrong with the try before, if there was one.
    sentence: Text = ""


def speaker_of(study: Study) -> Speaker:
    """The voice of the study's spoken words, in its raters' language."""
    return Speaker(study.language or "en", settings.SCREENING_SPEECH)


def material_of(study: Study) -> Material:
    """What the study's steps are made of."""
    return Material(
        speaker=speaker_of(study),
        recording=partial(_recording, study),
        questions=read_questions(study.screening_questions),
        comprehension=read_questions(study.comprehension_questions),
    )


def _recording(study: Study, rng: np.random.Generator) -> Samples:
    """The first three seconds of a clip of the corpus, one that the test does not use where there is one."""
    clips = study.corpus.clips.filter(duration_s__gte=1).order_by("pk")
    clips = clips.exclude(studies=study) if clips.exclude(studies=study).exists() else clips
    names = list((clips if clips.exists() else study.corpus.clips.order_by("pk")).values_list("file", flat=True))
    return _excerpt(open_place(settings.SOURCE_STORE).local(names[int(rng.integers(len(names)))]))


@lru_cache(maxsize=32)
def _excerpt(path: Path) -> Samples:
    samples, info = load_audio(path)
    excerpt = at_speech_level(resample(samples, info.sample_rate, STIMULUS_RATE)[: round(EXCERPT_S * STIMULUS_RATE)])
    excerpt.flags.writeable = False
    return excerpt


def first_state(study: Study) -> str:
    """Where a session goes after the consent."""
    return Session.State.CHECK if study.screening else Session.State.RATING


def next_try(session: Session) -> Try | None:
    """The open try of the first step that is not done; None when the screening is over."""
    steps = chosen_steps(session.study.screening)
    for number, chosen in enumerate(steps, start=1):
        step = get_step(chosen.step)
        if _is_done(session, chosen, step):
            continue
        result = _open_result(session, chosen)
        items = _draw(result, chosen, step, session.study)
        return Try(result, chosen, step, items, number, len(steps), _complaint(session, chosen, step))
    return None


def is_due(session: Session) -> bool:
    """Whether a step waits to be done, for the first time or again."""
    return any(not _is_done(session, chosen, get_step(chosen.step)) for chosen in chosen_steps(session.study.screening))


def seconds_to_recheck(session: Session) -> float | None:
    """Seconds until the first step has to be done again; None where none will be."""
    ends = []
    for chosen in chosen_steps(session.study.screening):
        passed = _results(session, chosen, get_step(chosen.step)).filter(passed=True).order_by("finished_at").last()
        # Who used up the tries of a repeat is marked, and not asked for ever.
        given_up = _failed_since_pass(session, chosen) >= chosen.tries
        if chosen.expires_minutes and passed and passed.finished_at and not given_up:
            ends.append(passed.finished_at + timedelta(minutes=chosen.expires_minutes))
    return max(0.0, (min(ends) - timezone.now()).total_seconds()) if ends else None


def _is_done(session: Session, chosen: Chosen, step: Step) -> bool:
    passed = _results(session, chosen, step).filter(passed=True)
    if chosen.expires_minutes:
        passed = passed.filter(finished_at__gt=timezone.now() - timedelta(minutes=chosen.expires_minutes))
    # A researcher who looks at the pages may fail as often as they like.
    return passed.exists() or (not session.preview and _failed_since_pass(session, chosen) >= chosen.tries)


def _results(session: Session, chosen: Chosen, step: Step) -> QuerySet[ScreeningResult]:
    """Finished tries that may count: the session's own, and for what is about the person those of the same settings elsewhere."""
    if step.about_the_person and session.participant_id is not None:
        return ScreeningResult.objects.filter(
            session__participant=session.participant_id,
            session__preview=False,
            step=chosen.step,
            detail__settings=dict(chosen.settings),
        )
    return session.screening_results.filter(step=chosen.step)


def _failed_since_pass(session: Session, chosen: Chosen) -> int:
    """Failed tries of the session's current round."""
    results = session.screening_results.filter(step=chosen.step)
    last = results.filter(passed=True).order_by("attempt").values_list("attempt", flat=True).last() or 0
    return results.filter(passed=False, attempt__gt=last).count()


def _open_result(session: Session, chosen: Chosen) -> ScreeningResult:
    finished = session.screening_results.filter(step=chosen.step, passed__isnull=False).count()
    return ScreeningResult.objects.get_or_create(session=session, step=chosen.step, attempt=finished + 1)[0]


def _complaint(session: Session, chosen: Chosen, step: Step) -> Text:
    return step.again if _failed_since_pass(session, chosen) else ""


def _draw(result: ScreeningResult, chosen: Chosen, step: Step, study: Study) -> list[Item]:
    return step.draw(np.random.default_rng([result.seed, 0]), chosen.settings, material_of(study))


def _chosen(session: Session, key: str) -> Chosen:
    return next(chosen for chosen in chosen_steps(session.study.screening) if chosen.step == key)


def try_sound(session: Session, public_id: str, number: int) -> bytes:
    """FLAC of one item (counted from 1) of a session's open try. Raises ScreeningResult.DoesNotExist."""
    result = session.screening_results.get(public_id=public_id, passed=None)
    items = _draw(result, _chosen(session, result.step), get_step(result.step), session.study)
    sound = items[number - 1].sound if 1 <= number <= len(items) else None
    if sound is None:
        raise ScreeningResult.DoesNotExist
    return flac_bytes(sound(np.random.default_rng([result.seed, number])))


def missing_answers(attempt: Try, given: Mapping[int, str]) -> list[int]:
    """Numbers of the items without an answer."""
    return [number for number in range(1, len(attempt.items) + 1) if not clean(given.get(number, ""))]


def answer_try(session: Session, attempt: Try, given: Mapping[int, str]) -> None:
    """Grade a try, once, and move the session on: to the next step, to the test, or out. ``given``: item number to answer."""
    right = [item.is_right(given.get(number, "")) for number, item in enumerate(attempt.items, start=1)]
    passed = attempt.step.passes(right, attempt.items, attempt.chosen.settings)
    detail = {
        "settings": dict(attempt.chosen.settings),
        "right": sum(right),
        "asked": len(right),
        "items": [
            {"given": str(given.get(number, ""))[:500], "right": ok, **({"kind": item.kind} if item.kind else {})}
            for number, (item, ok) in enumerate(zip(attempt.items, right, strict=True), start=1)
        ],
    }
    _finish(session, attempt, passed, detail)


def skip_try(session: Session, attempt: Try) -> None:
    """A researcher who looks at the pages goes past a step. Does nothing outside a preview."""
    if session.preview:
        _finish(session, attempt, True, {"settings": dict(attempt.chosen.settings), "skipped": True})


def _finish(session: Session, attempt: Try, passed: bool, detail: dict[str, Any]) -> None:
    with transaction.atomic():
        # Of two copies of one form only the first is graded.
        open_result = ScreeningResult.objects.filter(pk=attempt.result.pk, passed=None)
        if not open_result.update(passed=passed, detail=detail, finished_at=timezone.now()):
            return
        if not passed and _failed_since_pass(session, attempt.chosen) >= attempt.chosen.tries:
            _fail(session, attempt)
    move_on(session)


def _fail(session: Session, attempt: Try) -> None:
    """The last try is used up: end the session or leave its ratings out, as the study has it. Who has begun to rate is not sent away."""
    if session.preview:
        return
    data = {"step": attempt.chosen.step, "tries": attempt.chosen.tries}
    if attempt.chosen.on_failure == END and session.checked_at is None:
        Session.objects.filter(pk=session.pk, state=Session.State.CHECK).update(state=attempt.step.ends_as)
        session.state = attempt.step.ends_as
        Event.objects.create(study=session.study, session=session, kind="failed_screening", data={**data, "then": "ended"})
        return
    Event.objects.create(study=session.study, session=session, kind="failed_screening", data={**data, "then": "marked"})
    exclude_session(session, f"screening_{attempt.chosen.step}", f"{attempt.step.title}: not passed in {data['tries']} tries")


def move_on(session: Session) -> None:
    """Let a session whose screening is over rate, and bring one that has something to do again back to it."""
    if session.state not in (Session.State.CHECK, Session.State.RATING):
        return
    state = Session.State.CHECK if is_due(session) else Session.State.RATING
    if state == Session.State.RATING and session.checked_at is None:
        session.checked_at = timezone.now()
        Session.objects.filter(pk=session.pk).update(checked_at=session.checked_at)
    if state != session.state:
        Session.objects.filter(pk=session.pk, state=session.state).update(state=state)
        session.state = state


def failed_step(session: Session) -> Step | None:
    """The step whose failure ended a session."""
    last = session.screening_results.filter(passed=False).order_by("finished_at").last()
    return get_step(last.step) if last else None


def failed_steps(study: Study) -> dict[int, tuple[str, ...]]:
    """By session: what was not passed, each step with its failed tries, for people."""
    found: dict[int, dict[str, int]] = {}
    failed = ScreeningResult.objects.filter(session__study=study, session__preview=False, passed=False)
    for session, step in failed.exclude(step__in=(ScreeningResult.GOLD, ScreeningResult.TRAP)).values_list("session", "step"):
        tries = found.setdefault(session, {})
        tries[step] = tries.get(step, 0) + 1
    return {session: tuple(f"{step} {n}×" for step, n in tries.items()) for session, tries in found.items()}


def right_form(session: Session) -> dict[str, str]:
    """The form of a session's open try as somebody who hears everything fills it in: for simulated raters and tests.

    It needs the database, which a visitor does not have; no page and no address leads here. Empty when nothing is open.
    """
    attempt = next_try(session)
    if attempt is None:
        return {}
    answers = {f"item-{n}": attempt.step.right_answer(item) for n, item in enumerate(attempt.items, start=1)}
    return {"try": attempt.result.public_id, **answers}


def guessed_form(session: Session, rng: np.random.Generator) -> dict[str, str]:
    """The same form as somebody fills it in who does not listen; self-reports, which nobody has to guess, are as in `right_form`."""
    attempt = next_try(session)
    if attempt is None:
        return {}
    if attempt.step.chance(attempt.chosen.settings, material_of(session.study)) is None:
        return right_form(session)
    answers = {
        f"item-{n}": str(rng.choice([value for value, _ in item.options])) if item.options else "0"
        for n, item in enumerate(attempt.items, start=1)
    }
    return {"try": attempt.result.public_id, **answers}


def screening_problems(study: Study) -> list[str]:
    """Why steps of the study cannot be given here, a sentence each."""
    material = material_of(study)
    found = []
    for chosen in chosen_steps(study.screening):
        step = get_step(chosen.step)
        if why := step.problem(material):
            found.append(f"“{step.title}” cannot be given: {why}.")
    return found
