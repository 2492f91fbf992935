"""Faults on demand: refused, failing, slow and cut calls; lost, doubled and late webhooks."""

import re
from dataclasses import dataclass


@dataclass
class Fault:
    """What happens to the next `times` calls whose path and method match.

    status: answer this instead of working. retry_after: seconds named with a 429. latency_s: wait first. cut: "before" closes the
    connection unanswered and does nothing, "after" does the work and then closes it. until: on for as long as the clock is before it
    (then `times` does not count).
    """

    path: str = ""
    method: str = ""
    status: int = 0
    times: int = 1
    retry_after: int | None = None
    latency_s: float = 0.0
    cut: str = ""
    until: float | None = None

    def matches(self, method: str, path: str) -> bool:
        return (not self.method or self.method == method) and re.search(self.path, path) is not None


class Faults:
    """The faults that wait for their calls, first in, first out."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []

    def add(self, fault: Fault) -> None:
        if fault.cut not in ("", "before", "after"):
            raise ValueError('cut must be "before" or "after".')
        self._waiting.append(fault)

    def clear(self) -> None:
        self._waiting.clear()

    def take(self, method: str, path: str, now: float) -> Fault | None:
        """The fault for this call, if one waits. now: the clock in Unix seconds."""
        self._waiting = [fault for fault in self._waiting if fault.until is None or now < fault.until]
        for fault in self._waiting:
            if fault.matches(method, path):
                if fault.until is None:
                    fault.times -= 1
                    if fault.times <= 0:
                        self._waiting.remove(fault)
                return fault
        return None
