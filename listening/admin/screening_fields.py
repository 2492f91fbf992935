"""Form fields for what happens before the test: the steps of the screening, and questions in the researcher's own words."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from unfold.widgets import UnfoldAdminTextareaWidget

from listening.admin.study_fields import ProjectTemplateWidget
from listening.screening.base import END, MARK, Chosen, Step, chance_in
from listening.screening.registry import SCREENING_STEPS, get_step

MOST_MINUTES = 366 * 24 * 60
RULES = ((END, "end the session"), (MARK, "go on, but leave the ratings out"))


class ScreeningWidget(ProjectTemplateWidget):
    """Checkboxes in the order of the steps, each with its numbers."""

    template_name = "researcher/widgets/screening.html"

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        context = super().get_context(name, [], attrs)
        steps = {entry["step"]: entry for entry in value or () if entry.get("step") in SCREENING_STEPS}
        keys = [*steps, *(key for key in SCREENING_STEPS if key not in steps)]
        context["rules"], context["most_minutes"] = RULES, MOST_MINUTES
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
    row = {"step": step, "checked": checked, "shown": shown, "settings": settings, "chance": _chance(step, chosen)}
    try:
        return {**row, "says": _in_words(ScreeningField().clean_step(entry or {"step": step.key})), "problem": ""}
    except ValidationError as error:
        return {**row, "says": "tries, failing, repeating", "problem": error.messages[0]}


def _in_words(chosen: Chosen) -> str:
    """A step's numbers as a sentence: what stands on the row while they are folded away."""
    tries = "one try" if chosen.tries == 1 else f"{chosen.tries} tries"
    then = "the session ends" if chosen.on_failure == END else "the rater goes on, but the ratings are left out"
    days, left = divmod(chosen.expires_minutes, 24 * 60)
    after = f"{days} day{'s' if days > 1 else ''}" if days and not left else f"{chosen.expires_minutes:,} minutes"
    again = f"; done again after {after}" if chosen.expires_minutes else ""
    return f"{tries}, then {then}{again}"


def _chance(step: Step, chosen: Chosen) -> str:
    """What a blind guesser would score with our defaults, for people."""
    if step.key in ("questions", "comprehension"):
        return "how easily it is guessed depends on your questions below"
    chance = step.chance(chosen.settings, None)  # type: ignore[arg-type]
    if chance is None:
        return "nothing to guess"
    passed = chance_in(chosen.tries, chance)
    if passed >= 0.01:
        return f"a guess passes {round(100 * passed)} times in 100"
    return f"a guess passes once in {float(f'{1 / passed:.2g}'):,.0f} times"


class ScreeningField(forms.Field):
    """The steps of a study, normalised: whole numbers within their ranges."""

    widget = ScreeningWidget

    def has_changed(self, initial: Any, data: Any) -> bool:
        return True

    def clean(self, value: Any) -> list[dict[str, Any]]:
        """Raises ValidationError with a sentence for each step whose numbers cannot be."""
        chosen, problems = [], []
        for entry in value or ():
            try:
                chosen.append(self.clean_step(entry).as_json())
            except ValidationError as error:
                problems += error.messages
        if problems:
            raise ValidationError(problems)
        return chosen

    def clean_step(self, entry: dict[str, Any]) -> Chosen:
        """One step with its numbers. Raises ValidationError for the first that cannot be."""
        step = get_step(entry["step"])
        default = step.chosen({})
        return Chosen(
            step=step.key,
            tries=_whole(step, "tries", entry.get("tries", ""), default.tries, 1, 20),
            on_failure=rule if (rule := str(entry.get("on_failure"))) in (END, MARK) else default.on_failure,
            expires_minutes=_whole(step, "minutes", entry.get("expires_minutes", ""), default.expires_minutes, 0, MOST_MINUTES),
            settings={
                name: _number(step, s.label, (entry.get("settings") or {}).get(name, ""), s.default, s.minimum, s.maximum)
                for name, s in step.settings.items()
            },
        )


def _whole(step: Step, label: str, typed: Any, default: int, least: int, most: int) -> int:
    number = _number(step, label, typed, default, least, most)
    if number != int(number):
        raise ValidationError(f"{step.title}: “{label}” takes a whole number, not {typed}.")
    return int(number)


def _number(step: Step, label: str, typed: Any, default: float, minimum: float, maximum: float) -> float:
    if typed == "":
        return default
    try:
        number = float(typed)
    except (TypeError, ValueError):
        raise ValidationError(f"{step.title}: “{label}” takes a number, not {typed!r}.") from None
    if not minimum <= number <= maximum:
        raise ValidationError(f"{step.title}: “{label}” goes from {minimum:,g} to {maximum:,g}, not {number:,g}.")
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
