"""Who a participant is to the recruiter, kept so that a copy of the database does not tell.

A recruiter's id (a Prolific PID) is stored twice: as a keyed fingerprint, by which it is found again, and encrypted, by which it can
be read back to pay. Both need PARTICIPANT_KEYS, which is not in the database. The newest key stands first and encrypts; all of them
decrypt; the oldest stands last and makes the fingerprints, so that a new key in front loses nobody.
"""

import base64
import hashlib
import hmac

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings


class IdentityError(RuntimeError):
    """A stored id that none of PARTICIPANT_KEYS opens."""


def fingerprint(recruiter_id: str) -> str:
    """64 hexadecimal digits that are the same for the same id and tell nothing about it without the key."""
    return hmac.new(_derive(settings.PARTICIPANT_KEYS[-1], "fingerprint"), recruiter_id.encode(), hashlib.sha256).hexdigest()


def encrypt(recruiter_id: str) -> str:
    """The id as a Fernet token, another one each time."""
    return _fernet().encrypt(recruiter_id.encode()).decode()


def decrypt(token: str) -> str:
    """The id of a Fernet token. Raises IdentityError when the key it was made with is not there."""
    try:
        return _fernet().decrypt(token.encode()).decode()
    except InvalidToken as error:
        raise IdentityError("A participant's id cannot be read: PARTICIPANT_KEYS lacks the key that encrypted it.") from error


def _fernet() -> MultiFernet:
    return MultiFernet([Fernet(base64.urlsafe_b64encode(_derive(key, "encryption"))) for key in settings.PARTICIPANT_KEYS])


def _derive(key: str, purpose: str) -> bytes:
    return hashlib.blake2b(key.encode(), digest_size=32, person=purpose.encode()[:16]).digest()
