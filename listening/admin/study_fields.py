"""Form fields for what a study keeps as lists: conditions, rating tasks in order, names one per line."""

from itertools import groupby
from typing import Any

from django import forms
from django.template.loader import render_to_string
from unfold.widgets import UnfoldAdminTextareaWidget

from codecs_runner.registry import availability, list_conditions
from listening.rating_tasks.registry import RATING_TASKS, get_rating_task


class ProjectTemplateWidget(forms.CheckboxSelectMultiple):
    """Rendered from the project's templates; Django's own form renderer sees only those of installed apps."""

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> Any:
        return render_to_string(self.template_name, self.get_context(name, value, attrs))


class ConditionWidget(ProjectTemplateWidget):
    """Checkboxes by family, each with its rate and, where it cannot be rendered here, what to do about it."""

    template_name = "researcher/widgets/conditions.html"

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        chosen = set(value or ())
        context["families"] = [
            (
                family,
                [{"condition": c, "checked": c.slug in chosen, "unavailable": availability(c.slug).reason} for c in members],
            )
            for family, members in groupby(list_conditions(), key=lambda condition: condition.family)
        ]
        return context


class ConditionsField(forms.MultipleChoiceField):
    widget = ConditionWidget
    default_error_messages = {"required": "Choose at least one condition."}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(choices=lambda: [(c.slug, c.label) for c in list_conditions()], **kwargs)


class RatingTaskWidget(ProjectTemplateWidget):
    """Checkboxes in the order that the tasks are asked in; the page moves rows, and sends them as they stand."""

    template_name = "researcher/widgets/rating_tasks.html"

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        chosen = [key for key in value or () if key in RATING_TASKS]
        keys = [*chosen, *(key for key in RATING_TASKS if key not in chosen)]
        context["tasks"] = [{"task": get_rating_task(key), "checked": key in chosen} for key in keys]
        return context


class RatingTasksField(forms.MultipleChoiceField):
    widget = RatingTaskWidget
    default_error_messages = {"required": "Choose at least one rating task."}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(choices=lambda: [(key, get_rating_task(key).title) for key in RATING_TASKS], **kwargs)


class LinesField(forms.CharField):
    """Names, one per line."""

    def __init__(self, rows: int = 3, placeholder: str = "", **kwargs: Any) -> None:
        widget = UnfoldAdminTextareaWidget(attrs={"rows": rows, "placeholder": placeholder})
        super().__init__(widget=widget, **kwargs)

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        names = value if isinstance(value, list) else [line.strip() for line in (value or "").splitlines() if line.strip()]
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise forms.ValidationError(f"“{twice}” stands here twice.")
        return names
