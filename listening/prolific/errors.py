"""What can go wrong between us and Prolific, as sentences that never carry the token."""

from typing import Any


class ProlificError(Exception):
    """Prolific refused a call, or could not be reached.

    status: the HTTP status, 0 where no answer came. code: Prolific's own error_code as text, "" where it sent none.
    retriable: whether the same call may succeed later.
    """

    def __init__(self, status: int, code: str, sentence: str, retriable: bool = False) -> None:
        super().__init__(sentence)
        self.status = status
        self.code = code
        self.sentence = sentence
        self.retriable = retriable


class ProlificUncertain(ProlificError):
    """A call that must not be repeated blindly was sent and not answered: it may or may not have happened. Look before asking again."""


def describe(body: Any) -> tuple[str, str]:
    """(error_code, sentence) of an error answer, whichever of Prolific's shapes it has: wrapped in "error" or bare, `detail` a string,
    a list, or a list for each field.

    >>> describe({"error": {"status": 400, "error_code": 140003, "title": "Bad", "detail": {"reward": ["Too low."]}}})
    ('140003', 'reward: Too low.')
    >>> describe({"message": "Slow down"})
    ('', 'Slow down')
    """
    error = body.get("error", body) if isinstance(body, dict) else body
    if not isinstance(error, dict):
        return "", str(error)[:500] if error else ""
    detail = error.get("detail") or error.get("message") or error.get("title") or ""
    if isinstance(detail, dict):
        detail = "; ".join(f"{field}: {_joined(said)}" for field, said in detail.items())
    return str(error.get("error_code") or ""), _joined(detail)[:500]


def _joined(said: Any) -> str:
    return " ".join(map(str, said)) if isinstance(said, list) else str(said)
