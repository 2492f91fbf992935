"""Downstreams by key: the networks of the papers, and a classical classifier as yardstick."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import cast

from analysis.ser.downstreams.base import Arrays, Downstream, Part, Predict, Recipe, Task, Trained
from analysis.ser.errors import SerError

__all__ = ["DOWNSTREAMS", "Arrays", "Downstream", "Part", "Predict", "Recipe", "Task", "Trained", "get_downstream"]

#: downstream key -> dotted path of its `Downstream`, loaded when asked for.
DOWNSTREAMS: Mapping[str, str] = {
    "cnn-self-attention": "analysis.ser.downstreams.networks:CNN_SELF_ATTENTION",
    "mean-linear": "analysis.ser.downstreams.networks:MEAN_LINEAR",
    "logistic": "analysis.ser.downstreams.logistic:LOGISTIC",
}


def get_downstream(key: str) -> Downstream:
    """The entry of a key. Raises SerError for another, or where its packages are not installed.

    >>> get_downstream("lstm")
    Traceback (most recent call last):
        ...
    analysis.ser.errors.SerError: There is no downstream 'lstm'; there are cnn-self-attention, mean-linear, logistic.
    """
    if key not in DOWNSTREAMS:
        raise SerError(f"There is no downstream '{key}'; there are {', '.join(DOWNSTREAMS)}.")
    module, name = DOWNSTREAMS[key].split(":")
    found = cast(Downstream, getattr(import_module(module), name))
    problem = found.problem()
    if problem:
        raise SerError(f"The downstream '{key}' cannot be used here. {problem}")
    return found
