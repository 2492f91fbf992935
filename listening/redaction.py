"""Nobody's id in what a failing server writes: every log line and every error report passes through here."""

import json
import logging
import re
from datetime import UTC, datetime
from typing import Any

from django.http import HttpRequest
from django.utils.safestring import SafeString, mark_safe
from django.views.debug import ExceptionReporter

HIDDEN = "[hidden]"
#: Every id of Prolific's, a participant's as well as a study's: they look alike. And signed tokens, in which such ids are readable.
_ID = re.compile(r"(?<![0-9a-z])[0-9a-f]{24}(?![0-9a-z])|\beyJ[\w-]+\.[\w-]+\.[\w-]*", re.IGNORECASE)
#: What links to a study carry, whatever it looks like: ids that people mistyped, names in personal links.
_PARAMETER = re.compile(r"""(?<=[?&])(PROLIFIC_PID|STUDY_ID|SESSION_ID|prolific_token|id)=[^&\s"'#]*""")
_NAMES = ("PROLIFIC_PID", "prolific_token", "id")


def hide_ids(text: str) -> str:
    """The text without ids of participants, studies and submissions.

    >>> hide_ids("GET /s/pilot/?PROLIFIC_PID=60d9aadeb86739de712faee0&x=1 of 60d9aadeb86739de712faee0")
    'GET /s/pilot/?PROLIFIC_PID=[hidden]&x=1 of [hidden]'
    """
    return _ID.sub(HIDDEN, _PARAMETER.sub(rf"\1={HIDDEN}", text))


class Formatter(logging.Formatter):
    """A log line, traceback included, without ids."""

    def format(self, record: logging.LogRecord) -> str:
        return hide_ids(super().format(record))


class JsonFormatter(Formatter):
    """One JSON object a line: time (UTC), level, logger, message, and the traceback where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname,
            "logger": record.name,
            "message": hide_ids(record.getMessage()),
        }
        if record.exc_info:
            line["traceback"] = hide_ids(self.formatException(record.exc_info))
        return json.dumps(line, ensure_ascii=False)


class ErrorReport(ExceptionReporter):
    """Django's error report, as e-mail or page, without ids, also where they stand in variables and in the address."""

    def get_traceback_text(self) -> SafeString:
        return _without(self.request, super().get_traceback_text())

    def get_traceback_html(self) -> SafeString:
        return _without(self.request, super().get_traceback_html())


def _without(request: HttpRequest | None, text: str) -> SafeString:
    given: list[Any] = [request.GET.get(name, "").strip() for name in _NAMES] if request is not None else []
    for value in given:
        if len(value) > 2:
            text = re.sub(re.escape(value), HIDDEN, text, flags=re.IGNORECASE)
    return mark_safe(hide_ids(text))  # Django made the page; ids were only taken out.  # nosec B308 B703
