"""Signed links of secure studies: the stand-in's own RSA key, its public half as a key set, and tokens of two minutes."""

import json
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from listening.standin.records import Study, Submission
from listening.standin.world import World

LIFETIME_S = 120


class Signer:
    """Made when the first secure study asks for it, because a key takes a moment."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._kid = world.new_id()

    @cached_property
    def _key(self) -> rsa.RSAPrivateKey:
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def key_set(self) -> dict[str, Any]:
        public = json.loads(RSAAlgorithm.to_jwk(self._key.public_key()))
        shown = {name: public[name] for name in ("kty", "n", "e")}
        return {"keys": [{**shown, "kid": self._kid, "alg": "RS256", "use": "sig", "key_ops": ["verify"]}]}

    def signed(self, study: Study, submission: Submission, url: str) -> str:
        """The address with `prolific_token` added, which names every parameter the address had."""
        now = int(self._world.now().timestamp())
        claims = {
            "iss": "https://www.prolific.com",
            "iat": now,
            "exp": now + LIFETIME_S,
            "aud": study.fields["external_study_url"],
            "sub": submission.id,
            "prolific": {**dict(parse_qsl(urlsplit(url).query)), "workspace_id": study.workspace_id},
        }
        token = jwt.encode(claims, self._key, algorithm="RS256", headers={"kid": self._kid})
        return f"{url}{'&' if '?' in url else '?'}{urlencode({'prolific_token': token})}"
