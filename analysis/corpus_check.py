"""``python -m analysis corpora list | check``: what a folder of recorded speech holds, and what is wrong with it."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

from analysis.corpora import READERS, Corpus, CorpusError, get_reader, read_corpus
from analysis.corpora.folds import folds
from analysis.corpora.selection import counts_by, measure_durations, parse_selection, select_clips
from analysis.labels import ambiguity

#: Problems of one kind are shown with so many examples.
EXAMPLES = 3


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Put ``corpora`` among the room's commands."""
    actions = commands.add_parser("corpora", help="readers of speech corpora").add_subparsers(required=True, metavar="ACTION")
    listing = actions.add_parser("list", help="the readers, and the folder that each expects")
    listing.set_defaults(command=_list)
    check = actions.add_parser("check", help="read a corpus and say what is there and what is wrong")
    check.set_defaults(command=_check)
    check.add_argument("reader", metavar="READER", help=", ".join(READERS))
    check.add_argument("path", type=Path, metavar="PATH", help="its folder")
    check.add_argument("--annotation", default="", help="which labels, where a corpus has several kinds")
    check.add_argument(
        "--select", default="", metavar="TEXT", help='such as "sex=female; emotion=anger|sadness; duration=1..6"'
    )


def say_corpus(corpus: Corpus, selection: str = "") -> Iterator[str]:
    """What a corpus holds and what is wrong with it, sentence by sentence; durations are read from the files' headers.

    Raises CorpusError for a ``selection`` that means nothing.
    """
    clips, unreadable = measure_durations(corpus.clips)
    yield f"{len(clips)} clips, labels {', '.join(sorted(set(clips['annotation'])))}; options: {', '.join(corpus.emotions) or 'none'}."
    for column, counts in counts_by(clips, ("emotion", "sex", "language")).items():
        yield f"By {column}: {_listed(counts)}."
    yield f"{clips['speaker'].replace('', None).nunique()} speakers; {int((clips['transcript'] != '').sum())} clips with a transcript."
    voted = clips[clips["votes"].map(bool)]
    if len(voted):
        strata = Counter(ambiguity(votes) for votes in voted["votes"])
        yield f"{len(voted)} clips with votes: {strata['low']} of low and {strata['high']} of high ambiguity."
        yield f"{int(voted['rater_labels'].map(bool).sum())} of them tell the raters apart."
    if clips["duration_s"].notna().any():
        seconds = clips["duration_s"].dropna()
        yield f"Durations from {seconds.min():.2f} to {seconds.max():.2f} s, {seconds.sum() / 60:.1f} minutes in all."
    try:
        drawn = folds(clips)
        yield f"{len(drawn)} folds{'' if clips['splits'].map(bool).any() else ', by speaker or session, since none are published'}."
    except CorpusError as error:
        yield str(error)
    if selection:
        yield f"Selected: {int(select_clips(clips, parse_selection(selection)).sum())} of {len(clips)} clips."
    yield from corpus.notes
    yield from _problems([(item.path, item.reason) for item in corpus.left_out], "left out")
    yield from _problems(list(unreadable.items()), "not readable here")


def _problems(found: list[tuple[str, str]], what: str) -> Iterator[str]:
    """Entries with one reason in one sentence, the most frequent first; names inside reasons keep them apart."""
    reasons: dict[str, list[str]] = {}
    for path, reason in found:
        reasons.setdefault(reason.replace(Path(path).stem, "…"), []).append(Path(path).name)
    for reason, names in sorted(reasons.items(), key=lambda item: -len(item[1])):
        more = f" and {len(names) - EXAMPLES} more" if len(names) > EXAMPLES else ""
        yield f"{len(names)} {what}: {reason} ({', '.join(names[:EXAMPLES])}{more})."


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{n} {name}" for name, n in counts.items())


def _list(options: argparse.Namespace) -> None:
    for key in READERS:
        reader = get_reader(key)
        print(f"{key:13}{reader.title} ({', '.join(reader.annotations)}). {reader.layout}")


def _check(options: argparse.Namespace) -> None:
    for sentence in say_corpus(read_corpus(options.reader, options.path, options.annotation), options.select):
        print(sentence)
