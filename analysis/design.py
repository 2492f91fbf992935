"""Session plans of a listening test, drawn ahead and exactly balanced.

Every (clip, condition) pair gets exactly the asked number of votes in each stratum of raters, no session holds a source clip
twice, and every session hears each condition equally often, give or take one. In what order is `analysis.order`'s part.

The plans are an equitable edge colouring. Clips and sessions are the two sides of a bipartite graph; an edge says that a clip is
heard in a session; its colour is the condition. De Werra (1971) shows that such a graph has a colouring in which each colour
appears at every vertex equally often, give or take one, and Koenig's alternating paths find it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeVar

import numpy as np

from analysis.order import order_sessions

T = TypeVar("T")


class DesignError(ValueError):
    """The asked design cannot be drawn; the message says why and what to change."""


@dataclass(frozen=True)
class Plan:
    """What one rater of ``stratum`` hears: ``trials`` in order, each a (clip, condition) pair."""

    stratum: str
    trials: tuple[tuple[str, str], ...]


def draw_plans(
    clips: Sequence[str],
    conditions: Sequence[str],
    strata: Sequence[str],
    votes_per_stratum: int,
    trials_per_session: int,
    rng: np.random.Generator,
) -> list[Plan]:
    """Draw all session plans of a test.

    clips, conditions, strata: distinct names. votes_per_stratum: votes of each stimulus in each stratum, at least 1.
    trials_per_session: the longest session, 1 to the number of clips. rng: the only source of randomness.

    Returns plans stratum by stratum; their lengths differ by at most one. Raises DesignError.

    >>> plans = draw_plans(["a", "b", "c"], ["x", "y"], ["f", "m"], 1, 3, np.random.default_rng(0))
    >>> len(plans), sorted(trial for plan in plans for trial in plan.trials if plan.stratum == "f")
    (4, [('a', 'x'), ('a', 'y'), ('b', 'x'), ('b', 'y'), ('c', 'x'), ('c', 'y')])
    """
    _check(clips, conditions, strata, votes_per_stratum, trials_per_session)
    plans: list[Plan] = []
    for stratum in strata:
        sessions = _deal_clips(len(clips), len(conditions) * votes_per_stratum, trials_per_session, rng)
        colours = _colour_equitably(sessions, len(clips), len(conditions))
        heard = [[colours[session.index, clip] for clip in session.clips] for session in sessions]
        for session, colour, order in zip(sessions, heard, order_sessions(heard, len(conditions), rng), strict=True):
            plans.append(Plan(stratum, tuple((clips[session.clips[i]], conditions[colour[i]]) for i in order)))
    return plans


def _check(clips: Sequence[str], conditions: Sequence[str], strata: Sequence[str], votes: int, trials: int) -> None:
    for what, names in (("clip", clips), ("condition", conditions), ("stratum of raters", strata)):
        if not names:
            raise DesignError(f"The design has no {what}; it needs at least one.")
        if len(set(names)) != len(names):
            raise DesignError(f"The design names a {what} twice; each must be given once.")
    if votes < 1:
        raise DesignError(f"Votes per stratum is {votes}; it must be at least 1.")
    if not 1 <= trials <= len(clips):
        raise DesignError(
            f"Trials per session is {trials}, but the study has {len(clips)} clips and nobody hears a clip twice: "
            f"choose a number from 1 to {len(clips)}."
        )


@dataclass(frozen=True)
class _Session:
    index: int
    clips: tuple[int, ...]


def _deal_clips(n_clips: int, votes_per_clip: int, trials_per_session: int, rng: np.random.Generator) -> list[_Session]:
    """Give each clip ``votes_per_clip`` different sessions; session lengths differ by at most one.

    Dealing a clip to the emptiest sessions always succeeds (Gale-Ryser), because no session is longer than the number of clips.
    """
    total = n_clips * votes_per_clip
    n_sessions = max(math.ceil(total / trials_per_session), votes_per_clip)
    room = np.full(n_sessions, total // n_sessions)
    room[: total % n_sessions] += 1
    hands: list[list[int]] = [[] for _ in range(n_sessions)]
    for clip in rng.permutation(n_clips):
        emptiest = np.lexsort((rng.random(n_sessions), -room))[:votes_per_clip]
        room[emptiest] -= 1
        for session in emptiest:
            hands[session].append(int(clip))
    return [_Session(index, tuple(hand)) for index, hand in enumerate(hands)]


def _colour_equitably(sessions: Sequence[_Session], n_clips: int, n_colours: int) -> dict[tuple[int, int], int]:
    """Colour every (session, clip) edge so that each colour meets every clip and every session evenly.

    Each vertex is cut into pieces of at most ``n_colours`` edges; a proper edge colouring of the pieces (Koenig 1916) gives each
    full piece every colour once, and so each whole vertex every colour equally often.
    """
    met: dict[int, int] = dict.fromkeys(range(n_clips), 0)
    left: list[dict[int, int]] = []  # piece of a session: colour -> edge
    right: list[dict[int, int]] = []  # piece of a clip: colour -> edge
    right_of: dict[tuple[int, int], int] = {}
    edges: list[tuple[int, int, tuple[int, int]]] = []
    for session in sessions:
        for place, clip in enumerate(session.clips):
            if place % n_colours == 0:
                left.append({})
            piece = (clip, met[clip] // n_colours)
            met[clip] += 1
            if piece not in right_of:
                right_of[piece] = len(right)
                right.append({})
            edges.append((len(left) - 1, right_of[piece], (session.index, clip)))

    colour_of: dict[int, int] = {}
    for number, (u, v, _) in enumerate(edges):
        free_u = next(c for c in range(n_colours) if c not in left[u])
        free_v = next(c for c in range(n_colours) if c not in right[v])
        if free_u not in right[v]:
            free_v = free_u
        elif free_v not in left[u]:
            free_u = free_v
        if free_u != free_v:
            _swap_path(left, right, edges, colour_of, v, free_u, free_v)
        colour_of[number] = free_u
        left[u][free_u] = number
        right[v][free_u] = number
    return {edge: colour_of[number] for number, (_, _, edge) in enumerate(edges)}


def _swap_path(
    left: list[dict[int, int]],
    right: list[dict[int, int]],
    edges: list[tuple[int, int, tuple[int, int]]],
    colour_of: dict[int, int],
    start: int,
    first: int,
    second: int,
) -> None:
    """Exchange two colours on the alternating path that leaves right vertex ``start`` by ``first``, which frees it there."""
    path: list[int] = []
    vertex, on_right, colour = start, True, first
    while (edge := (right if on_right else left)[vertex].get(colour)) is not None:
        path.append(edge)
        vertex = edges[edge][0] if on_right else edges[edge][1]
        on_right = not on_right
        colour = second if colour == first else first
    for edge in path:
        u, v, _ = edges[edge]
        del left[u][colour_of[edge]], right[v][colour_of[edge]]
    for edge in path:
        u, v, _ = edges[edge]
        colour_of[edge] = second if colour_of[edge] == first else first
        left[u][colour_of[edge]] = edge
        right[v][colour_of[edge]] = edge


def insert_checks(trials: Sequence[T], checks: Sequence[T], rng: np.random.Generator) -> list[T]:
    """The trials of a session with its check items among them, in random order at random places.

    The session is cut into as many equal stretches as there are checks; each gets one, behind a trial drawn from it. So a session
    never begins with a check, no two are neighbours, they are spread over its length, and the trials keep their order.
    Raises DesignError for more checks than trials.

    >>> insert_checks([1, 2, 3, 4], [-1, -2], np.random.default_rng(0))
    [1, 2, -1, 3, 4, -2]
    """
    n, k = len(trials), len(checks)
    if k > n:
        raise DesignError(f"A session has {k} check items but only {n} trials to put them between; ask for fewer checks.")
    edges = [j * n // k for j in range(k + 1)] if k else []
    behind = {
        int(rng.integers(first, last)): check
        for (first, last), check in zip(pairwise(edges), _shuffled(checks, rng), strict=True)
    }
    placed: list[T] = []
    for index, trial in enumerate(trials):
        placed.append(trial)
        if index in behind:
            placed.append(behind[index])
    return placed


def _shuffled(items: Sequence[T], rng: np.random.Generator) -> list[T]:
    return [items[i] for i in rng.permutation(len(items))]
