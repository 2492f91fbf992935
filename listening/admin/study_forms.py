"""The forms of a study: its design alone, the whole draft, and what may change once it is frozen."""

from typing import Any

from django import forms

from listening.admin.screening_fields import QuestionsField, ScreeningField
from listening.admin.study_fields import ConditionsField, LinesField, RatingTasksField
from listening.models import Study
from listening.services.errors import ServiceError
from listening.services.studies import check_design, check_study

DESIGN_FIELDS = (
    "corpus",
    "clip_selection",
    "n_clips",
    "seed",
    "conditions",
    "rating_tasks",
    "emotions",
    "strata",
    "votes_per_stratum",
    "trials_per_session",
    "second_panel",
)
RATER_FIELDS = (
    "title",
    "language",
    "recruiter",
    "instructions",
    "consent_text",
    "minimum_heard_share",
    "max_plays",
    "resume_elsewhere",
)
CODE_FIELDS = ("completion_code", "no_consent_code", "failed_check_code", "screened_out_code", "incompatible_device_code")
BEFORE_FIELDS = (
    "screening",
    "screening_questions",
    "comprehension_questions",
    "training_trials",
    "training_expires_minutes",
)
WITHIN_FIELDS = ("gold_trials", "trap_trials", "break_every")
STUDY_FIELDS = ("slug", *DESIGN_FIELDS, *RATER_FIELDS, *BEFORE_FIELDS, *WITHIN_FIELDS, *CODE_FIELDS, "lease_minutes")


class DesignForm(forms.ModelForm):
    """What the arithmetic of a study rests on."""

    conditions = ConditionsField()
    rating_tasks = RatingTasksField(help_text="Asked in this order; move a task with its arrows.")
    emotions = LinesField(
        label="Emotion options",
        required=False,
        placeholder="the corpus's own",
        help_text="What raters choose from, one per line. Empty takes the corpus's own.",
    )
    strata = LinesField(
        label="Strata of raters",
        rows=2,
        error_messages={"required": "Name at least one stratum of raters, for instance “all”."},
        help_text="Groups of raters, one per line. Each gives every stimulus the same number of votes.",
    )

    class Meta:
        model = Study
        fields: tuple[str, ...] = DESIGN_FIELDS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "corpus" in self.fields:
            self.fields["corpus"].error_messages["required"] = "Choose the corpus whose clips are heard."

    def _post_clean(self) -> None:
        # The hook in which ModelForm itself checks the instance: the one place where it is built and can still be refused.
        super()._post_clean()  # type: ignore[misc]
        if not self.errors:
            try:
                self.check()
            except ServiceError as error:
                self.add_error(None, str(error))

    def check(self) -> None:
        check_design(self.instance)


class StudyForm(DesignForm):
    """A draft as a whole."""

    from_preset = forms.CharField(required=False, widget=forms.HiddenInput)
    screening = ScreeningField(
        required=False,
        label="Screening",
        help_text="Steps before the test, in this order; move one with its arrows. Answers are graded on the server.",
    )
    screening_questions = QuestionsField(
        label="Questions about the rater",
        help_text="For the step of that name. A question, then its options: “* ” before an accepted one, “- ” before another, or "
        "“= ” before an accepted typed answer; an empty line between questions.",
    )
    comprehension_questions = QuestionsField(
        label="Questions about the instructions",
        help_text="For the step “Comprehension of the instructions”, in the same form.",
    )

    class Meta(DesignForm.Meta):
        fields = STUDY_FIELDS

    def check(self) -> None:
        check_study(self.instance)


class FrozenStudyForm(forms.ModelForm):
    """All that may change once the design is fixed."""

    class Meta:
        model = Study
        fields = ("lease_minutes",)
