"""Log-ins of researchers: Django's sessions, and whose each is, so that people can see and end their own."""

import hashlib
from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models


class LoginSession(AbstractBaseSession):
    """One browser that is logged in. Written by `listening.login_sessions` only."""

    # No constraint: a session that is saved while its account is deleted is no error.
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, db_constraint=False, related_name="login_sessions"
    )

    @classmethod
    def get_session_store_class(cls) -> type[SessionBase]:
        store: Any = import_module(settings.SESSION_ENGINE)
        return store.SessionStore

    @property
    def digest(self) -> str:
        """What the session is called on pages, 64 hexadecimal digits, because its key is a credential; django-axes logs the same."""
        return hashlib.sha256(self.session_key.encode()).hexdigest()
