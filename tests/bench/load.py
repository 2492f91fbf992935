"""Raters by the thousand over real HTTP: `python -m tests.bench.load --raters 2000`; prints how long they waited and what was kept.

Starts its own site below a temporary folder: gunicorn as in production, and PostgreSQL with fsync on, or SQLite as it comes. Arrivals and
answers are due at drawn times and each wait counts from then. Connections are shared among raters, as a proxy before the site shares them.
The crowd runs in a process of its own on the same machine, so what is printed is what server, database and crowd reach together.
"""

import argparse
import asyncio
import logging
import os
import platform
import tempfile
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from tests.faults.installation import Installation, broken_promises, installation, open_a_study
from tests.faults.virtual_raters import History, crowd
from tests.integration.server import REPO

#: Longest run: arrivals, and twice the time that the answers are drawn to take.
_PATIENCE = 2.0


def main() -> int:
    options = _parser().parse_args()
    with tempfile.TemporaryDirectory(prefix="listening-load-", dir="/tmp") as name:
        folder = Path(name) / "site"
        with installation(
            folder, postgres=options.database == "postgres", web_workers=options.web_workers, threads=options.threads
        ) as site:
            began = time.monotonic()
            site.manage(
                ["migrate", "--verbosity=0"],
                ["import_corpus", "manifest", str(REPO / "analysis/corpora/synthetic"), "--name=synthetic"],
            )
            open_a_study(site, raters=options.raters, trials=options.trials)
            site.start("web")
            print(f"prepared in {time.monotonic() - began:.0f} s; load average {os.getloadavg()[0]:.2f}", flush=True)
            history, kills, took = _run(site, options)
            return _tell(site, options, history, kills, took)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--database", choices=["postgres", "sqlite"], default="postgres")
    parser.add_argument("--raters", type=_even, default=2000, help="even, each with a place in the study")
    parser.add_argument("--arrive-s", type=float, default=60, help="raters arrive at drawn times within this many seconds")
    parser.add_argument("--pace-s", type=float, default=12, help="mean time from one answer to the next")
    parser.add_argument("--trials", type=int, default=12, help="clips each rater hears, at most 60")
    parser.add_argument("--web-workers", type=int, default=2)
    parser.add_argument("--threads", type=int, default=8, help="of each web worker")
    parser.add_argument("--audio-bytes", type=int, default=1024, help="of each clip that are fetched; 0 for whole clips")
    parser.add_argument("--kill-every-s", type=float, default=0, help="SIGKILL to one web worker this often; 0 for never")
    return parser


def _even(text: str) -> int:
    number = int(text)
    if number < 2 or number % 2:
        raise argparse.ArgumentTypeError("an even number of raters, 2 or more: each clip is in two conditions")
    return number


def _run(site: Installation, options: argparse.Namespace) -> tuple[History, int, float]:
    over, kills = threading.Event(), [0]

    def kill() -> None:
        while not over.wait(options.kill_every_s):
            site.kill_one_web_worker()
            kills[0] += 1

    nemesis = threading.Thread(target=kill) if options.kill_every_s else None
    began = time.monotonic()
    limit_s = options.arrive_s + _PATIENCE * options.trials * options.pace_s + 60
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        future = pool.submit(_crowd, site.url, options)
        if nemesis:
            nemesis.start()
        try:
            history = future.result(timeout=limit_s)
        finally:
            over.set()
            if nemesis:
                nemesis.join()
    return history, kills[0], time.monotonic() - began


def _crowd(url: str, options: argparse.Namespace) -> History:
    logging.getLogger("asyncio").setLevel(logging.ERROR)
    history = History()
    part = f"bytes=0-{options.audio_bytes - 1}" if options.audio_bytes else ""
    asyncio.run(crowd(url, "s", options.raters, options.arrive_s, options.pace_s, history, audio_range=part))
    return history


def _tell(site: Installation, options: argparse.Namespace, history: History, kills: int, took: float) -> int:
    broken = broken_promises(site.ask, history, lambda token: token.rpartition(":")[0])
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, {time.strftime('%Y-%m-%d')}")
    print(f"{options}\n{'':14} {'number':>8} {'p50':>8} {'p95':>8} {'p99':>8} {'most':>8}  ms")
    waits = {"joins": history.join_s, "clips": history.audio_s, "rating POSTs": history.post_s}
    for what, seconds in waits.items():
        figures = " ".join(f"{history.percentile(seconds, share):8.1f}" for share in (0.5, 0.95, 0.99, 1.0))
        print(f"{what:14} {len(seconds):8} {figures}")
    print(
        f"{took:.0f} s, {kills} kills, {history.retries} retries, {len(history.completed)} of {options.raters} completed, "
        f"{history.turned_away} turned away, {history.unfinished} gave up; most at once {history.most_at_once()}"
    )
    print("\n  ".join([f"promises broken: {len(broken)}", *broken[:20]]))
    whole = len(history.completed) == options.raters and len(history.acknowledged) == options.raters * options.trials
    return 0 if whole and not broken else 1


if __name__ == "__main__":
    raise SystemExit(main())
