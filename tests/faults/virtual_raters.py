"""Raters as programs: they speak the pages' own protocol, retries included, and write down what they were promised."""

import asyncio
import json
import time
import uuid
from dataclasses import dataclass, field
from itertools import accumulate
from random import Random
from typing import Any

import aiohttp

PAUSES_S = (0.2, 0.5, 1.0, 2.0)  # before each further try; the last one again and again


@dataclass
class History:
    """What was sent, what was acknowledged, who was shown a completion code, and how long it took."""

    attempted: dict[tuple[str, int], str] = field(default_factory=dict)
    acknowledged: dict[tuple[str, int], str] = field(default_factory=dict)
    completed: set[str] = field(default_factory=set)
    turned_away: int = 0
    unfinished: int = 0
    retries: int = 0
    told_to_wait: int = 0
    post_s: list[float] = field(default_factory=list)
    join_s: list[float] = field(default_factory=list)
    audio_s: list[float] = field(default_factory=list)

    present_s: list[tuple[float, float]] = field(default_factory=list)

    def most_at_once(self) -> int:
        """The most raters that were there at one moment."""
        steps = sorted([(came, 1) for came, _ in self.present_s] + [(left, -1) for _, left in self.present_s])
        return max(accumulate((step for _, step in steps), initial=0))

    def percentile(self, seconds: list[float], share: float) -> float:
        """In milliseconds; 0 where nothing was measured."""
        return 1000 * sorted(seconds)[min(int(share * len(seconds)), len(seconds) - 1)] if seconds else 0.0


class VirtualRater:
    """One rater from the link to the completion code.

    ``pace_s``: mean time from one answer to the next; arrivals and answers are due at drawn times, and how long one took counts from when
    it was due, so that a server that stalls is charged for all who wait. ``give_up_s``: how long one request is tried.
    ``audio_range``: the part of each clip that is fetched, as a Range header says it; whole clips where it is empty.
    """

    def __init__(
        self,
        base_url: str,
        slug: str,
        history: History,
        rng: Random,
        pace_s: float,
        *,
        give_up_s: float = 120,
        audio_range: str = "",
    ) -> None:
        self._base, self._slug, self._history, self._rng = base_url, slug, history, rng
        self._pace_s, self._give_up_s = pace_s, give_up_s
        self._audio = {"headers": {"Range": audio_range}} if audio_range else {}

    def name(self) -> str:
        return f"{self._rng.getrandbits(96):024x}"

    async def take(self, http: aiohttp.ClientSession, began: float) -> None:
        """``began``: when the rater was due, on the monotonic clock."""
        try:
            page = await self._page(http, f"/s/{self._slug}/?id={self.name()}")
            if page.endswith("/consent/"):
                page = await self._page(http, page, {"consent": "on", "stratum": "all"})
            if not page.endswith("/trial/"):
                self._history.turned_away += 1
                return
            token = page.split("/")[2]
            state = await self._json(http, "GET", f"/api/v1/sessions/{token}/")
            self._history.join_s.append(time.monotonic() - began)
            await self._rate(http, token, state)
            answer = await self._text(http, state["done_url"])
            if "We have received all your answers" in answer:
                self._history.completed.add(token)
            self._history.present_s.append((began, time.monotonic()))
        except TimeoutError:
            self._history.unfinished += 1

    async def _rate(self, http: aiohttp.ClientSession, token: str, state: dict[str, Any]) -> None:
        due = time.monotonic()
        for trial in state["trials"]:
            if trial["answered"]:
                continue
            asked = time.monotonic()
            await self._body(http, "GET", trial["audio_url"], **self._audio)
            self._history.audio_s.append(time.monotonic() - asked)
            due = max(due + self._pace_s * self._rng.uniform(0.5, 1.5), time.monotonic() + 0.9 * trial["duration_s"] * 0.1)
            await asyncio.sleep(max(due - time.monotonic(), 0))
            value = self._rng.randint(1, 5)
            key = str(uuid.UUID(int=self._rng.getrandbits(128), version=4))
            name = (token, trial["position"])
            self._history.attempted[name] = key
            body = {"idempotency_key": key, "answers": {"quality": value}, "listening": {"plays": 1, "heard_share": 1.0}}
            await self._json(http, "POST", f"{state['api_url']}trials/{trial['position']}/ratings/", body)
            self._history.post_s.append(time.monotonic() - due)
            self._history.acknowledged[name] = key

    async def _page(self, http: aiohttp.ClientSession, path: str, form: dict[str, str] | None = None) -> str:
        """Open a page, or send its form, and return the path where it ends."""
        status, location, _ = await self._try(http, "POST" if form else "GET", path, data=form)
        while status in (301, 302, 303):
            path = location
            status, location, _ = await self._try(http, "GET", path)
        return path

    async def _json(self, http: aiohttp.ClientSession, method: str, path: str, body: Any = None) -> Any:
        return json.loads((await self._try(http, method, path, json=body))[2])

    async def _text(self, http: aiohttp.ClientSession, path: str) -> str:
        return (await self._try(http, "GET", path))[2].decode(errors="replace")

    async def _body(self, http: aiohttp.ClientSession, method: str, path: str, **what: Any) -> bytes:
        return (await self._try(http, method, path, **what))[2]

    async def _try(self, http: aiohttp.ClientSession, method: str, path: str, **what: Any) -> tuple[int, str, bytes]:
        """As the page does: again after each failure of the line or of the server, with the same key, until there is an answer."""
        deadline = time.monotonic() + self._give_up_s
        for number in range(10_000):
            try:
                timeout = aiohttp.ClientTimeout(total=20)
                async with http.request(method, self._base + path, allow_redirects=False, timeout=timeout, **what) as answer:
                    content = await answer.read()
                    if answer.status < 500 and answer.status != 429:
                        if answer.status >= 400 and answer.status != 403:
                            raise AssertionError(f"{method} {path}: {answer.status} {content[:300]!r}")
                        return answer.status, answer.headers.get("Location", ""), content
                    self._history.told_to_wait += answer.status == 503
            except (aiohttp.ClientError, TimeoutError, ConnectionError):
                pass
            if time.monotonic() > deadline:
                raise TimeoutError(path)
            self._history.retries += 1
            await asyncio.sleep(PAUSES_S[min(number, len(PAUSES_S) - 1)] * self._rng.uniform(0.5, 1.5))
        raise TimeoutError(path)


async def crowd(
    base_url: str,
    slug: str,
    n: int,
    over_s: float,
    pace_s: float,
    history: History,
    *,
    seed: int = 0,
    kind: type[VirtualRater] = VirtualRater,
    **options: Any,
) -> None:
    """``n`` raters of a kind who arrive at drawn times within ``over_s`` seconds, whether or not the server keeps up.

    ``options`` are those of the raters.
    """
    rng, began = Random(seed), time.monotonic()
    connector = aiohttp.TCPConnector(limit=0, force_close=False)

    async def one(number: int, due: float) -> None:
        await asyncio.sleep(max(due - time.monotonic(), 0))
        rater = kind(base_url, slug, history, Random(f"{seed}-{number}"), pace_s, **options)
        await rater.take(http, due)

    async with aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as http:
        await asyncio.gather(*(one(number, began + rng.uniform(0, over_s)) for number in range(n)))
