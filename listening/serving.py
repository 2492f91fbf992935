"""How gunicorn serves the site: `gunicorn --config python:listening.serving listening.wsgi`."""

import gc
import os
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

from gunicorn.glogging import Logger

_TOKEN = re.compile(r"^(/session|/audio|/api/v1/sessions)/[^/]+")


class AccessLog(Logger):
    """Gunicorn's log, with the token taken out of the addresses of raters' pages: who has it can answer in their name."""

    def atoms(self, resp: Any, req: Any, environ: dict[str, Any], request_time: timedelta) -> dict[str, Any]:
        atoms: dict[str, Any] = super().atoms(resp, req, environ, request_time)
        return {**atoms, "U": _TOKEN.sub(r"\1/-", environ.get("PATH_INFO", ""))}


def pre_fork(server: Any, worker: Any) -> None:
    """What the program consists of is never garbage: workers share its memory, and no collection stops a rater's answer to walk it."""
    gc.collect()
    gc.freeze()


bind = os.environ.get("WEB_LISTEN", "0.0.0.0:8000")
workers = int(os.environ.get("WEB_WORKERS", "2"))
threads = int(os.environ.get("WEB_THREADS", "8"))
worker_class = "gthread"
# Loaded once and then forked: a worker that takes a dead one's place answers at once.
preload_app = True
if Path("/dev/shm").is_dir():  # nosec B108
    worker_tmp_dir = "/dev/shm"  # heartbeats never wait for a disk; gunicorn makes its files there safely  # nosec B108
# What is being stored when the server is told to stop is stored and answered.
graceful_timeout = 30
timeout = 120
keepalive = 15
# No internet addresses, no queries, no tokens in the log: participants' links carry their ids.
accesslog = "-"
access_log_format = "%(t)s %(m)s %(U)s %(s)s %(B)s %(L)s"
logger_class = AccessLog
# No side door for commands: what runs the container is asked instead, and the home folder is read-only.
control_socket_disable = True
