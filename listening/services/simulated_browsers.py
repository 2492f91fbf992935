"""As much of a browser as a simulated rater needs: over HTTP to a running server, or within this process."""

import http.client
import json
import re
from abc import ABC, abstractmethod
from urllib.parse import urlencode, urlparse

from django.conf import settings
from django.test import Client

from listening.services.errors import ServiceError

_HEADING = re.compile(r"<h1[^>]*>(.*?)</h1>", re.DOTALL)
_FORM = "application/x-www-form-urlencoded"


class Browser(ABC):
    """Opens pages, sends forms and JSON, follows redirects. Every method raises ServiceError for an answer of 400 or more."""

    def get(self, path: str) -> bytes:
        return self._ask("GET", path)[2]

    def post_json(self, path: str, body: dict) -> None:
        self._ask("POST", path, json.dumps(body), "application/json")

    def follow(self, path: str, form: dict[str, str] | None = None) -> str:
        """Open a page, or send its form, and return the path of the page where it ends."""
        status, location, _ = self._ask("POST", path, urlencode(form), _FORM) if form else self._ask("GET", path)
        while status in (301, 302, 303):
            path = location
            status, location, _ = self._ask("GET", path)
        return path

    def _ask(self, method: str, path: str, body: str = "", content_type: str = "") -> tuple[int, str, bytes]:
        status, location, content = self._answer(method, path, body, content_type)
        if status >= 400:
            said = content.decode(errors="replace")
            heading = _HEADING.search(said)
            # A page says what is wrong in its heading, other answers from their first word on.
            said = " ".join(heading[1].split()) if heading else said[:300]
            raise ServiceError(f"{method} {path.partition('?')[0]} was answered with {status}: {said}")
        return status, location, content

    @abstractmethod
    def _answer(self, method: str, path: str, body: str, content_type: str) -> tuple[int, str, bytes]:
        """Status, where it redirects to, and content."""


class OverHttp(Browser):
    """A browser of a server that runs somewhere: one kept connection."""

    def __init__(self, base_url: str) -> None:
        url = urlparse(base_url)
        self._base = base_url
        connection = http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection
        self._connection = connection(url.hostname or "", url.port, timeout=60)

    def close(self) -> None:
        self._connection.close()

    def _answer(self, method: str, path: str, body: str, content_type: str) -> tuple[int, str, bytes]:
        try:
            self._connection.request(method, path, body or None, {"Content-Type": content_type} if content_type else {})
            response = self._connection.getresponse()
            data = response.read()
        except OSError as error:
            raise ServiceError(f"{self._base} does not answer ({error}); is the server running there?") from error
        return response.status, response.headers.get("Location", ""), data


class InProcess(Browser):
    """A browser that hands its requests to Django itself, cookies and all, where no server need run or be reached: in a worker."""

    def __init__(self) -> None:
        url = urlparse(settings.PUBLIC_URL)
        self._https = url.scheme == "https"
        self._client = Client(SERVER_NAME=url.hostname or "localhost", raise_request_exception=False)

    def _answer(self, method: str, path: str, body: str, content_type: str) -> tuple[int, str, bytes]:
        response = self._client.generic(method, path, body, content_type or "text/plain", secure=self._https)
        content = b"".join(response) if response.streaming else response.content
        # The client has closed the response itself, in the way that leaves this worker's database connection open.
        return response.status_code, response.headers.get("Location", ""), content
