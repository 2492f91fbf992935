"""What a researcher's password may not be made of, besides Django's own rules."""

from typing import Any
from urllib.parse import urlparse

from django.conf import settings
from django.core.exceptions import ValidationError

#: Words that somebody who guesses would try here first. The parts of the site's own name are added to them.
WORDS = (
    "listening",
    "listen",
    "codec",
    "stimulus",
    "speech",
    "audio",
    "rating",
    "study",
    "prolific",
    "admin",
    "password",
    "passwort",
)
_LEAST_REST = 8
_SHORTEST_WORD = 4


class ContextWordsValidator:
    """Without the words of this place a password must still have eight characters."""

    def validate(self, password: str, user: Any = None) -> None:
        host = urlparse(settings.PUBLIC_URL).hostname or ""
        words = {*WORDS, *(part for part in host.replace("-", ".").split(".") if len(part) >= _SHORTEST_WORD)}
        rest = password.casefold()
        for word in sorted(words, key=len, reverse=True):
            rest = rest.replace(word, "")
        if len(rest) < _LEAST_REST:
            raise ValidationError(self.get_help_text(), code="password_of_context_words")

    def get_help_text(self) -> str:
        return f"Words of this site (its name, listening, codec, …) do not count towards the {_LEAST_REST} characters of a password."
