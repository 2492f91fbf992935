"""Studies as data frames in the shape of ``analysis.schema``: the only producer of frames."""

from typing import Any

import pandas as pd
from django.db.models import Avg

from codecs_runner.registry import get_condition
from listening.models import Exclusion, PlanTrial, Rating, Session, Stimulus, StimulusScore, Study, StudyStimulus

_NOT_COMPLETED = "session not completed"
_RELEASED = "the submission was returned or rejected"
_REPEATED = "practice was repeated"
_SURPLUS = "surplus: the rater's place had gone to somebody else"

COLUMNS = [
    "rater_id",
    "stimulus_id",
    "clip_id",
    "condition",
    "scale",
    "value",
    "labels",
    "stratum",
    "session_id",
    "trial",
    "submitted_at",
    "simulated",
    "role",
    "excluded",
    "speaker",
    "speaker_sex",
    "heard_share",
    "panel",
    "expected",
]


def ratings_frame(study: Study) -> pd.DataFrame:
    """Every rating of a study, one row each; ``excluded`` says why a row must not be used, or is empty."""
    roles = dict(study.study_stimuli.values_list("stimulus_id", "role"))
    left_out = _exclusions(study)
    second_panel = set(PlanTrial.objects.filter(plan__study=study, panel=2).values_list("plan_id", "stimulus_id"))
    rows = (
        Rating.objects.filter(trial__session__study=study)
        .order_by("pk")
        .values_list(
            "trial__session__participant__rater_id",
            "trial__session__participant__simulated",
            "trial__session_id",
            "trial__session__state",
            "trial__session__plan_id",
            "trial__session__stratum",
            "trial__position",
            "stimulus_id",
            "stimulus__source_clip__clip_id",
            "stimulus__condition",
            "scale",
            "value",
            "labels",
            "received_at",
            "stimulus__source_clip__speaker",
            "stimulus__source_clip__sex",
            "trial__listening__heard_share",
            "trial__role",
            "trial__expected",
        )
    )
    records = [
        (
            participant,
            f"{clip}__{condition}",
            clip,
            condition,
            scale,
            value,
            "|".join(labels) if labels is not None else "",
            stratum,
            f"s{session:06d}",
            position,
            received_at.isoformat(),
            int(simulated),
            role or roles.get(stimulus, ""),
            left_out.get(session) or _reason(state, plan),
            speaker,
            sex,
            heard_share,
            "2" if (plan, stimulus) in second_panel else "1",
            _expected(expected.get(scale)),
        )
        for (
            participant,
            simulated,
            session,
            state,
            plan,
            stratum,
            position,
            stimulus,
            clip,
            condition,
            scale,
            value,
            labels,
            received_at,
            speaker,
            sex,
            heard_share,
            role,
            expected,
        ) in rows.iterator(chunk_size=5000)
    ]
    frame = pd.DataFrame.from_records(records, columns=COLUMNS)
    practice = frame[(frame["role"] == StudyStimulus.Role.TRAINING) & (frame["excluded"] == "")]
    repeated = practice.duplicated(["session_id", "stimulus_id", "scale"], keep="last")
    frame.loc[practice.index[repeated], "excluded"] = _REPEATED
    return frame


def _exclusions(study: Study) -> dict[int, str]:
    """Session -> why screening left it out, every rule's reason."""
    reasons: dict[int, str] = {}
    for exclusion in Exclusion.objects.filter(session__study=study):
        before = reasons.get(exclusion.session_id)
        reasons[exclusion.session_id] = f"{before}; {exclusion}" if before else str(exclusion)
    return reasons


def _expected(right: dict[str, Any] | None) -> str:
    """The right answer of a check item on one scale, as `analysis.schema` writes it; empty where there is none."""
    if right is None:
        return ""
    return "|".join(right["labels"]) if "labels" in right else f"{right['value']:g}"


def _reason(state: str, plan: int | None) -> str:
    if state == Session.State.COMPLETED:
        return "" if plan else _SURPLUS
    return _RELEASED if state == Session.State.RELEASED else _NOT_COMPLETED


def participants_frame(study: Study) -> pd.DataFrame:
    """Raters who completed the study, by their names in exports: minutes from consent to the last answer."""
    sessions = study.sessions.filter(state=Session.State.COMPLETED, preview=False, completed_at__isnull=False)
    rows = sessions.order_by("pk").values_list("participant__rater_id", "consented_at", "created_at", "completed_at")
    minutes = [(rater, (end - (consent or begin)).total_seconds() / 60) for rater, consent, begin, end in rows if rater and end]
    return pd.DataFrame.from_records(minutes, columns=["rater_id", "minutes"])


def conditions_frame(study: Study) -> pd.DataFrame:
    """The study's conditions with labels, families, nominal and measured bit rates (bit/s), and SHA-256 of their weights."""
    measured = dict(
        Stimulus.objects.filter(study_stimuli__study=study).order_by().values_list("condition").annotate(Avg("payload_bps"))
    )
    conditions = [get_condition(slug) for slug in study.conditions]
    return pd.DataFrame(
        {
            "condition": [c.slug for c in conditions],
            "label": [c.label for c in conditions],
            "family": [c.family for c in conditions],
            "nominal_bps": [c.nominal_bps for c in conditions],
            "measured_bps": [measured.get(c.slug) for c in conditions],
            "weights": [_weights(study, c.slug) for c in conditions],
        }
    )


def _weights(study: Study, condition: str) -> str:
    """The weight files that a stimulus of the condition was made with, each with its SHA-256; empty for none."""
    made = Stimulus.objects.filter(study_stimuli__study=study, condition=condition, status=Stimulus.Status.READY)
    sidecar = made.order_by("pk").values_list("sidecar", flat=True).first() or {}
    return ", ".join(f"{name} {digest}" for name, digest in sorted((sidecar.get("weights") or {}).items()))


def scores_frame(study: Study) -> pd.DataFrame:
    """Every score of a study's stimuli, one row each, as ``python -m analysis score`` writes them: NaN with its reason."""
    of_study = StimulusScore.objects.filter(
        stimulus__source_clip__in=study.clips.all(), stimulus__condition__in=study.conditions
    )
    rows = of_study.order_by("stimulus_id", "measure").values_list(
        "stimulus__source_clip__clip_id", "stimulus__condition", "measure", "value", "reason", "version"
    )
    frame = pd.DataFrame.from_records(list(rows), columns=["clip_id", "condition", "measure", "score", "reason", "version"])
    frame.insert(0, "stimulus_id", frame["clip_id"] + "__" + frame["condition"])
    return frame.astype({"score": "float64"})
