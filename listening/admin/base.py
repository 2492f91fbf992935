"""What the pages have in common: rows nobody may touch, tables that may be long, filters that cost no scan."""

import json
from typing import Any

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import Count, Model, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin

from codecs_runner.registry import list_conditions
from listening.services.access import studies_of, within_studies


class BoundedPaginator(Paginator):
    """Counts no further than a person would leaf, so that a table of a million rows opens like one of a hundred."""

    LIMIT = 10_000

    @cached_property
    def count(self) -> int:
        rows: QuerySet = self.object_list  # type: ignore[assignment]  # the stubs know no more than that it has a length
        return rows.order_by().values("pk")[: self.LIMIT].count()


class ReadOnlyAdmin(ModelAdmin):
    """Rows that are made by services and raters, and only looked at here, by those who may see the study they lead to."""

    #: How a row leads to its study; empty where rows belong to the whole installation.
    study_path = ""
    actions = None
    list_per_page = 50
    show_full_result_count = False
    paginator = BoundedPaginator

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        rows = super().get_queryset(request)
        return within_studies(rows, request.user, self.study_path) if self.study_path else rows

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class StudyFilter(admin.SimpleListFilter):
    """Rows of one study; subclasses say how a row leads to its study."""

    title = "study"
    parameter_name = "study"
    path = "study"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(str(pk), slug) for pk, slug in studies_of(request.user).values_list("pk", "slug")]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        value = self.value()
        return queryset.filter(**{f"{self.path}_id": value}) if value and value.isdigit() else queryset


class ConditionFilter(admin.SimpleListFilter):
    """Rows of one condition, offered from the registry rather than by a scan of the table."""

    title = "condition"
    parameter_name = "condition"
    path = "condition"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(condition.slug, condition.label) for condition in list_conditions()]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset.filter(**{self.path: self.value()}) if self.value() else queryset


def count_of(rows: QuerySet, to: str) -> Coalesce:
    """How many of the rows lead to each listed row through ``to``: a subquery, so that it is counted for the shown page alone."""
    counted = rows.filter(**{to: OuterRef("pk")}).order_by().values(to).annotate(n=Count("pk")).values("n")
    return Coalesce(Subquery(counted), 0)


def player(url: str) -> SafeString:
    """An audio player that fetches nothing before it is played."""
    return format_html('<audio controls preload="none" class="r-player" src="{}"></audio>', url)


def pretty(value: Any) -> SafeString:
    """A JSON value for reading."""
    return (
        format_html('<pre class="r-json">{}</pre>', json.dumps(value, indent=2, ensure_ascii=False))
        if value
        else SafeString("–")
    )
