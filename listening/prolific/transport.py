"""HTTP to Prolific: the token, timeouts, back-off, and lists read to their end."""

import json
import random
import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import requests

from listening.prolific.errors import ProlificError, ProlificUncertain, describe

RETRIED_STATUSES = frozenset({429, 500, 502, 503, 504})
PAGE_SIZE = 100
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.5, 30.0
_PATH_PART = re.compile(r"[A-Za-z0-9_-]+")
_ID = re.compile(r"(?<![0-9a-z])[0-9a-f]{24}(?![0-9a-z])", re.IGNORECASE)
_NAMES_PEOPLE = {"participant_ids", "recipient_id"}


class _TokenAuth(requests.auth.AuthBase):
    """Adds the token as the request leaves, so that it stands in no session header and no representation."""

    def __init__(self, token: str) -> None:
        self.__token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Token {self.__token}"
        return request

    def __repr__(self) -> str:
        return "<Prolific token>"


class Transport:
    """Sends calls to one Prolific server and judges their answers.

    attempts: how often a call that may be repeated is sent in all. sleep: called with seconds between them.
    """

    def __init__(self, base_url: str, token: str, timeout_s: float, attempts: int, sleep: Callable[[float], object]) -> None:
        if not token:
            raise ValueError("There is no Prolific token; set PROLIFIC_TOKEN.")
        if attempts < 1:
            raise ValueError("attempts must be at least 1.")
        self._root = base_url.rstrip("/").removesuffix("/api/v1") + "/api/v1/"
        self._auth = _TokenAuth(token)
        self._timeout_s = timeout_s
        self._attempts = attempts
        self._sleep = sleep
        self._http = requests.Session()

    def __repr__(self) -> str:
        return f"<Prolific at {self._root}>"

    def close(self) -> None:
        self._http.close()

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        query: dict[str, Any] | None = None,
        repeatable: bool | None = None,
        headers_too: bool = False,
    ) -> Any:
        """The JSON of the answer (None where it has none); with headers_too, that and the headers.

        repeatable: whether sending the call twice does no more than sending it once; by default only GET and DELETE are. Such a call is
        sent again, with exponential back-off and full jitter or after the pause the server names, on 429, on 5xx and when no answer
        comes. Any other call is sent once; if it is unknown whether that one arrived, ProlificUncertain is raised.
        """
        repeatable = method in ("GET", "DELETE") if repeatable is None else repeatable
        maybe_done = False
        for attempt in range(1, self._attempts + 1):
            last = not repeatable or attempt == self._attempts
            try:
                answer = self._http.request(
                    method,
                    self._root + path,
                    params=query,
                    json=body,
                    auth=self._auth,
                    timeout=self._timeout_s,
                    allow_redirects=False,
                )
            except requests.RequestException as error:
                # The exception carries the request with its headers, so nothing of it goes further than its kind.
                never_sent, kind = _never_sent(error), type(error).__name__
                answer = None
            if answer is None:
                maybe_done = maybe_done or not never_sent
                if last:
                    raise self._unanswered(method, path, kind, maybe_done and method != "GET")
                self._sleep(_pause(attempt))
                continue
            if answer.status_code < 300:
                data = _json(answer)
                return (data, answer.headers) if headers_too else data
            if answer.status_code == 404 and method == "DELETE" and maybe_done:
                return None
            if answer.status_code in RETRIED_STATUSES and not last:
                maybe_done = maybe_done or answer.status_code != 429
                self._sleep(_pause(attempt, answer.headers.get("Retry-After", "")))
                continue
            maybe_done = maybe_done or answer.status_code >= 500
            raise self._refused(method, path, body, answer, maybe_done and method != "GET")
        raise AssertionError("unreachable: the last attempt returns or raises")

    def pages(self, path: str, query: dict[str, Any] | None = None, *, counted: bool = False) -> Iterator[dict[str, Any]]:
        """The items of a list, page after page: along `_links.next` until it is null, and where a list has no links but is `counted`,
        by page number until a page is empty. Prolific answers 404 past the last page, which ends the list. An item that a growing
        list shows on two pages comes once.
        """
        asked = {**(query or {}), **({"page": 1, "page_size": PAGE_SIZE} if counted else {})}
        seen: set[str] = set()
        first = True
        while True:
            try:
                body = self.call("GET", path, query=asked)
            except ProlificError as error:
                if error.status == 404 and not first:
                    return
                raise
            items = body.get("results") or []
            fresh = [item for item in items if _identity(item) not in seen]
            seen.update(map(_identity, items))
            yield from fresh
            links = body.get("_links")
            if links is not None:
                following = (links.get("next") or {}).get("href")
                if not following:
                    return
                # Only the query is taken over: the token goes to no host and no path that an answer names.
                asked = dict(parse_qsl(urlsplit(following).query, keep_blank_values=True))
            elif counted and items:
                asked = {**asked, "page": int(asked["page"]) + 1}
            else:
                return
            if items and not fresh:
                raise ProlificError(
                    200, "", f"Prolific's list {path} repeats a page; it was not read to its end.", retriable=True
                )
            first = False

    def _unanswered(self, method: str, path: str, kind: str, maybe_done: bool) -> ProlificError:
        if maybe_done:
            return ProlificUncertain(0, "", f"Prolific did not answer {method} {path} ({kind}); it may have been carried out.")
        return ProlificError(0, "", f"Prolific could not be reached for {method} {path} ({kind}).", retriable=True)

    def _refused(self, method: str, path: str, body: Any, answer: requests.Response, maybe_done: bool) -> ProlificError:
        code, said = describe(_json(answer))
        said = _without_people(said, path, body)
        sentence = f"Prolific answered {method} {path} with {answer.status_code}: {said or answer.reason or 'no reason given'}"
        if maybe_done:
            return ProlificUncertain(answer.status_code, code, f"{sentence} It may have been carried out.")
        return ProlificError(answer.status_code, code, sentence, retriable=answer.status_code in RETRIED_STATUSES)


def part(value: str) -> str:
    """An id as a part of a path. Raises ValueError for one that is empty or could lead elsewhere.

    >>> part("60d9aadeb86739de712faee0")
    '60d9aadeb86739de712faee0'
    """
    if not _PATH_PART.fullmatch(value):
        raise ValueError(f"{value!r} is not an id of Prolific's.")
    return value


def _without_people(said: str, path: str, body: Any) -> str:
    """What Prolific said, with the ids of studies and submissions that were asked about, and no others: those may be people's.

    >>> _without_people(f"{'a' * 24} is not in {'b' * 24}.", f"studies/{'b' * 24}/", None)
    '[hidden] is not in bbbbbbbbbbbbbbbbbbbbbbbb.'
    """
    things = {key: value for key, value in body.items() if key not in _NAMES_PEOPLE} if isinstance(body, dict) else {}
    asked = set(_ID.findall(path + json.dumps(things)))
    return _ID.sub(lambda found: found[0] if found[0] in asked else "[hidden]", said)


def _pause(attempt: int, retry_after: str = "") -> float:
    """Seconds before the next attempt: what the server names, else exponential with full jitter; half a minute at most."""
    if retry_after.isdigit():
        return min(float(retry_after), _LONGEST_PAUSE_S)
    return random.uniform(0, min(_FIRST_PAUSE_S * 2**attempt, _LONGEST_PAUSE_S))


def _never_sent(error: requests.RequestException) -> bool:
    """Whether the connection was never made, so that the call cannot have been carried out."""
    if isinstance(error, requests.ConnectTimeout):
        return True
    reason = getattr(error.args[0], "reason", None) if error.args else None
    return isinstance(error, requests.ConnectionError) and type(reason).__name__ in (
        "NewConnectionError",
        "NameResolutionError",
    )


def _json(answer: requests.Response) -> Any:
    try:
        return answer.json()
    except requests.JSONDecodeError:
        return answer.text[:500] or None


def _identity(item: dict[str, Any]) -> str:
    return str(item.get("id") or item.get("filter_id") or item.get("participant_id") or item)
