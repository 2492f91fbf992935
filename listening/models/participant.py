"""The people who rate ("rater" on screens)."""

import base64
import secrets
from typing import Self

from django.db import models
from django.utils import timezone

from listening.models.identity import decrypt, encrypt, fingerprint


def draw_rater_id() -> str:
    """A random name for exports: "r" and 48 bits as lower-case letters and digits."""
    return "r" + base64.b32encode(secrets.token_bytes(6)).decode().rstrip("=").lower()


class ParticipantManager(models.Manager["Participant"]):
    """Finds participants by what a recruiter calls them."""

    def with_recruiter_id(self, recruiter_id: str) -> models.QuerySet["Participant"]:
        """At most one participant."""
        return self.filter(fingerprint=fingerprint(recruiter_id))

    def get_or_add(self, recruiter_id: str, simulated: bool = False) -> "Participant":
        """The participant of a recruiter's id, made if new."""
        participant, _ = self.get_or_create(
            fingerprint=fingerprint(recruiter_id), defaults={"encrypted_id": encrypt(recruiter_id), "simulated": simulated}
        )
        return participant


class Participant(models.Model):
    """One person as their recruiter knows them, or one simulated rater."""

    rater_id = models.CharField("name in exports", max_length=16, unique=True, default=draw_rater_id)
    fingerprint = models.CharField(max_length=64, unique=True, null=True, blank=True, editable=False)
    encrypted_id = models.TextField(blank=True, editable=False)
    simulated = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)
    forgotten_at = models.DateTimeField("identity erased at", null=True, editable=False)

    objects = ParticipantManager()

    def __str__(self) -> str:
        return self.rater_id

    @property
    def recruiter_id(self) -> str:
        """What the recruiter calls this person (Prolific's participant id); empty once it was erased."""
        return decrypt(self.encrypted_id) if self.encrypted_id else ""

    def forget(self) -> Self:
        """Erase who this is. Answers stay under the random name; nobody can say whose they are."""
        self.fingerprint, self.encrypted_id, self.forgotten_at = None, "", timezone.now()
        self.save(update_fields=["fingerprint", "encrypted_id", "forgotten_at"])
        return self
