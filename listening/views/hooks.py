"""Where Prolific's webhooks arrive."""

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from listening.prolific import WebhookError
from listening.services.submissions import process_webhooks, receive_webhook

_LARGEST_BODY = 100_000


@csrf_exempt  # The signature over the raw body is the credential.
@require_POST
def prolific(request: HttpRequest) -> HttpResponse:
    """Store a signed event and act on it; answered with 200 once it is stored, whatever becomes of the rest."""
    length = request.headers.get("Content-Length", "")
    if len(length) > 9 or (length.isdecimal() and int(length) > _LARGEST_BODY):
        return HttpResponse("The event is too large.", status=413, content_type="text/plain")
    try:
        new = receive_webhook(request.headers, request.body, timezone.now())
    except WebhookError as error:
        return HttpResponse(str(error), status=400, content_type="text/plain")
    if new:
        process_webhooks()
    return HttpResponse("Stored." if new else "Stored before.", content_type="text/plain")
