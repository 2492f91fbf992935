"""From a study's ratings to files: exports and the report."""

import platform
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils import timezone

from analysis.report import Report, write_report
from analysis.schema import SchemaError
from listening.frames import conditions_frame, ratings_frame
from listening.models import Study
from listening.services.errors import ServiceError
from listening.services.ratings import study_emotions


def export_ratings(study: Study, path: Path) -> int:
    """Write all ratings of a study as CSV or Parquet, by the file's ending; return the number of rows. Raises ServiceError."""
    if path.suffix not in (".csv", ".parquet"):
        raise ServiceError(f"{path.name} ends in {path.suffix or 'nothing'}; an export is a .csv or a .parquet file.")
    frame = ratings_frame(study)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    try:
        if path.suffix == ".csv":
            frame.to_csv(part, index=False)
        else:
            frame.to_parquet(part, index=False)
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise ServiceError(f"{path} could not be written: {error.strerror}. The ratings are safe in the database.") from error
    return len(frame)


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
        "preset": study.preset,
        "corpus": study.corpus.name,
        "study_status": study.status,
        "study_seed": str(study.seed),
        "written_at": timezone.now().isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "django": version("django"),
    }
    try:
        return write_report(
            frame,
            out,
            seed=seed,
            title=study.title,
            conditions=conditions_frame(study),
            emotions=study_emotions(study),
            provenance=provenance,
            progress=progress,
        )
    except SchemaError as error:
        raise ServiceError(f"The report of {study} could not be written: {error}") from error
    except OSError as error:
        raise ServiceError(
            f"The report could not be written to {out}: {error.strerror}. The ratings are safe in the database."
        ) from error
