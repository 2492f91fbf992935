"""Fetch missing weights, with a bar, before a person's command renders with them."""

from collections.abc import Iterable

from tqdm import tqdm

from codecs_runner import weights
from codecs_runner.errors import RunnerError
from codecs_runner.registry import missing_weights
from codecs_runner.weight_files import FILES


def fetch(keys: Iterable[str]) -> list[str]:
    """Fetch weights one after another; returns a sentence for each that could not be had. None stops the others."""
    failures = []
    for key in dict.fromkeys(keys):
        with tqdm(desc=FILES[key].name, unit="B", unit_scale=True, delay=1) as bar:

            def show(done: int, total: int, bar: "tqdm[None]" = bar) -> None:
                bar.total = total or None
                bar.update(done - bar.n)

            try:
                weights.download(key, show)
            except RunnerError as error:
                failures.append(error.sentence)
    return failures


def fetch_missing_weights(conditions: Iterable[str]) -> list[str]:
    """Fetch what these conditions lack, unless CODEC_DOWNLOAD=0; returns a sentence for each file that could not be had."""
    return fetch(missing_weights(conditions)) if weights.download_allowed() else []
