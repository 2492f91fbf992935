"""Import recorded speech."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings
from django.db import transaction

from analysis.corpora import CorpusError, read_corpus
from analysis.corpora.selection import select_corpus
from codecs_runner.audio import AudioError, AudioInfo, inspect_audio
from codecs_runner.errors import StoreError
from codecs_runner.places import open_place
from listening.models import Corpus, SourceClip
from listening.services.errors import ServiceError

Progress = Callable[[Iterable[dict]], Iterable[dict]]


@dataclass
class ImportReport:
    """What an import did: counts, and each file it left out with the reason."""

    corpus: Corpus
    added: int = 0
    already_there: int = 0
    left_out: list[dict[str, str]] = field(default_factory=list)
    notes: tuple[str, ...] = ()


def import_corpus(
    reader: str,
    path: Path,
    name: str,
    limit: int | None = None,
    progress: Progress = iter,
    annotation: str = "",
    selection: str = "",
) -> ImportReport:
    """Read a corpus, check every file, and keep what is sound. Importing again adds only what is new.

    limit: at most so many clips, spread over the corpus's emotions and speakers' sexes by taking every n-th. progress wraps the
    clips while they are checked. annotation: which labels, where the corpus has several kinds. selection: only such clips
    (`analysis.corpora.selection`). Raises ServiceError for a folder that is not the corpus, or one without a single usable file.
    """
    try:
        found = select_corpus(read_corpus(reader, path, annotation), selection)
    except CorpusError as error:
        raise ServiceError(str(error)) from error
    rows = found.clips.to_dict("records")
    if limit is not None and limit < len(rows):
        rows = [rows[i * len(rows) // limit] for i in range(limit)]

    corpus = Corpus.objects.filter(name=name).first()
    if corpus is not None and corpus.reader != reader:
        raise ServiceError(
            f"The name {name} is taken by a corpus that was read with the reader {corpus.reader}; choose another --name for this one."
        )
    if corpus is None:
        corpus = Corpus(name=name, reader=reader)
    report = ImportReport(
        corpus, left_out=[{"path": str(item.path), "reason": item.reason} for item in found.left_out], notes=found.notes
    )
    known_ids = {clip.clip_id: clip.sha256 for clip in corpus.clips.all()} if corpus.pk else {}
    known_hashes = set(known_ids.values())

    new: list[SourceClip] = []
    for row in progress(rows):
        try:
            info = inspect_audio(Path(row["path"]))
        except AudioError as error:
            report.left_out.append({"path": row["path"], "reason": str(error)})
            continue
        if known_ids.get(row["clip_id"]) == info.pcm_sha256:
            report.already_there += 1
        elif row["clip_id"] in known_ids:
            reason = (
                f"The clip id {row['clip_id']} was imported before with other audio; import the changed file under another id."
            )
            report.left_out.append({"path": row["path"], "reason": reason})
        elif info.pcm_sha256 in known_hashes:
            report.left_out.append(
                {"path": row["path"], "reason": "The same recording is in the corpus already, under another id."}
            )
        else:
            known_ids[row["clip_id"]] = info.pcm_sha256
            known_hashes.add(info.pcm_sha256)
            new.append(_source_clip(row, info))

    if not new and not report.already_there:
        reasons = f" The first: {report.left_out[0]['path']}: {report.left_out[0]['reason']}" if report.left_out else ""
        raise ServiceError(f"No usable clip was found in {path}.{reasons}")
    with transaction.atomic():
        corpus.language = found.language
        corpus.emotions = list(found.emotions)
        corpus.left_out = report.left_out
        corpus.save()
        for clip in new:
            clip.corpus = corpus
        SourceClip.objects.bulk_create(new)
    report.added = len(new)
    return report


def _source_clip(row: dict, info: AudioInfo) -> SourceClip:
    return SourceClip(
        clip_id=row["clip_id"],
        speaker=row["speaker"],
        sex=row["sex"],
        language=row["language"],
        transcript=row["transcript"],
        emotion=row["emotion"],
        votes=row["votes"],
        sha256=info.pcm_sha256,
        file=_keep(Path(row["path"]), info.pcm_sha256),
        sample_rate=info.sample_rate,
        channels=info.channels,
        duration_s=info.duration_s,
    )


def _keep(path: Path, sha256: str) -> str:
    """Copy a recording into the source store under its hash, whole or not at all; return its name inside the store."""
    name = f"{sha256[:2]}/{sha256}{path.suffix.lower()}"
    place = open_place(settings.SOURCE_STORE)
    if not place.has(name):
        try:
            place.write(name, path.read_bytes())
        except (OSError, StoreError) as error:
            raise ServiceError(f"{path} could not be copied: {error} Nothing was imported.") from error
    return name
