"""The second factor of log-ins: a code from an app (TOTP, RFC 6238), or one of ten backup codes. django-otp keeps and checks them.

Backup codes are kept as keyed fingerprints, so that a copy of the database holds none that works.
"""

import base64
import secrets

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.crypto import salted_hmac
from django_otp.models import Device
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice

from listening.models import LoginSession
from listening.services.audit import note

N_BACKUP_CODES = 10


def is_set_up(user: User) -> bool:
    return TOTPDevice.objects.filter(user_id=user.pk, confirmed=True).exists()


def device_for(user: User, code: str) -> Device | None:
    """The device of theirs that a code fits, an app or the backup codes. Either code is taken once and never again."""
    code = "".join(code.split()).replace("-", "").lower()
    with transaction.atomic():
        for app in TOTPDevice.objects.select_for_update().filter(user_id=user.pk, confirmed=True):
            if app.verify_token(code):
                return app
        for paper in StaticDevice.objects.select_for_update().filter(user_id=user.pk, confirmed=True):
            if paper.verify_token(_fingerprint(code)):
                return paper
    return None


def offer_device(user: User) -> TOTPDevice:
    """A device with a new secret, which counts for nothing until a code of it was seen; what was offered before is gone."""
    with transaction.atomic():
        TOTPDevice.objects.filter(user_id=user.pk, confirmed=False).delete()
        return TOTPDevice.objects.create(user=user, confirmed=False, name="app")


def offered_device(user: User) -> TOTPDevice | None:
    return TOTPDevice.objects.filter(user_id=user.pk, confirmed=False).first()


def confirm_device(user: User, code: str) -> tuple[TOTPDevice, list[str]] | None:
    """Take the offered device for the account's only one and draw its backup codes; None where the code does not fit."""
    with transaction.atomic():
        device = TOTPDevice.objects.select_for_update().filter(user_id=user.pk, confirmed=False).first()
        if device is None or not device.verify_token("".join(code.split())):
            return None
        device.confirmed = True
        device.save(update_fields=["confirmed"])
        TOTPDevice.objects.filter(user_id=user.pk).exclude(pk=device.pk).delete()
        codes = _draw_codes(user)
        note(user, user, "Set up a second factor.")
    return device, codes


def new_backup_codes(user: User) -> list[str]:
    """Ten new codes; the old ones are worth nothing from now on. They can be shown now and never again."""
    with transaction.atomic():
        codes = _draw_codes(user)
        note(user, user, "Drew new backup codes.")
    return codes


def forget_devices(user: User, by: User) -> None:
    """Take an account's app and backup codes away, and end its log-ins: the next one sets up anew."""
    with transaction.atomic():
        TOTPDevice.objects.filter(user_id=user.pk).delete()
        StaticDevice.objects.filter(user_id=user.pk).delete()
        if by != user:
            end_sessions(user)
        note(by, user, "Removed the second factor.")


def end_sessions(user: User, *, but: str = "", only: list[str] | None = None) -> int:
    """Log an account out: everywhere, but in the session with the key ``but``, or in those with these digests alone."""
    sessions = [row for row in LoginSession.objects.filter(user_id=user.pk) if row.session_key != but]
    chosen = [row.pk for row in sessions if only is None or row.digest in only]
    return LoginSession.objects.filter(pk__in=chosen).delete()[0]


def _draw_codes(user: User) -> list[str]:
    drawn = [base64.b32encode(secrets.token_bytes(15)).decode().lower() for _ in range(N_BACKUP_CODES)]
    paper, _ = StaticDevice.objects.get_or_create(user=user, defaults={"name": "backup codes"})
    paper.token_set.all().delete()
    for code in drawn:
        paper.token_set.create(token=_fingerprint(code))
    return ["-".join(code[start : start + 4] for start in range(0, 24, 4)) for code in drawn]


def _fingerprint(code: str) -> str:
    digest = salted_hmac("listening.backup-codes", code, algorithm="sha256").digest()
    return base64.b32encode(digest[:10]).decode()
