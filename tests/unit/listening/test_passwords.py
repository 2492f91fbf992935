"""What a researcher's password may not be."""

import pytest
from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError


@pytest.mark.parametrize(
    "password",
    [
        "short",
        "password123",
        "12345678",
        "Listening2026",
        "CodecStudy1!",
        "codeccodeccodec",
        "voicelab2026",
        "ada.lovelace",
        "prolific-admin",
    ],
)
def test_what_a_guesser_would_try_first_is_refused(settings, password):
    settings.PUBLIC_URL = "https://tests.voicelab.example.org"
    with pytest.raises(ValidationError):
        validate_password(password, User(username="ada.lovelace"))


@pytest.mark.parametrize("password", ["a long enough phrase", "listening to seven grey geese", "kR7!wz0Qpf"])
def test_what_has_enough_besides_is_taken(settings, password):
    settings.PUBLIC_URL = "https://tests.voicelab.example.org"
    validate_password(password, User(username="ada.lovelace"))
