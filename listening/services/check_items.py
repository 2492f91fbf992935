"""Items among the trials that are not measured: practice, gold clips and traps. Which they are, where they stand, how they are graded."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import soundfile
from django.db.models import Q, QuerySet
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from analysis.design import insert_checks
from analysis.scales import SCALES
from codecs_runner.audio import STIMULUS_RATE
from codecs_runner.errors import RunnerError
from codecs_runner.registry import get_condition
from codecs_runner.screening_sounds.pieces import flac_bytes
from codecs_runner.screening_sounds.traps import interrupted
from listening.models import Event, PlanTrial, ScreeningResult, SourceClip, Stimulus, Study, StudyStimulus, Trial
from listening.rating_tasks.base import Answer
from listening.rating_tasks.registry import get_rating_task
from listening.services.checks import speaker_of
from listening.services.errors import ServiceError
from listening.services.screening import exclude_session
from listening.services.stimuli import ensure_stimuli, store

Role = StudyStimulus.Role
ORIGINAL, HEAVY_NOISE = "original", "mnru-8db"
#: Right answers to an original and to heavy noise in proportion to speech (MNRU, Q = 8 dB), by scale; other scales have no plain one.
PLAIN = {
    ORIGINAL: {"quality": 5, "ovrl": 5, "sig": 5, "dcr": 5, "ccr": 0, "p835_sig": 5, "p835_bak": 5, "p835_ovrl": 5},
    HEAVY_NOISE: {"quality": 1, "ovrl": 1, "sig": 1, "dcr": 1, "ccr": -3, "p835_sig": 1, "p835_ovrl": 1},
}
#: P.808's toolkit takes one step beside the right answer for right.
TOLERANCE = 1
#: Clips to draw from, so that not everybody meets the same check.
VARIETY = 3
FAILED_ATTENTION_CHECK, FAILED_GOLD = "failed_attention_check", "failed_gold"


@dataclass(frozen=True)
class Placed:
    """One place of a plan."""

    stimulus: Stimulus
    role: str = ""
    expected: dict[str, Any] = field(default_factory=dict)
    panel: int = 1


@dataclass(frozen=True)
class Kit:
    """What a study's check items are drawn from: practice in its order, gold clips and traps by source clip."""

    training: list[Placed]
    gold: list[list[Placed]]
    traps: list[Placed]


def asked_scales(study: Study) -> list[str]:
    """Keys of the scales of the study's rating tasks."""
    return [key for task in study.rating_tasks for key in get_rating_task(task).scale_keys]


def spare_clips(study: Study) -> list[SourceClip]:
    """Clips of the corpus that the test does not use, in an order drawn from the study's seed."""
    used = set(study.clips.values_list("pk", flat=True))
    spare = [clip for clip in study.corpus.clips.order_by("clip_id") if clip.pk not in used]
    return [spare[i] for i in np.random.default_rng([study.seed, 3]).permutation(len(spare))]


def deal_clips(study: Study) -> dict[str, list[SourceClip]]:
    """Spare clips for practice, gold and traps: nobody hears a clip twice. Raises ServiceError when there are too few."""
    wanted = {Role.TRAINING: study.training_trials, Role.GOLD: study.gold_trials, Role.TRAP: study.trap_trials}
    spare = spare_clips(study) if any(wanted.values()) else []
    _refuse_few_clips(study, len(spare))
    dealt: dict[str, list[SourceClip]] = {role: [spare.pop() for _ in range(n)] for role, n in wanted.items()}
    for role in (Role.GOLD, Role.TRAP):
        while wanted[role] and spare and len(dealt[role]) < VARIETY:
            dealt[role].append(spare.pop())
    return dealt


def _refuse_few_clips(study: Study, left: int) -> None:
    needed = study.training_trials + study.gold_trials + study.trap_trials
    if left < needed:
        raise ServiceError(
            f"Practice, gold clips and traps need {needed} clips that the test does not use, but the corpus "
            f"{study.corpus} has {left} left: use fewer clips in the test, or fewer of these."
        )


def check_check_items(study: Study) -> None:
    """Refuse check items that cannot be made or graded. Raises ServiceError."""
    if study.gold_trials + study.trap_trials > study.trials_per_session:
        raise ServiceError("A session has more gold clips and traps than clips of the test; ask for fewer.")
    if study.gold_trials and not set(PLAIN[ORIGINAL]) & set(asked_scales(study)):
        raise ServiceError("No question of the study has a plain right answer to a gold clip; leave gold clips out.")
    if study.trap_trials and (problem := speaker_of(study).problem()):
        raise ServiceError(f"Traps cannot be made: {problem}.")
    _refuse_few_clips(study, study.corpus.clips.count() - study.n_clips)


def training_conditions(study: Study) -> list[str]:
    """A condition for each practice clip, from the best to the worst by bit rate, so that the whole range is heard."""
    ranked = sorted(study.conditions, key=lambda slug: -(get_condition(slug).nominal_bps or float("inf")))
    places: list[int] = np.linspace(0, max(len(ranked) - 1, 0), study.training_trials).round().astype(int).tolist()
    return [ranked[place] for place in places if ranked]


def _wanted(study: Study) -> dict[str, list[tuple[SourceClip, str]]]:
    """The (clip, condition) pairs that a renderer has to make, by role; a trap is made from its clip's original."""
    dealt = deal_clips(study)
    return {
        Role.TRAINING: list(zip(dealt[Role.TRAINING], training_conditions(study), strict=True)),
        Role.GOLD: [(clip, slug) for clip in dealt[Role.GOLD] for slug in (ORIGINAL, HEAVY_NOISE)],
        Role.TRAP: [(clip, ORIGINAL) for clip in dealt[Role.TRAP]],
    }


def queue_check_stimuli(study: Study) -> int:
    """Ask for the stimuli of the study's check items; returns the number of new jobs."""
    return sum(ensure_stimuli([clip], [slug]) for pairs in _wanted(study).values() for clip, slug in pairs)


def check_stimuli(study: Study) -> QuerySet[Stimulus]:
    """What has to be rendered for the study's check items, ready or not."""
    pairs = [pair for wanted in _wanted(study).values() for pair in wanted]
    chosen = Q(pk__in=[])
    for clip, slug in pairs:
        chosen |= Q(source_clip=clip, condition=slug)
    return Stimulus.objects.filter(chosen)


def make_kit(study: Study) -> Kit:
    """The check items of a study that is frozen now, their roles written down. Raises ServiceError while one is not made."""
    ready = {(s.source_clip_id, s.condition): s for s in check_stimuli(study).filter(status=Stimulus.Status.READY)}
    wanted = _wanted(study)
    if lacking := [(clip, slug) for pairs in wanted.values() for clip, slug in pairs if (clip.pk, slug) not in ready]:
        clip, slug = lacking[0]
        raise ServiceError(
            f"{len(lacking)} stimuli of practice, gold clips and traps are not made yet, {clip.clip_id} in {slug} for one; "
            f"run the worker or `prepare_stimuli {study}` first."
        )
    training = [Placed(ready[clip.pk, slug], Role.TRAINING) for clip, slug in wanted[Role.TRAINING]]
    gold: dict[int, list[Placed]] = {}
    for clip, slug in wanted[Role.GOLD]:
        gold.setdefault(clip.pk, []).append(Placed(ready[clip.pk, slug], Role.GOLD, gold_answers(study, slug)))
    rng = np.random.default_rng([study.seed, 4])
    traps = [_make_trap(study, ready[clip.pk, slug], rng) for clip, slug in wanted[Role.TRAP]]
    kit = Kit(training, list(gold.values()), traps)
    everything = [*training, *(placed for pair in gold.values() for placed in pair), *traps]
    StudyStimulus.objects.bulk_create(
        [StudyStimulus(study=study, stimulus=placed.stimulus, role=placed.role) for placed in everything]
    )
    return kit


def gold_answers(study: Study, condition: str) -> dict[str, Any]:
    """Right answers to a gold clip on the scales that have one."""
    plain = PLAIN[condition]
    return {key: {"value": plain[key], "tolerance": TOLERANCE} for key in asked_scales(study) if key in plain}


def _make_trap(study: Study, base: Stimulus, rng: np.random.Generator) -> Placed:
    """The clip that breaks off into an instruction, with the answers that it asks for; the same instruction makes the same file."""
    expected = _draw_trap_answers(study, rng)
    instruction = trap_instruction(study, expected)
    try:
        spoken = speaker_of(study).say(instruction, "trap-" + "-".join(_names(expected)))
    except RunnerError as error:
        raise ServiceError(f"A trap cannot be made: {error}") from error
    content = flac_bytes(interrupted(soundfile.read(store().flac_path(base.key))[0], spoken))
    digest = hashlib.sha256(content).hexdigest()
    duration_s = soundfile.info(_written(digest, content, instruction, expected)).frames / STIMULUS_RATE
    made, _created = Stimulus.objects.update_or_create(
        source_clip=base.source_clip,
        condition=f"trap-{'-'.join(_names(expected))}-{study.language}"[:80],
        defaults={
            "status": Stimulus.Status.READY,
            "key": digest,
            "audio_sha256": digest,
            "duration_s": duration_s,
            "sidecar": {"instruction": instruction, "expected": expected, "made_from": base.key},
        },
    )
    return Placed(made, Role.TRAP, expected)


def _written(digest: str, content: bytes, instruction: str, expected: dict[str, Any]) -> str:
    """Path of the trap's file in the store, written if it is new."""
    if not store().has(digest):
        store().put(digest, content, {"audio_sha256": digest, "instruction": instruction, "expected": expected})
    return str(store().flac_path(digest))


def _draw_trap_answers(study: Study, rng: np.random.Generator) -> dict[str, Any]:
    """An answer for every scale that is asked: one number for all of them, one emotion, and the middle of a comparison."""
    scales = [SCALES[key] for key in asked_scales(study)]
    rated = [scale for scale in scales if scale.kind == "category" and scale.minimum > 0]
    common = sorted(set.intersection(*(set(scale.labels) for scale in rated))) if rated else []
    number = int(rng.choice(common)) if common else 0
    emotions = study.emotions or study.corpus.emotions
    emotion = str(rng.choice(emotions)) if emotions else ""
    answers: dict[str, Any] = {}
    for scale in scales:
        if scale.kind == "labels":
            answers[scale.key] = {"labels": [emotion]}
        elif scale.kind == "category":
            answers[scale.key] = {"value": number if scale.minimum > 0 else 0, "tolerance": 0}
    return answers


def trap_instruction(study: Study, expected: dict[str, Any]) -> str:
    """What a trap says, in the raters' language."""
    values = {answer["value"] for key, answer in expected.items() if "value" in answer and SCALES[key].minimum > 0}
    signed = [SCALES[key] for key, answer in expected.items() if "value" in answer and SCALES[key].minimum <= 0]
    emotions = [label for answer in expected.values() for label in answer.get("labels", ())]
    with translation.override(study.language):
        sentences = [_("This is an interruption. To show that you are listening, please answer like this.")]
        sentences += [_("Choose the number {value} on every scale.").format(value=value) for value in values]
        sentences += [_("Choose: {label}.").format(label=_(scale.labels[0])) for scale in signed]
        sentences += [_("As the emotion, choose {emotion} alone.").format(emotion=_(emotion)) for emotion in emotions]
    return " ".join(sentences)


def _names(expected: dict[str, Any]) -> list[str]:
    """What tells one trap from another: its number and its emotion."""
    return sorted({"+".join(a["labels"]) if "labels" in a else str(a["value"]) for a in expected.values()})


def place_checks(study: Study, kit: Kit, trials: Sequence[Placed], plan_number: int) -> list[Placed]:
    """A plan's trials with practice in front and its gold clips and traps among them, drawn from the study's seed."""
    rng = np.random.default_rng([study.seed, 5, plan_number])
    gold = [kit.gold[i] for i in rng.permutation(len(kit.gold))[: study.gold_trials]]
    traps = [kit.traps[i] for i in rng.permutation(len(kit.traps))[: study.trap_trials]]
    checks = [*(pair[int(rng.integers(len(pair)))] for pair in gold), *traps]
    placed = insert_checks(trials, checks[: len(trials)], rng)
    # A make-up session may be shorter than its checks: those that find no stretch of their own stand anywhere but first.
    for check in checks[len(trials) :]:
        placed.insert(int(rng.integers(1, len(placed) + 1)), check)
    return [*kit.training, *placed]


def drawn_kit(study: Study) -> Kit:
    """The check items that a frozen study's plans were drawn from, as those plans hold them; nothing is made anew."""
    held = (
        PlanTrial.objects.filter(plan__study=study, plan__make_up=False).exclude(role="").order_by("plan__number", "position")
    )
    placed: dict[int, Placed] = {}
    for trial in held.select_related("stimulus"):
        placed.setdefault(trial.stimulus_id, Placed(trial.stimulus, trial.role, trial.expected))
    gold: dict[int, list[Placed]] = {}
    for item in placed.values():
        if item.role == Role.GOLD:
            gold.setdefault(item.stimulus.source_clip_id, []).append(item)
    training, traps = ([item for item in placed.values() if item.role == role] for role in (Role.TRAINING, Role.TRAP))
    return Kit(training, list(gold.values()), traps)


def grade_check(trial: Trial, answers: Sequence[Answer]) -> None:
    """Grade a gold or trap trial on every scale that has a right answer, and store how it went.

    A failed trap leaves the session out at once; so does more than half of its gold clips. Both are told in the log; only a trap,
    which says what to do, is an attention check in the sense of Prolific's rules.
    """
    if trial.role not in (Role.GOLD, Role.TRAP):
        return
    given = {answer.scale: answer for answer in answers}
    scales = {scale: _graded(right, given.get(scale)) for scale, right in trial.expected.items()}
    passed = all(scale["right"] for scale in scales.values())
    session = trial.session
    ScreeningResult.objects.get_or_create(
        session=session,
        step=trial.role,
        attempt=trial.position,
        defaults={"passed": passed, "detail": {"scales": scales}, "finished_at": timezone.now()},
    )
    if passed:
        return
    wrong = [scale for scale, graded in scales.items() if not graded["right"]]
    kind = FAILED_ATTENTION_CHECK if trial.role == Role.TRAP else FAILED_GOLD
    Event.objects.create(study=session.study, session=session, kind=kind, data={"position": trial.position, "scales": wrong})
    failed = session.screening_results.filter(step=trial.role, passed=False).count()
    if trial.role == Role.TRAP:
        exclude_session(session, "trap", f"a trap was not answered as asked, on {', '.join(wrong)}")
    elif failed > session.trials.filter(role=Role.GOLD).count() / 2:
        exclude_session(session, "gold", f"{failed} gold clips answered wrongly, the last on {', '.join(wrong)}")


def _graded(right: dict[str, Any], given: Answer | None) -> dict[str, Any]:
    if "labels" in right:
        labels = sorted(given.labels or ()) if given else []
        return {"expected": right["labels"], "given": labels, "right": labels == sorted(right["labels"])}
    value = given.value if given else None
    near = value is not None and abs(value - right["value"]) <= right["tolerance"]
    return {"expected": right["value"], "tolerance": right["tolerance"], "given": value, "right": near}
