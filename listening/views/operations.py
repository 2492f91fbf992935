"""For those who keep the installation running: a page, and the same figures for Prometheus."""

import secrets
from collections.abc import Iterator

from django.conf import settings
from django.contrib import admin
from django.contrib.auth.decorators import user_passes_test
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_safe
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from listening.models import Alert, Event, Job
from listening.services import operations


class _Figures(Collector):
    def collect(self) -> Iterator[Metric]:
        families: dict[str, CounterMetricFamily | GaugeMetricFamily] = {}
        for figure in operations.figures():
            if figure.name not in families:
                labels = [name for name, _ in figure.labels]
                families[figure.name] = (CounterMetricFamily if figure.counter else GaugeMetricFamily)(
                    figure.name, figure.help, labels=labels
                )
            families[figure.name].add_metric([value for _, value in figure.labels], figure.value)
        yield from families.values()


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Figures in Prometheus's format, for whoever shows METRICS_TOKEN; without one set, there is no such page."""
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if not settings.METRICS_TOKEN or not secrets.compare_digest(given.encode(), settings.METRICS_TOKEN.encode()):
        raise Http404
    registry = CollectorRegistry()
    registry.register(_Figures())
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


@user_passes_test(lambda user: user.is_active and user.is_superuser, login_url="admin:login")
@never_cache
@require_GET
def operations_page(request: HttpRequest) -> HttpResponse:
    """What is wrong now, what was, and every figure."""
    context = {
        **admin.site.each_context(request),
        "title": "Operations",
        "problems": operations.problems(),
        "figures": list(operations.figures()),
        "alerts": Alert.objects.all()[:20],
        "failed": Job.objects.filter(state=Job.State.FAILED)
        .select_related("stimulus__source_clip")
        .order_by("-finished_at")[:20],
        "events": Event.objects.select_related("study")[:20],
    }
    return render(request, "researcher/operations.html", context)
