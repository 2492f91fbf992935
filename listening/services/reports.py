"""From a study's ratings to files: exports and the report."""

import hashlib
import json
import platform
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd
from django.conf import settings
from django.utils import timezone

from analysis.exports import EXPORTS, dictionary, export, measures_table
from analysis.files import write_whole
from analysis.report import Report, write_report
from analysis.scales import SCALES
from analysis.schema import SchemaError
from listening.frames import conditions_frame, participants_frame, ratings_frame, scores_frame
from listening.models import Study
from listening.services.asking import study_emotions
from listening.services.check_items import asked_scales
from listening.services.errors import ServiceError
from listening.services.leaderboard import keep_results

#: What of a study makes its protocol, beside its stimuli.
_PROTOCOL = (
    "clip_selection",
    "conditions",
    "rating_tasks",
    "strata",
    "votes_per_stratum",
    "second_panel",
    "trials_per_session",
    "seed",
    "instructions",
    "consent_text",
)


def export_ratings(study: Study, path: Path, form: str = "", scale: str = "") -> int:
    """Write a study's ratings in a form of `analysis.exports`, and return how many ratings the study has. Raises ServiceError.

    Without a form, the file's ending chooses between CSV and Parquet. Beside a tidy table lie its data dictionary, the
    study's conditions with their measured bit rates, which ``python -m analysis report --conditions`` reads, and, where stimuli
    were measured, their scores, which ``python -m analysis compare`` reads, with what each measure is.
    """
    if not form:
        form = {".csv": "tidy", ".parquet": "parquet"}.get(path.suffix, "")
        if not form:
            raise ServiceError(f"{path.name} ends in {path.suffix or 'nothing'}; an export is a .csv or a .parquet file.")
    elif form == "tidy" and path.suffix == ".parquet":
        form = "parquet"
    if form in EXPORTS and path.suffix != EXPORTS[form]:
        raise ServiceError(f"{path.name} ends in {path.suffix or 'nothing'}; an export as {form} is a {EXPORTS[form]} file.")
    content, rows = export_content(study, form, scale)
    files = {path: content}
    if form in ("tidy", "parquet"):
        beside = {"dictionary": dictionary(), **_tables(study)}
        files |= {
            path.with_name(f"{path.stem}-{name}.csv"): table.to_csv(index=False).encode() for name, table in beside.items()
        }
    try:
        for target, data in files.items():
            write_whole(target, data)
    except OSError as error:
        raise ServiceError(f"{path} could not be written: {error.strerror}. The ratings are safe in the database.") from error
    return rows


def export_content(study: Study, form: str, scale: str = "") -> tuple[bytes, int]:
    """A study's ratings as the bytes of a file, and how many ratings it has. Raises ServiceError."""
    frame = ratings_frame(study)
    try:
        return export(frame, form, name=study.slug, scale=scale, tables=_tables(study)), len(frame)
    except SchemaError as error:
        raise ServiceError(f"The ratings of {study} could not be exported: {error}") from error


def _tables(study: Study) -> dict[str, pd.DataFrame]:
    """What belongs to a study's ratings: its conditions, and its scores with their measures once there are some."""
    scores = scores_frame(study)
    measured = {} if scores.empty else {"scores": scores, "measures": measures_table(scores["measure"])}
    return {"conditions": conditions_frame(study), **measured}


def study_hash(study: Study) -> str:
    """SHA-256 over what raters of a study hear and are asked: conditions, tasks, options, strata, votes, seed, stimuli."""
    stimuli = study.study_stimuli.order_by("stimulus__source_clip__clip_id", "stimulus__condition")
    heard = stimuli.values_list("stimulus__source_clip__clip_id", "stimulus__condition", "stimulus__audio_sha256", "role")
    asked = {name: getattr(study, name) for name in _PROTOCOL}
    protocol = {**asked, "emotions": list(study_emotions(study)), "stimuli": [list(row) for row in heard]}
    return hashlib.sha256(json.dumps(protocol, sort_keys=True, default=str).encode()).hexdigest()


def report_directory(study: Study) -> Path:
    """Where a study's report lies that was written from the admin."""
    return Path(settings.DATA_DIR) / "reports" / study.slug


def write_study_report(study: Study, out: Path, seed: int = 0, progress: Callable[..., Any] | None = None) -> Report:
    """Write the report of a study. Raises ServiceError when there is nothing to report yet."""
    frame = ratings_frame(study)
    if frame.empty:
        raise ServiceError(f"The study {study} has no ratings yet; there is nothing to report.")
    provenance = {
        "study": study.slug,
        "study_hash": study_hash(study),
        "preset": study.preset,
        "corpus": study.corpus.name,
        "study_status": study.status,
        "study_seed": str(study.seed),
        "written_at": timezone.now().isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "django": version("django"),
    }
    scores = scores_frame(study)
    try:
        report = write_report(
            frame,
            out,
            seed=seed,
            title=study.title,
            conditions=conditions_frame(study),
            emotions=study_emotions(study),
            questions={key: SCALES[key].prompt for key in asked_scales(study)},
            provenance=provenance,
            progress=progress,
            participants=participants_frame(study),
            scores=None if scores.empty else scores,
        )
    except SchemaError as error:
        raise ServiceError(f"The report of {study} could not be written: {error}") from error
    except OSError as error:
        raise ServiceError(
            f"The report could not be written to {out}: {error.strerror}. The ratings are safe in the database."
        ) from error
    keep_results(study, report, simulated=bool(frame.loc[frame["excluded"] == "", "simulated"].any()))
    return report
