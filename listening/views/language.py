"""The language a rater reads: their study's, or where no study is known yet one that their browser asks for."""

from django.http import HttpRequest
from django.utils import translation

from listening.models import Study


def reading(request: HttpRequest, study: Study | None = None) -> translation.override:
    """A context in which sentences come out in the rater's language."""
    return translation.override(study.language if study else translation.get_language_from_request(request))
