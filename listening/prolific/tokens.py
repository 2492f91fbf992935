"""Prolific's signed links: the `prolific_token` of a secure study, an RS256 JSON Web Token (RFC 7519) checked against Prolific's keys."""

import hmac
import threading
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Self
from urllib.parse import urlsplit

import jwt
import requests
from jwt.types import Options

from listening.prolific.link import LinkError

KEYS_URL = "https://api.prolific.com/.well-known/study/jwks.json"
ISSUER = "https://www.prolific.com"
LEEWAY_S = 10
_DAY_S = 24 * 3600
_SHORTEST_REFRESH_S = 60
_OPTIONS: Options = {
    "verify_exp": False,
    "verify_iat": False,
    "verify_nbf": False,
    "verify_aud": False,
    "require": ["exp", "iat", "aud", "sub", "iss"],
}
# What Prolific adds to the parameters of the link.
_NOT_IN_THE_LINK = {"workspace_id", "organisation_id"}


class StudyKeys:
    """Prolific's public keys by id: fetched when first needed, again after a day, and when a token names an unknown one (but not more
    than once a minute, so that made-up tokens cannot make us ask). While they cannot be fetched the ones we have stay in use.

    fetch: returns the key set as Prolific publishes it (RFC 7517). clock: seconds.
    """

    def __init__(
        self,
        url: str = KEYS_URL,
        *,
        fetch: Callable[[str], Mapping[str, Any]] | None = None,
        clock: Callable[[], float] = time.monotonic,
        max_age_s: float = _DAY_S,
    ) -> None:
        self._url = url
        self._fetch = fetch or _download
        self._clock = clock
        self._max_age_s = max_age_s
        self._keys: dict[str, jwt.PyJWK] = {}
        self._fetched_at: float | None = None
        self._lock = threading.Lock()

    @classmethod
    def of(cls, key_set: Mapping[str, Any]) -> Self:
        """A fixed key set."""
        return cls(fetch=lambda _url: key_set)

    def key(self, kid: str) -> jwt.PyJWK | None:
        """The key of this id, None if Prolific publishes none. Raises LinkError while there are no keys at all."""
        with self._lock:
            age = None if self._fetched_at is None else self._clock() - self._fetched_at
            if age is None or age > self._max_age_s or (kid not in self._keys and age > _SHORTEST_REFRESH_S):
                self._refresh()
            return self._keys.get(kid)

    def _refresh(self) -> None:
        try:
            published = self._fetch(self._url)
            keys = {key.key_id: key for key in jwt.PyJWKSet.from_dict(dict(published)).keys if key.key_id}
        except (requests.RequestException, jwt.PyJWTError, ValueError) as error:
            if not self._keys:
                raise LinkError("We cannot check the link at this moment. Please open it again in a minute.") from error
            self._fetched_at = self._clock() - self._max_age_s + _SHORTEST_REFRESH_S
        else:
            self._keys, self._fetched_at = keys, self._clock()


def verify_study_token(
    token: str, keys: StudyKeys, *, audience: str, query: Mapping[str, str], now: datetime
) -> dict[str, Any]:
    """The claims of a link's `prolific_token`, or LinkError with a sentence for the participant.

    audience: our address, whose host the token must be made for. query: the parameters of the link as they came, of which each but
    the token itself must stand in the token unchanged. now: with a time zone; a token lives two minutes.
    """
    if not token:
        raise LinkError("The link carries no prolific_token.")
    try:
        header = jwt.get_unverified_header(token)
        key = keys.key(str(header.get("kid", "")))
        if key is None:
            raise LinkError("The link is not signed with one of Prolific's keys.")
        # The algorithm is ours to say, never the token's; times and audience are judged below, by `now` and by host.
        claims: dict[str, Any] = jwt.decode(token, key.key, algorithms=["RS256"], issuer=ISSUER, options=_OPTIONS)
    except jwt.PyJWTError as error:
        raise LinkError("The link's signature is not Prolific's. Please open the study from Prolific again.") from error
    _judge_time(claims, now.timestamp())
    audiences = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
    if _host(audience) not in {_host(str(each)) for each in audiences}:
        raise LinkError("The link was made for another address.")
    _judge_query(claims, query)
    return claims


def _judge_time(claims: Mapping[str, Any], now_s: float) -> None:
    try:
        begins, ends = float(claims["iat"]), float(claims["exp"])
    except (TypeError, ValueError) as error:
        raise LinkError("The link does not say when it was made.") from error
    if now_s > ends + LEEWAY_S:
        raise LinkError("The link is too old. Please open the study from Prolific again.")
    if now_s < begins - LEEWAY_S:
        raise LinkError("The link was made in the future; one of the clocks is wrong.")


def _judge_query(claims: Mapping[str, Any], query: Mapping[str, str]) -> None:
    signed = claims.get("prolific")
    if not isinstance(signed, Mapping):
        raise LinkError("The link's token names no parameters.")
    given = {name: value for name, value in query.items() if name != "prolific_token"}
    expected = {name: str(value) for name, value in signed.items() if name in given or name not in _NOT_IN_THE_LINK}
    if given != expected:
        raise LinkError("The link was changed after Prolific signed it.")
    if not hmac.compare_digest(str(claims["sub"]).encode(), given.get("SESSION_ID", "").encode()):
        raise LinkError("The link's token belongs to another submission.")


def _host(url: str) -> str:
    return urlsplit(url if "//" in url else f"//{url}").netloc.lower()


def _download(url: str) -> Mapping[str, Any]:
    answer = requests.get(url, timeout=10)
    answer.raise_for_status()
    published: Mapping[str, Any] = answer.json()
    return published
