"""``python -m analysis score PAIRS.csv --measures pesq_wb,stoi --out SCORES.csv``"""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd
from tqdm import tqdm

from analysis.objective import MEASURES, get_measure, parse_measures
from analysis.objective.memory import ScoreMemory
from analysis.objective.overall import DOMAINS, benchmark_table
from analysis.objective.pairs import read_pairs, score_pairs
from analysis.schema import SchemaError

BENCHMARK = tuple(key for key in MEASURES if key.startswith("codec_superb_"))


def add_score_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The sub-command ``score``."""
    parser = commands.add_parser(
        "score", help="signal measures of pairs of recordings", epilog=f"Measures: {', '.join(MEASURES)}"
    )
    parser.set_defaults(command=_score)
    parser.add_argument(
        "pairs", type=Path, metavar="PAIRS", help="CSV: reference, degraded, and optional clip_id, condition, dataset"
    )
    parser.add_argument("--measures", default="all", metavar="A,B,…", help="keys, beginnings of keys, or all (default)")
    parser.add_argument("--out", type=Path, required=True, metavar="CSV", help="columns of PAIRS, and measure, score, reason")
    parser.add_argument("--workers", type=int, metavar="N", help="processes (default: one for each core)")
    parser.add_argument("--cache", type=Path, metavar="FILE", help="scores already computed (default: OUT with .cache added)")
    parser.add_argument(
        "--benchmark", type=Path, metavar="CSV", help="write Codec-SUPERB's overall score of each condition there"
    )
    parser.add_argument("--domain", choices=DOMAINS, default="speech", help="of the overall score (default speech)")


def _score(options: argparse.Namespace) -> None:
    try:
        measures = parse_measures(options.measures)
    except KeyError as error:
        raise SchemaError(str(error.args[0])) from None
    if options.benchmark is not None:
        measures += tuple(key for key in BENCHMARK if key not in measures)
    for sentence in dict.fromkeys(sentence for key in measures if (sentence := get_measure(key).missing)):
        print(sentence)
    pairs = read_pairs(options.pairs)
    cache = options.cache or options.out.with_name(options.out.name + ".cache")
    with ScoreMemory(cache) as memory, tqdm(desc="Measuring", unit=" pairs", total=len(pairs), delay=1, disable=None) as bar:

        def progress(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        scores = score_pairs(pairs, measures, memory=memory, workers=options.workers, progress=progress)
    _write(scores, options.out)
    if options.benchmark is not None:
        _write(benchmark_table(scores, options.domain), options.benchmark)
    undefined = scores[scores["reason"] != ""]
    print(f"{len(scores) - len(undefined)} scores of {len(pairs)} pairs in {options.out}; {len(undefined)} are undefined.")
    for reason, count in undefined["reason"].value_counts().head(5).items():
        print(f"  {count} × {reason}")


def _write(table: pd.DataFrame, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    table.to_csv(part, index=False, float_format="%.6g", lineterminator="\n")
    part.replace(path)
