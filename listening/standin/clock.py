"""The stand-in's time: the machine's own, or a virtual one that moves only when told to, and what is due in it."""

import heapq
import itertools
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta


class Clock:
    """A virtual clock stands still until `advance`; a real one follows the machine and must be asked to `run_due` now and then."""

    def __init__(self, virtual: bool = True, start: datetime | None = None) -> None:
        self.virtual = virtual
        self._now = start or datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
        self._due: list[tuple[datetime, int, Callable[[], None]]] = []
        self._numbers = itertools.count()
        self._queue = threading.Lock()
        self._running = threading.RLock()

    def now(self) -> datetime:
        return self._now if self.virtual else datetime.now(UTC)

    def after(self, seconds: float, action: Callable[[], None]) -> None:
        """Run an action so many seconds from now, without any lock held."""
        with self._queue:
            heapq.heappush(self._due, (self.now() + timedelta(seconds=seconds), next(self._numbers), action))

    def advance(self, seconds: float) -> None:
        """Let virtual time pass; whatever falls due runs at its own moment and in order."""
        if not self.virtual:
            raise ValueError("The clock follows the machine's time; start the stand-in with a virtual clock to move it.")
        with self._running:
            end = self._now + timedelta(seconds=seconds)
            while (event := self._next_due(end)) is not None:
                self._now = max(self._now, event[0])
                event[1]()
            self._now = end

    def run_due(self) -> None:
        """Run what is due now."""
        with self._running:
            while (event := self._next_due(self.now())) is not None:
                event[1]()

    def _next_due(self, end: datetime) -> tuple[datetime, Callable[[], None]] | None:
        with self._queue:
            if self._due and self._due[0][0] <= end:
                when, _, action = heapq.heappop(self._due)
                return when, action
        return None
