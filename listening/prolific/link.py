"""Prolific, as plain values: the link that brings a participant and the address that takes them back. No ORM."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

_ID = re.compile(r"[0-9a-f]{24}")
_MOCK_ID = re.compile(r"[0-9a-z]{8,23}")

#: What the researcher pastes into Prolific behind our address; Prolific fills it in for each participant.
PLACEHOLDERS = "PROLIFIC_PID={{%PROLIFIC_PID%}}&STUDY_ID={{%STUDY_ID%}}&SESSION_ID={{%SESSION_ID%}}"


class LinkError(ValueError):
    """A link that does not say who is coming; the message is a sentence for that person.

    ``sentence`` with ``values`` in its places is the message; apart, so that somebody can translate it.
    """

    def __init__(self, sentence: str, **values: str) -> None:
        super().__init__(sentence.format(**values))
        self.sentence = sentence
        self.values = values


class PreviewLinkError(LinkError):
    """The link of Prolific's own preview: its ids are mock ones that Prolific's API does not know. Nobody is coming."""


@dataclass(frozen=True)
class Link:
    """Who is coming: the participant, Prolific's study and the submission, each 24 hexadecimal digits."""

    participant_id: str
    study_id: str
    submission_id: str

    @classmethod
    def from_query(cls, query: Mapping[str, str]) -> "Link":
        """Read a link's parameters.

        Raises LinkError naming the one that is missing or malformed, and PreviewLinkError where the submission's id is the
        shorter mock id (`035orbpf1pk3`) that Prolific's preview passes.
        """
        values = {}
        if _MOCK_ID.fullmatch(query.get("SESSION_ID", "").strip().lower()):
            raise PreviewLinkError("This is Prolific's preview: its SESSION_ID belongs to no submission.")
        for name in ("PROLIFIC_PID", "STUDY_ID", "SESSION_ID"):
            value = query.get(name, "").strip().lower()
            if not value:
                raise LinkError("The link does not carry {name}.", name=name)
            if not _ID.fullmatch(value):
                raise LinkError("{name} in the link is not a Prolific id: it should be 24 letters a–f and digits.", name=name)
            values[name] = value
        return cls(values["PROLIFIC_PID"], values["STUDY_ID"], values["SESSION_ID"])

    @property
    def query(self) -> str:
        """The link's parameters again, as Prolific writes them."""
        return urlencode({"PROLIFIC_PID": self.participant_id, "STUDY_ID": self.study_id, "SESSION_ID": self.submission_id})


def completion_url(code: str) -> str:
    """Where Prolific takes a participant back with a code."""
    return f"https://app.prolific.com/submissions/complete?{urlencode({'cc': code})}"
