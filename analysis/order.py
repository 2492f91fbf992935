"""The order in which raters hear what a plan holds: no condition gains from what comes before it, or from when it comes.

A Williams design (1949) balances first-order carry-over exactly: each condition follows each other one equally often, and each stands
equally often at each place. It exists for sessions that hold every condition once. Sessions of a listening test hold each condition
several times or, in short ones, some not at all; so the same two counts are brought as near to even as exchanges of two trials can.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

_PASSES = 4
_TRIES_PER_TRIAL = 6
#: What an immediate repeat of a condition counts as, in transitions: it is avoided unless nothing else is left.
_REPEAT = 10_000


def order_sessions(sessions: Sequence[Sequence[int]], n_conditions: int, rng: np.random.Generator) -> list[list[int]]:
    """An order for each session.

    sessions: for each the conditions of its trials, as numbers below ``n_conditions``. Returns for each session the indices of its
    trials in the order of hearing. The sum of squares of `carry_over` and `places`, which is least where they are even, is lowered
    by exchanging two trials of a session while that helps, from a random start.

    >>> orders = order_sessions([[0, 1, 2]] * 6, 3, np.random.default_rng(0))
    >>> sorted(orders[0]), carry_over([[0, 1, 2]] * 6, orders, 3).tolist()
    ([0, 1, 2], [[0, 2, 2], [2, 0, 2], [2, 2, 0]])
    """
    orders = [[int(i) for i in rng.permutation(len(session))] for session in sessions]
    heard = [[session[i] for i in order] for session, order in zip(sessions, orders, strict=True)]
    follows = carry_over(sessions, orders, n_conditions).tolist()
    for condition in range(n_conditions):
        follows[condition][condition] += _REPEAT
    stands = places(sessions, orders, n_conditions).tolist()
    for _ in range(_PASSES):
        for order, conditions in zip(orders, heard, strict=True):
            if len(order) > 1:
                for first, second in rng.integers(len(order), size=(_TRIES_PER_TRIAL * len(order), 2)).tolist():
                    _exchange(order, conditions, first, second, follows, stands)
    return orders


def carry_over(sessions: Sequence[Sequence[int]], orders: Sequence[Sequence[int]], n_conditions: int) -> np.ndarray:
    """How often each condition (column) directly follows each (row): integers, n_conditions x n_conditions."""
    counts = np.zeros((n_conditions, n_conditions), dtype=int)
    for session, order in zip(sessions, orders, strict=True):
        heard = np.asarray(session, dtype=int)[list(order)]
        np.add.at(counts, (heard[:-1], heard[1:]), 1)
    return counts


def places(sessions: Sequence[Sequence[int]], orders: Sequence[Sequence[int]], n_conditions: int) -> np.ndarray:
    """How often each condition stands at each place of a session: integers, n_conditions x longest session."""
    counts = np.zeros((n_conditions, max(map(len, sessions), default=0)), dtype=int)
    for session, order in zip(sessions, orders, strict=True):
        np.add.at(counts, (np.asarray(session, dtype=int)[list(order)], np.arange(len(order))), 1)
    return counts


def _exchange(
    order: list[int], conditions: list[int], first: int, second: int, follows: list[list[int]], stands: list[list[int]]
) -> None:
    """Exchange two trials of a session and keep the change if it lowers the sum of squares of the counts."""
    a, b = conditions[first], conditions[second]
    if a == b:
        return
    links = [link for link in {first - 1, first, second - 1, second} if 0 <= link < len(conditions) - 1]
    # x² grows by 2x + 1 when x grows by one.
    change = 2 * (stands[a][second] + stands[b][first] - stands[a][first] - stands[b][second]) + 4
    change += sum(_count(follows, conditions, link, -1) for link in links)
    conditions[first], conditions[second] = b, a
    change += sum(_count(follows, conditions, link, 1) for link in links)
    if change < 0:
        order[first], order[second] = order[second], order[first]
        for condition, place, by in ((a, first, -1), (b, second, -1), (a, second, 1), (b, first, 1)):
            stands[condition][place] += by
        return
    for link in links:
        _count(follows, conditions, link, -1)
    conditions[first], conditions[second] = a, b
    for link in links:
        _count(follows, conditions, link, 1)


def _count(follows: list[list[int]], conditions: list[int], link: int, by: int) -> int:
    """Count one transition in or out; returns how much its square changes."""
    row, column = follows[conditions[link]], conditions[link + 1]
    row[column] += by
    return 2 * by * row[column] - 1
