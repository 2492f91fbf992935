"""Work spread over processes: few groups in flight, and a process that is killed takes only those few along."""

import os
import signal
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from functools import cache
from itertools import islice
from multiprocessing import get_context, parent_process
from multiprocessing.process import BaseProcess
from threading import Thread
from typing import TypeVar

IN_FLIGHT = 4  # groups handed to each process at a time

Group = TypeVar("Group")
Result = TypeVar("Result")


def spread(
    groups: Iterable[Group], work: Callable[[Group], Result], workers: int, setting: str = ""
) -> Iterator[tuple[Group, Result | None]]:
    """``work`` on each group in one of ``workers`` processes; each group comes back with its result, in whatever order.

    The result is None where the process was killed, for want of memory perhaps; what is left then goes to new processes. Few groups
    are handed out at a time, so that what waits and what is done takes no memory. What ``work`` raises is raised here.
    """
    waiting = iter(groups)
    running: dict[Future[Result], Group] = {}
    try:
        while True:
            for group in islice(waiting, IN_FLIGHT * workers - len(running)):
                running[executor(workers, setting).submit(work, group)] = group
            if not running:
                return
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                group = running.pop(future)
                try:
                    yield group, future.result()
                except BrokenProcessPool:
                    executor.cache_clear()
                    yield group, None
    finally:
        for future in running:
            future.cancel()


@cache
def executor(workers: int, setting: str = "") -> ProcessPoolExecutor:
    """One pool for each ``setting``, kept until the program ends; its processes inherit the environment of the first call.

    They are started afresh, not forked, so that they share no database connection with the caller.
    """
    return ProcessPoolExecutor(workers, get_context("spawn"), initializer=_start_process)


def _start_process() -> None:
    """Leave Ctrl-C to the caller, which cancels what has not begun, and do not outlive a caller that was killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    caller = parent_process()
    if caller is not None:
        Thread(target=_end_with, args=[caller], daemon=True).start()


def _end_with(caller: BaseProcess) -> None:
    caller.join()
    os._exit(1)
