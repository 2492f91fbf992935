"""``python -m analysis ser list | train | evaluate``."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import pandas as pd
from threadpoolctl import threadpool_limits

from analysis.corpora import READERS, read_corpus
from analysis.corpora.selection import select_corpus
from analysis.objective.pairs import read_pairs
from analysis.report.provenance import file_sha256
from analysis.ser.downstreams import DOWNSTREAMS, Recipe, get_downstream
from analysis.ser.errors import SerError
from analysis.ser.evaluation import evaluate_model
from analysis.ser.examples import examples_of
from analysis.ser.features import FeatureStore, default_folder
from analysis.ser.model import open_model
from analysis.ser.objective_retention import CLUSTERS
from analysis.ser.training import Order, train_model
from analysis.ser.upstreams import UPSTREAMS, Weights, get_upstream


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Put ``ser`` among the room's commands."""
    actions = commands.add_parser("ser", help="emotion recognition by machine").add_subparsers(required=True, metavar="ACTION")
    _add_list(actions)
    _add_train(actions)
    _add_evaluate(actions)


def _list(options: argparse.Namespace) -> None:
    weights = _weights(options)
    for key in UPSTREAMS:
        spec = get_upstream(key)
        print(f"{key:24}{spec.title}: {spec.problem(weights) or 'available'}")
    for key in DOWNSTREAMS:
        try:
            print(f"{key:24}{get_downstream(key).title}: available")
        except SerError as error:
            print(f"{key:24}{error}")


def _train(options: argparse.Namespace) -> None:
    reader, path = options.corpus
    corpus = select_corpus(read_corpus(reader, Path(path), options.annotation), options.select)
    merged = dict(pair.split("=", 1) for pair in options.merge.split(",") if "=" in pair)
    emotions = [name.strip() for name in options.emotions.split(",") if name.strip()]
    recipe = Recipe(
        seed=options.seed,
        epochs=options.epochs,
        patience=options.patience,
        batch=options.batch,
        learning_rate=options.learning_rate,
        precision=options.precision,
        device=options.device,
        threads=options.threads,
    )
    downstream = options.downstream or get_upstream(options.upstream).usual_downstream
    order = Order(options.upstream, downstream, recipe, _weights(options), options.features, options.workers)
    with threadpool_limits(options.threads):
        model = train_model(examples_of(corpus, emotions, merged), options.out, order)
    for note in model.description["notes"]:
        print(note)
    reached = model.description["reached"]
    print(
        f"{options.upstream}, {downstream}: macro-F1 {reached['macro_f1']:.3f}, unweighted average recall {reached['uar']:.3f} on "
        f"{reached['n_clips']} clips, each judged by a fold that was not trained on its speaker."
    )
    print(model.folder)


def _evaluate(options: argparse.Namespace) -> None:
    model = open_model(options.model, options.device, options.threads)
    pairs = read_pairs(options.pairs)
    conditions = None if options.conditions is None else pd.read_csv(options.conditions, dtype=str, keep_default_na=False)
    store = FeatureStore(
        options.features or default_folder(), get_upstream(model.settings["upstream"]), _weights(options), keep=False
    )
    with threadpool_limits(options.threads):
        _, sentences = evaluate_model(
            model,
            pairs,
            options.out,
            store,
            conditions=conditions,
            cluster=options.cluster,
            replicates=options.replicates,
            seed=options.seed,
            workers=options.workers,
            given={"pairs": options.pairs.name, "pairs_sha256": file_sha256(options.pairs)},
        )
    print("\n".join([*sentences, str(options.out / "ser.csv")]))


def _weights(options: argparse.Namespace) -> Weights:
    return Weights(options.weights, options.download, options.device, options.threads)


def _add_list(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = actions.add_parser("list", help="upstreams and downstreams, and what is missing where one cannot run")
    command.set_defaults(command=_list)
    _add_weights(command)


def _add_train(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    usual = Recipe()
    command = actions.add_parser("train", help="train on the recordings of a corpus; the same command goes on after a stop")
    command.set_defaults(command=_train)
    command.add_argument(
        "--corpus", nargs=2, required=True, metavar=("READER", "PATH"), help=f"one of {', '.join(READERS)}, and its folder"
    )
    command.add_argument("--out", type=Path, required=True, metavar="MODEL", help="folder of the model")
    command.add_argument(
        "--upstream", choices=UPSTREAMS, default="fbank", help="what turns speech into features (default fbank)"
    )
    command.add_argument(
        "--downstream", choices=DOWNSTREAMS, default="", help="what learns (default: the upstream's usual one)"
    )
    command.add_argument("--annotation", default="", help="primary or secondary labels, where the corpus has both")
    command.add_argument(
        "--select", default="", metavar="TEXT", help='such as "sex=female; emotion=anger|sadness; duration=1..6"'
    )
    command.add_argument("--emotions", default="", metavar="A,B,…", help="emotions to tell apart (default: all that occur)")
    command.add_argument("--merge", default="", metavar="A=B,…", help="emotions put together, such as excitement=happiness")
    command.add_argument("--seed", type=int, default=usual.seed, metavar="N")
    command.add_argument("--epochs", type=int, default=usual.epochs, metavar="N", help=f"at most (default {usual.epochs})")
    command.add_argument(
        "--patience", type=int, default=usual.patience, metavar="N", help=f"epochs without gain (default {usual.patience})"
    )
    command.add_argument("--batch", type=int, default=usual.batch, metavar="N", help=f"clips (default {usual.batch})")
    command.add_argument("--learning-rate", type=float, default=usual.learning_rate, metavar="X")
    command.add_argument(
        "--precision", choices=("float32", "bfloat16"), default="", help="default: bfloat16 where it may on a GPU, else float32"
    )
    _add_weights(command)
    _add_features(command)


def _add_evaluate(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = actions.add_parser("evaluate", help="what a model recognises in originals and in coded stimuli")
    command.set_defaults(command=_evaluate)
    command.add_argument("model", type=Path, metavar="MODEL", help="folder that ser train wrote")
    command.add_argument("pairs", type=Path, metavar="PAIRS", help="CSV of reference, degraded, condition and optional clip_id")
    command.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder to write into")
    command.add_argument("--conditions", type=Path, metavar="CSV", help="condition, label, family, nominal_bps, measured_bps")
    command.add_argument("--cluster", choices=CLUSTERS, default="clip", help="what the intervals resample (default clip)")
    command.add_argument("--replicates", type=int, default=2000, metavar="N", help="of the bootstrap (default 2000)")
    command.add_argument("--seed", type=int, default=0, metavar="N", help="of the bootstrap (default 0)")
    _add_weights(command)
    _add_features(command)


def _add_weights(command: argparse.ArgumentParser) -> None:
    command.add_argument("--weights", type=Path, metavar="DIR", help="folder of the upstream's checkpoint (default: hub cache)")
    command.add_argument("--download", action="store_true", help="fetch missing weights from the Hugging Face hub")
    command.add_argument(
        "--threads", type=int, default=1, metavar="N", help="of PyTorch and of linear algebra on a CPU (default 1)"
    )
    command.add_argument("--device", default="", help="cpu, cuda, cuda:1 … (default: a GPU where there is one)")


def _add_features(command: argparse.ArgumentParser) -> None:
    command.add_argument("--features", type=Path, metavar="DIR", help="where features are kept (default: the user's cache)")
    command.add_argument(
        "--workers", type=int, metavar="N", help=f"processes for features without PyTorch (default: {os.cpu_count()})"
    )
