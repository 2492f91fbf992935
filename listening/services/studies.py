"""Create, freeze, open and close studies."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone

from analysis.design import DesignError, draw_plans
from codecs_runner.registry import get_condition
from listening.models import Corpus, Event, Plan, PlanTrial, SourceClip, Stimulus, Study, StudyStimulus
from listening.prolific import PLACEHOLDERS
from listening.rating_tasks.registry import get_rating_task
from listening.screening.registry import chosen_steps
from listening.services.asking import REFERENCE, needs_reference, study_emotions
from listening.services.check_items import Kit, Placed, check_check_items, make_kit, place_checks, queue_check_stimuli
from listening.services.checks import screening_problems
from listening.services.clip_selection import eligible_clips
from listening.services.dispatch import hint
from listening.services.errors import ServiceError
from listening.services.presets import PRESETS
from listening.services.stimuli import ensure_stimuli, unavailable_conditions

#: What the second panel of raters of the reference is called while plans are drawn: there it is one more condition, and since
#: nobody hears a clip twice, nobody is in both panels of a clip.
SECOND_PANEL = "original, second panel"


def create_study(*, corpus: Corpus, slug: str, preset: str = "emo-codec", **changes: Any) -> Study:
    """A stored draft, as ``new_draft`` makes it, with its clips drawn. Raises ServiceError."""
    if Study.objects.filter(slug=slug).exists():
        raise ServiceError(f"A study named {slug} exists already; choose another name.")
    study = new_draft(corpus=corpus, slug=slug, preset=preset, **changes)
    check_study(study)
    with transaction.atomic():
        study.save()
        draw_clips(study)
        log(study, "created", preset=preset)
    return study


def new_draft(*, corpus: Corpus, slug: str = "", preset: str = "emo-codec", **changes: Any) -> Study:
    """An unsaved draft from a preset, with ``changes`` to its fields. An empty preset stands for the model's defaults.

    A preset's number of clips and trials shrinks to what the corpus has; a number that was asked for does not. Raises ServiceError.
    """
    if preset and preset not in PRESETS:
        raise ServiceError(f"There is no preset {preset!r}; there are {', '.join(PRESETS)}.")
    asked = {k: v for k, v in changes.items() if v is not None}
    fields = {**PRESETS.get(preset, {}), "emotions": list(corpus.emotions), **asked}
    study = Study(corpus=corpus, slug=slug, preset=preset, **fields)
    if "n_clips" not in asked:
        study.n_clips = min(study.n_clips, len(eligible_clips(study)))
    if "trials_per_session" not in asked:
        study.trials_per_session = min(study.trials_per_session, study.n_clips)
    return study


def save_draft(study: Study) -> None:
    """Store a changed draft, and draw its clips anew when what they are drawn from has changed. Raises ServiceError."""
    check_study(study)
    with transaction.atomic():
        before = Study.objects.select_for_update().get(pk=study.pk)
        if not before.is_editable:
            raise ServiceError(f"The study {study} is {before.status} by now; what raters see can no longer change.")
        study.save()
        if any(getattr(before, field) != getattr(study, field) for field in ("corpus_id", "clip_selection", "n_clips", "seed")):
            draw_clips(study)
        log(study, "changed")


def change_lease(study: Study, minutes: int) -> None:
    """How long idle raters keep their places: the one setting that may change while a study runs, since no rater sees it."""
    study.lease_minutes = minutes
    study.save(update_fields=["lease_minutes"])
    log(study, "lease_changed", minutes=minutes)


def check_study(study: Study) -> None:
    """Refuse a study that could not be run. Raises ServiceError with a sentence."""
    check_design(study)
    check_screening(study)
    check_check_items(study)
    try:
        study.full_clean(validate_unique=study.pk is None)
    except ValidationError as error:
        field, sentences = next(iter(error.message_dict.items()))
        raise ServiceError(f"{field}: {sentences[0]}") from error


def check_design(study: Study) -> None:
    """Refuse names that mean nothing, and numbers that the corpus cannot give. Raises ServiceError with a sentence."""
    if not study.corpus.clips.exists():
        raise ServiceError(f"The corpus {study.corpus} has no clips; import some first.")
    available = len(eligible_clips(study))
    check_names(study)
    if study.second_panel and REFERENCE not in study.conditions:
        raise ServiceError(f"A second panel rates the originals again, but {REFERENCE} is not among the study's conditions.")
    if study.n_clips > available:
        of_these = f" that are {study.clip_selection}" if study.clip_selection else ""
        raise ServiceError(
            f"The study asks for {study.n_clips} clips, but the corpus {study.corpus} has {available}{of_these}."
        )
    if study.trials_per_session > study.n_clips:
        raise ServiceError(
            f"{study.trials_per_session} trials per session need as many clips, because nobody hears a clip twice, "
            f"but the study has {study.n_clips}."
        )


def check_names(study: Study) -> None:
    """Refuse names of conditions, rating tasks or emotions that mean nothing. Raises ServiceError."""
    for what, names in (("conditions", study.conditions), ("rating tasks", study.rating_tasks), ("strata", study.strata)):
        if not isinstance(names, list) or not names or not all(isinstance(name, str) and name for name in names):
            raise ServiceError(f"The study has no {what}; choose at least one.")
        if len(set(names)) != len(names):
            raise ServiceError(f"The study names one of its {what} twice.")
    try:
        study.conditions = [get_condition(slug).slug for slug in study.conditions]
        tasks = [get_rating_task(key) for key in study.rating_tasks]
    except KeyError as error:
        raise ServiceError(str(error.args[0])) from error
    scales = [scale.key for task in tasks for scale in task.scales]
    if len(set(scales)) != len(scales):
        raise ServiceError("Two of the rating tasks ask the same question; take one of them out.")
    if len({task.reference for task in tasks}) > 1:
        raise ServiceError(
            "A trial is heard either alone or beside its original, in one order: DCR, CCR and tasks about one clip cannot be "
            "asked together. Make a study for each."
        )
    times = max(task.n_listenings for task in tasks)
    if study.max_plays and study.max_plays < times:
        raise ServiceError(f"A rating task needs {times} plays of a clip, but the study allows {study.max_plays}.")
    if any("emotion" in task.scale_keys for task in tasks) and len(study_emotions(study)) < 2:
        raise ServiceError(
            f"The emotion question needs at least two options, but the corpus {study.corpus} has {len(study.corpus.emotions)}; "
            "name the options in the study or leave the question out."
        )


def check_screening(study: Study) -> None:
    """Refuse steps of the screening that mean nothing or cannot be given here. Raises ServiceError."""
    try:
        keys = [chosen.step for chosen in chosen_steps(study.screening)]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ServiceError(f"The screening of the study cannot be read: {error.args[0]}") from error
    if len(set(keys)) != len(keys):
        raise ServiceError("The screening of the study has one of its steps twice.")
    if problems := screening_problems(study):
        raise ServiceError(problems[0])


def draw_clips(study: Study) -> None:
    """Draw the study's clips among the eligible ones, stratified by emotion and speaker's sex, from its seed.

    Every stratum gives evenly while it lasts.
    """
    rng = np.random.default_rng([study.seed, 0])
    strata: dict[tuple[str, str], list[SourceClip]] = defaultdict(list)
    for clip in eligible_clips(study):
        strata[clip.emotion, clip.sex].append(clip)
    hands = [[clips[i] for i in rng.permutation(len(clips))] for _, clips in sorted(strata.items())]
    hands = [hands[i] for i in rng.permutation(len(hands))]
    chosen: list[SourceClip] = []
    while len(chosen) < study.n_clips:
        for hand in hands:
            if hand and len(chosen) < study.n_clips:
                chosen.append(hand.pop())
    study.clips.set(chosen)


def rater_link(study: Study) -> str:
    """The address that raters are sent to; the one for Prolific carries the places that Prolific fills with ids."""
    address = f"{settings.PUBLIC_URL}{reverse('join', args=[study.slug])}"
    return f"{address}?{PLACEHOLDERS}" if study.recruiter == Study.Recruiter.PROLIFIC else address


def queue_stimuli(study: Study) -> None:
    """Ask for every stimulus of the study; the worker, or `prepare_stimuli`, makes them."""
    if queued := ensure_stimuli(list(study.clips.all()), heard_conditions(study)) + queue_check_stimuli(study):
        log(study, "stimuli queued", jobs=queued)
    hint()


def study_stimuli(study: Study) -> QuerySet[Stimulus]:
    """All stimuli that the study asks for, ready or not."""
    return Stimulus.objects.filter(source_clip__in=study.clips.all(), condition__in=heard_conditions(study))


def heard_conditions(study: Study) -> list[str]:
    """The study's conditions, and the reference where stimuli are heard against it."""
    extra = [REFERENCE] if needs_reference(study) and REFERENCE not in study.conditions else []
    return [*study.conditions, *extra]


def freeze_study(study: Study) -> list[str]:
    """Fix what is heard and draw every session plan. Returns sentences about what had to be left out.

    A condition that cannot be rendered here is left out whole; a clip that failed in a condition that otherwise works is left out
    of all conditions, so that the design stays balanced. Raises ServiceError when nothing would be left, or stimuli are still due.
    """
    if study.status != Study.Status.DRAFT:
        raise ServiceError(f"The study {study} is {study.status} already.")
    check_study(study)
    heard = heard_conditions(study)
    ready: dict[str, dict[int, Stimulus]] = {slug: {} for slug in heard}
    for stimulus in study_stimuli(study).filter(status=Stimulus.Status.READY):
        ready[stimulus.condition][stimulus.source_clip_id] = stimulus
    notes = []
    unavailable = unavailable_conditions(slug for slug, stimuli in ready.items() if not stimuli)
    conditions = [slug for slug in study.conditions if slug not in unavailable]
    if REFERENCE in unavailable and needs_reference(study):
        raise ServiceError("The originals that stimuli are heard against are not made: " + unavailable[REFERENCE])
    notes += [f"{slug} is left out: {reason}" for slug, reason in unavailable.items()]
    if not conditions:
        raise ServiceError("None of the study's conditions can be rendered here. " + " ".join(notes))
    needed = [slug for slug in heard if slug not in unavailable]
    if due := study_stimuli(study).filter(status=Stimulus.Status.PENDING, condition__in=needed).count():
        raise ServiceError(f"{due} stimuli are not made yet; run the worker or `prepare_stimuli {study}` first.")
    clips = {clip.pk: clip for clip in study.clips.all()}
    asked = len(clips)
    for pk, clip in list(clips.items()):
        if lacking := [slug for slug in needed if pk not in ready[slug]]:
            notes.append(f"The clip {clip.clip_id} is left out: it could not be made in {', '.join(lacking)}.")
            del clips[pk]
    if asked and not clips:
        raise ServiceError("No clip could be made in every condition; see the errors of the stimuli.")
    study.trials_per_session = min(study.trials_per_session, len(clips))
    with transaction.atomic():
        kit = make_kit(study)
        study.conditions = conditions
        study.clips.set(clips.values())
        study.n_clips = len(clips)
        _draw(study, list(clips), ready, kit)
        study.status = Study.Status.FROZEN
        study.frozen_at = timezone.now()
        study.save()
        log(study, "frozen", notes=notes)
    return notes


def _draw(study: Study, clips: Sequence[int], ready: dict[str, dict[int, Stimulus]], kit: Kit) -> None:
    StudyStimulus.objects.bulk_create(
        [
            StudyStimulus(
                study=study,
                stimulus=ready[slug][clip],
                role=StudyStimulus.Role.REFERENCE if slug == REFERENCE else StudyStimulus.Role.TEST,
            )
            for slug in study.conditions
            for clip in clips
        ]
    )
    heard = dict(ready)
    if study.second_panel:
        heard[SECOND_PANEL] = ready[REFERENCE]
    try:
        drawn = draw_plans(
            [str(clip) for clip in clips],
            [*study.conditions, *([SECOND_PANEL] if study.second_panel else [])],
            study.strata,
            study.votes_per_stratum,
            study.trials_per_session,
            np.random.default_rng([study.seed, 1]),
        )
    except DesignError as error:
        raise ServiceError(str(error)) from error
    plans = Plan.objects.bulk_create(
        [Plan(study=study, number=n, stratum=plan.stratum) for n, plan in enumerate(drawn, start=1)]
    )
    PlanTrial.objects.bulk_create(
        [
            PlanTrial(plan=row, position=position, **vars(placed))
            for row, plan in zip(plans, drawn, strict=True)
            for position, placed in enumerate(
                place_checks(
                    study,
                    kit,
                    [Placed(heard[slug][int(clip)], panel=2 if slug == SECOND_PANEL else 1) for clip, slug in plan.trials],
                    row.number,
                ),
                start=1,
            )
        ],
        batch_size=1000,
    )


def open_study(study: Study) -> list[str]:
    """Let raters in; freezes a draft first. Returns the notes of freezing. Raises ServiceError."""
    if study.status == Study.Status.OPEN:
        raise ServiceError(f"The study {study} is open already.")
    with transaction.atomic():
        notes = freeze_study(study) if study.status == Study.Status.DRAFT else []
        study.status = Study.Status.OPEN
        study.opened_at = timezone.now()
        study.closed_at = None
        study.save(update_fields=["status", "opened_at", "closed_at"])
        log(study, "opened")
    return notes


def close_study(study: Study) -> None:
    """Let nobody new in. Raters who have begun may finish, and their answers are kept. Raises ServiceError."""
    if study.status != Study.Status.OPEN:
        raise ServiceError(f"The study {study} is {study.status}, not open.")
    study.status = Study.Status.CLOSED
    study.closed_at = timezone.now()
    study.save(update_fields=["status", "closed_at"])
    log(study, "closed")


def log(study: Study, kind: str, **data: Any) -> None:
    """Write an event of the study."""
    Event.objects.create(study=study, kind=kind, data=data)
