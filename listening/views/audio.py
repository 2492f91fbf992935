"""What raters hear, over HTTP: whole clips of a session's own trials, and the tones of the sound check."""

import io

import numpy as np
import soundfile
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotFound
from django.http.response import HttpResponseBase
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from listening.models import Session, Trial
from listening.services.ratings import note_audio_sent
from listening.services.stimuli import store
from listening.views.delivery import send

_RATE = 48_000
_DAY = 86_400


@require_safe
def trial_audio(request: HttpRequest, token: str, trial_id: str) -> HttpResponseBase:
    """The clip of one trial, FLAC at 48 kHz. The address tells neither clip nor condition."""
    try:
        session = Session.from_token(token)
        trial = Trial.objects.select_related("stimulus").get(session=session, public_id=trial_id)
    except (Session.DoesNotExist, Trial.DoesNotExist):
        return HttpResponseNotFound("There is no such clip.")
    etag = f'"{trial.stimulus.audio_sha256}"'
    if request.headers.get("If-None-Match") == etag:
        note_audio_sent(trial)
        return HttpResponse(status=304, headers={"ETag": etag})
    stimuli = store()
    try:
        response = send(request, stimuli.place, stimuli.name(trial.stimulus.key))
    except Http404:
        return HttpResponseNotFound(
            "The clip's file is missing from the store; the researchers need to prepare the stimuli again."
        )
    note_audio_sent(trial)
    if response.status_code < 300:
        response["Accept-Ranges"] = "bytes"
        response["ETag"] = etag
        response["Cache-Control"] = f"private, max-age={_DAY}, immutable"
    return response


@never_cache
@require_safe
def check_audio(request: HttpRequest, token: str) -> HttpResponse:
    """The tones of the sound check, at the level of the clips; the page is never told how many there are."""
    try:
        session = Session.from_token(token)
    except Session.DoesNotExist:
        return HttpResponseNotFound("There is no such clip.")
    buffer = io.BytesIO()
    soundfile.write(buffer, tones(session.check_answer), _RATE, format="FLAC", subtype="PCM_16")
    return HttpResponse(buffer.getvalue(), content_type="audio/flac")


def tones(count: int) -> np.ndarray:
    """``count`` soft 440 Hz tones of 0.35 s at -26 dBov RMS, 0.35 s apart, as float64 at 48 kHz."""
    time = np.arange(int(0.35 * _RATE)) / _RATE
    fade = np.clip(np.minimum(time, time[-1] - time) / 0.02, 0, 1)
    tone = np.sqrt(2) * 10 ** (-26 / 20) * np.sin(2 * np.pi * 440 * time) * fade
    silence = np.zeros_like(tone)
    return np.concatenate([silence, *[part for _ in range(count) for part in (tone, silence)]])
