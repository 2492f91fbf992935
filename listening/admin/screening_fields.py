"""Form fields for what happens before the test: the steps of the screening, and questions in the researcher's own words."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from unfold.widgets import UnfoldAdminTextareaWidget

from listening.admin.study_fields import ProjectTemplateWidget
from listening.screening.base import END, MARK, Chosen, Step, chance_in
from listening.screening.registry import SCREENING_STEPS, get_step

RULES = ((END, "end the session"), (MARK, "go on, but leave the ratings out"))


class ScreeningWidget(ProjectTemplateWidget):
    """Checkboxes in the order of the steps, each with its numbers."""

    template_name = "researcher/widgets/screening.html"

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        context = super().get_context(name, [], attrs)
        steps = {entry["step"]: entry for entry in value or () if entry.get("step") in SCREENING_STEPS}
        keys = [*steps, *(key for key in SCREENING_STEPS if key not in steps)]
        context["rules"] = RULES
        context["steps"] = [_row(get_step(key), steps.get(key), key in steps) for key in keys]
        return context

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[dict[str, Any]]:
        entries = []
        for key in data.getlist(name):
            if key not in SCREENING_STEPS:
                continue
            prefix = f"{name}-{key}-"
            own = {part: data.get(prefix + part, "") for part in ("tries", "on_failure", "expires_minutes")}
            own["settings"] = {setting: data.get(f"{prefix}set-{setting}", "") for setting in get_step(key).settings}
            entries.append({"step": key, **own})
        return entries


def _row(step: Step, entry: dict[str, Any] | None, checked: bool) -> dict[str, Any]:
    """What a row shows: numbers as they were typed, else our defaults."""
    chosen = step.chosen({})
    shown = {**chosen.as_json(), **{k: v for k, v in (entry or {}).items() if v != "" and k != "settings"}}
    typed = (entry or {}).get("settings") or {}
    settings = [(name, setting, typed.get(name, f"{setting.default:g}")) for name, setting in step.settings.items()]
    return {"step": step, "checked": checked, "shown": shown, "settings": settings, "chance": _chance(step, chosen)}


def _chance(step: Step, chosen: Chosen) -> str:
    """What a blind guesser would score with our defaults, for people; empty where it depends on the questions."""
    if step.key in ("questions", "comprehension"):
        return "a guess passes with accepted/offered answers"
    chance = step.chance(chosen.settings, None)  # type: ignore[arg-type]
    return "a self-report" if chance is None else f"guessing passes {chance_in(chosen.tries, chance):.2g} of the time"


class ScreeningField(forms.Field):
    """The steps of a study, normalised: whole numbers within their ranges."""

    widget = ScreeningWidget

    def has_changed(self, initial: Any, data: Any) -> bool:
        return True

    def clean(self, value: Any) -> list[dict[str, Any]]:
        return [self._clean(entry) for entry in value or ()]

    def _clean(self, entry: dict[str, Any]) -> dict[str, Any]:
        step = get_step(entry["step"])
        default = step.chosen({})
        chosen = Chosen(
            step=step.key,
            tries=int(_number(step, "tries", entry.get("tries", ""), default.tries, 1, 20)),
            on_failure=rule if (rule := str(entry.get("on_failure"))) in (END, MARK) else default.on_failure,
            expires_minutes=int(
                _number(step, "minutes", entry.get("expires_minutes", ""), default.expires_minutes, 0, 366 * 24 * 60)
            ),
            settings={
                name: _number(step, s.label, (entry.get("settings") or {}).get(name, ""), s.default, s.minimum, s.maximum)
                for name, s in step.settings.items()
            },
        )
        return chosen.as_json()


def _number(step: Step, label: str, typed: Any, default: float, minimum: float, maximum: float) -> float:
    if typed == "":
        return default
    try:
        number = float(typed)
    except (TypeError, ValueError):
        raise ValidationError(f"{step.title}: “{label}” takes a number, not {typed!r}.") from None
    if not minimum <= number <= maximum:
        raise ValidationError(f"{step.title}: “{label}” goes from {minimum:g} to {maximum:g}.")
    return number


class QuestionsField(forms.CharField):
    """Questions as text: a line asks, and an empty line ends a question.

    The lines below it are options, ``*`` for accepted ones and ``-`` for others, or ``=`` for accepted typed answers.
    """

    PLACEHOLDER = (
        "Which language did you speak as a child?\n* English\n- Another\n\nHow many tones has an octave?\n= 12\n= twelve"
    )

    def __init__(self, **kwargs: Any) -> None:
        widget = UnfoldAdminTextareaWidget(attrs={"rows": 6, "placeholder": self.PLACEHOLDER})
        super().__init__(widget=widget, required=False, **kwargs)

    def prepare_value(self, value: Any) -> Any:
        if not isinstance(value, list):
            return value
        return "\n\n".join(_as_text(question) for question in value)

    def to_python(self, value: Any) -> Any:
        text = (value or "").replace("\r\n", "\n").strip()
        return [_as_question(block) for block in text.split("\n\n") if block.strip()]

    def has_changed(self, initial: Any, data: Any) -> bool:
        return self.to_python(data) != (initial or [])


def _as_text(question: dict[str, Any]) -> str:
    accepted, options = question["accepted"], question.get("options") or []
    lines = [f"{'*' if option in accepted else '-'} {option}" for option in options] or [f"= {text}" for text in accepted]
    return "\n".join([question["text"], *lines])


def _as_question(block: str) -> dict[str, Any]:
    asked, *lines = [line.strip() for line in block.strip().splitlines() if line.strip()]
    marks = [(line[0], line[1:].strip()) for line in lines]
    if wrong := next((line for line, (mark, _) in zip(lines, marks, strict=True) if mark not in "*-="), None):
        raise ValidationError(f"“{wrong}” must start with *, - or =; an empty line comes before the next question.")
    typed, chosen = [t for m, t in marks if m == "="], [(m, t) for m, t in marks if m != "="]
    if typed and chosen:
        raise ValidationError(f"“{asked}” has options and typed answers; give it one kind.")
    accepted = typed or [text for mark, text in chosen if mark == "*"]
    if not accepted:
        raise ValidationError(f"“{asked}” has no accepted answer: mark at least one option with *, or give one with =.")
    options = [text for _, text in chosen]
    if len(options) == 1:
        raise ValidationError(f"“{asked}” has one option only.")
    return {"text": asked, "accepted": accepted, "options": options}
