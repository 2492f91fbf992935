"""Connections that break off in the middle, and clients that take for ever to say what they want."""

import asyncio
import contextlib
import json
import socket
import struct
import threading
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest

from tests.faults.installation import installation
from tests.faults.under_load import check, prepare, rate_under
from tests.faults.virtual_raters import VirtualRater


class CutOff(VirtualRater):
    """Sends each answer three times: cut in its middle, whole but gone before the receipt, and as it should be."""

    async def _json(self, http: aiohttp.ClientSession, method: str, path: str, body: Any = None) -> Any:
        if body is not None:
            content = json.dumps(body).encode()
            head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
            for sent in (content[: len(content) // 2], content):
                await asyncio.to_thread(_send_and_hang_up, self._base, head.encode() + sent)
        return await super()._json(http, method, path, body)


def _connect(base: str) -> socket.socket:
    address = urlsplit(base)
    return socket.create_connection((str(address.hostname), int(address.port or 80)), timeout=10)


def _send_and_hang_up(base: str, content: bytes) -> None:
    with _connect(base) as line:
        line.sendall(content)
        # Closed with a reset, as a phone that leaves the network is in the end.
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@pytest.mark.slow
def test_answers_over_connections_that_break_off_are_stored_once(tmp_path: Path) -> None:
    began, raters, trials = time.monotonic(), 10, 5
    with installation(tmp_path, postgres=False) as site:
        prepare(site, raters, trials)
        history = rate_under(site, lambda over: None, raters, over_s=2, pace_s=1.0, kind=CutOff)
        check(site, history, f"{2 * raters * trials} connections cut", trials=trials, raters=raters, began=began)


@pytest.mark.slow
def test_slow_clients_hold_up_no_rater(tmp_path: Path) -> None:
    """More of them than the site has threads; each says a byte of its request now and then, and never ends it."""
    began, raters, trials, slow = time.monotonic(), 10, 5, 40
    with installation(tmp_path, postgres=False) as site:
        prepare(site, raters, trials)

        def trouble(over: threading.Event) -> None:
            with contextlib.ExitStack() as lines:
                held = [lines.enter_context(_connect(site.url)) for _ in range(slow)]
                for byte in b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: " + b"a" * 1000:
                    for line in held:
                        with contextlib.suppress(OSError):
                            line.send(bytes([byte]))
                    if over.wait(0.3):
                        return

        history = rate_under(site, trouble, raters, over_s=2, pace_s=1.0)
        check(site, history, f"{slow} slow clients", trials=trials, raters=raters, began=began)
        assert history.percentile(history.post_s, 0.95) < 2000, "raters waited for slow clients"
