"""A stand-in for the platform's server that can be told to fail: it serves the trial page and the rating API, and nothing else.

The real server cannot lose a reply, hang or damage a clip on request; this one does, so that the page's promise (no answer is lost, none
is stored twice) is tested where it matters.
"""

from __future__ import annotations

import hashlib
import io
import json
import time
from collections import deque
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import soundfile
from django.template.loader import render_to_string

from listening.rating_tasks.base import Screen
from listening.rating_tasks.registry import get_rating_task

STATIC = Path(__file__).parents[2] / "static"
TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
TOKEN = "stand-in-token"
API = f"/api/v1/sessions/{TOKEN}/"
PAGE = f"/session/{TOKEN}/trial/"
DONE = f"/session/{TOKEN}/done/"

EMOTIONS = ["anger", "boredom", "disgust", "fear", "happiness", "neutral", "sadness"]
SCREEN = Screen(tuple(EMOTIONS))
TASKS = ("emotion", "emo-codec-quality")


def tone(position: int, seconds: float) -> bytes:
    """A FLAC clip at 48 kHz whose pitch tells the trials apart."""
    time_s = np.arange(int(48_000 * seconds)) / 48_000
    buffer = io.BytesIO()
    soundfile.write(buffer, 0.1 * np.sin(2 * np.pi * (300 + 40 * position) * time_s), 48_000, format="FLAC")
    return buffer.getvalue()


class StandIn:
    """One session of ``n_trials`` trials. ``faults`` holds what happens to the next posts, one entry each:

    ``drop`` (nothing arrives), ``lose_reply`` (stored, but the reply is lost), ``500``, ``slow`` (one second), ``400``, ``403``,
    ``429`` (come back in ``wait_s``). ``clip_faults`` says the same for clips: ``damaged``, ``missing``, ``expired``, ``429``;
    ``broken`` are trials whose clip never is right.
    """

    def __init__(
        self, n_trials: int = 3, clip_s: float = 0.3, minimum_heard_share: float = 1.0, tasks: Sequence[str] = TASKS
    ) -> None:
        self.tasks = [get_rating_task(key) for key in tasks]
        self.screen = SCREEN
        self.clips = [tone(position, clip_s) for position in range(1, n_trials + 1)]
        self.seconds = [tone(position + 10, clip_s) for position in range(1, n_trials + 1)]
        self.clip_s = clip_s
        self.minimum_heard_share = minimum_heard_share
        self.stored: dict[int, dict[str, Any]] = {}
        self.received: list[dict[str, Any]] = []
        self.arrived_s: list[float] = []
        self.faults: deque[str] = deque()
        self.clip_faults: deque[str] = deque()
        self.wait_s = 1
        self.preview = False
        self.max_plays: int | None = None
        self.broken: set[int] = set()
        self.refuse_skips = False
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def page_url(self) -> str:
        return self.url + PAGE

    @property
    def next_position(self) -> int | None:
        return next((position for position in range(1, len(self.clips) + 1) if position not in self.stored), None)

    def bootstrap(self) -> dict[str, Any]:
        has_pair = self.tasks[0].reference != "none"
        trials = [
            {
                "position": position,
                "audio_url": f"/audio/{position}.flac",
                "sha256": hashlib.sha256(clip).hexdigest(),
                "duration_s": self.clip_s,
                "second": {
                    "audio_url": f"/audio/{position}.flac?clip=2",
                    "sha256": hashlib.sha256(self.seconds[position - 1]).hexdigest(),
                    "duration_s": self.clip_s,
                }
                if has_pair
                else None,
                "answered": position in self.stored,
            }
            for position, clip in enumerate(self.clips, start=1)
        ]
        return {
            "token": TOKEN,
            "api_url": API,
            "n_trials": len(trials),
            "next_position": self.next_position,
            "simulated": False,
            "preview": self.preview,
            "minimum_heard_share": self.minimum_heard_share,
            "max_plays": self.max_plays,
            "done_url": DONE,
            "trials": trials,
            "scales": [question for task in self.tasks for question in task.questions(SCREEN)],
        }

    def page(self) -> str:
        context = {
            "study": {"title": "Voices"},
            "progress_step": 3,
            "bootstrap": self.bootstrap(),
            "tasks": [task.context(SCREEN) for task in self.tasks],
            "parts": [] if self.tasks[0].reference == "none" else ["First clip", "Second clip"],
            "last_key": 5,
        }
        return render_to_string("rater/trial.html", context)

    def store(self, position: int, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """What the contract of the API asks for: the first answer stands, a repeated one is welcome, a different one is not."""
        earlier = self.stored.setdefault(position, body)
        if earlier.get("answers") != body.get("answers"):
            return 409, {"detail": "Another answer is already stored.", "next_position": self.next_position}
        reply = {"position": position, "stored": True, "next_position": self.next_position, "done_url": DONE}
        return (201 if earlier is body else 200), reply

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        stand_in = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *args: object) -> None:
                """Tests read the record, not a log."""

            def reply(self, status: int, content: bytes, content_type: str) -> None:
                self.send_response(status)
                self.send_header("Content-Type", content_type)
                self.send_header("Content-Length", str(len(content)))
                if status == 429:
                    self.send_header("Retry-After", str(stand_in.wait_s))
                if status == 410:
                    self.send_header("Cache-Control", "no-store")
                self.send_header(
                    "Content-Security-Policy",
                    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
                    "connect-src 'self'; form-action 'self'; base-uri 'none'",
                )
                self.end_headers()
                self.wfile.write(content)

            def reply_json(self, status: int, body: dict[str, Any]) -> None:
                self.reply(status, json.dumps(body).encode(), "application/json")

            def do_GET(self) -> None:
                path = urlsplit(self.path).path
                if path == PAGE:
                    self.reply(200, stand_in.page().encode(), "text/html; charset=utf-8")
                elif path == DONE:
                    context = {"study": {"title": "Voices"}, "progress_step": 4, "completion_code": "C0DE", "n_trials": 3}
                    self.reply(200, render_to_string("rater/done.html", context).encode(), "text/html; charset=utf-8")
                elif path == API:
                    self.reply_json(200, stand_in.bootstrap())
                elif path.startswith("/static/"):
                    file = STATIC / path.removeprefix("/static/")
                    self.reply(200, file.read_bytes(), TYPES[file.suffix])
                elif path.endswith(".flac"):
                    self.reply_clip(int(path.rsplit("/", 1)[1].removesuffix(".flac")))
                else:
                    self.reply_json(404, {"detail": "Nothing here."})

            def reply_clip(self, position: int) -> None:
                fault = stand_in.clip_faults.popleft() if stand_in.clip_faults else ""
                clip = (stand_in.seconds if self.path.endswith("clip=2") else stand_in.clips)[position - 1]
                if position in stand_in.broken:
                    fault = "damaged"
                if fault in {"missing", "expired", "429"}:
                    self.reply({"missing": 404, "expired": 410, "429": 429}[fault], b"", "text/plain")
                else:
                    self.reply(200, clip[:-9] + b"xxxxxxxxx" if fault == "damaged" else clip, "audio/flac")

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                position = int(self.path.split("/trials/")[1].split("/")[0])
                fault = stand_in.faults.popleft() if stand_in.faults else ""
                if fault == "drop":
                    self.close_connection = True
                    return
                stand_in.received.append({"position": position, **body})
                stand_in.arrived_s.append(time.monotonic())
                if fault in {"400", "403", "429", "500"}:
                    self.reply_json(int(fault), {"detail": f"Fault {fault}."})
                    return
                if self.path.endswith("/skip/") and stand_in.refuse_skips:
                    self.reply_json(403, {"detail": "Too many clips could not be loaded."})
                    return
                if fault == "slow":
                    time.sleep(1)
                status, reply = stand_in.store(position, body)
                if fault == "lose_reply":
                    self.close_connection = True
                    return
                self.reply_json(status, reply)

        return Handler
