"""Studies, the stimuli they use and the session plans drawn for them."""

import hashlib
import secrets
import string

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from listening.models.corpus import Corpus, SourceClip
from listening.models.stimulus import Stimulus

_CODE_LETTERS = string.ascii_uppercase + string.digits


def draw_completion_code() -> str:
    """A completion code in Prolific's form: eight letters and digits."""
    return "".join(secrets.choice(_CODE_LETTERS) for _ in range(8))


def default_strata() -> list[str]:
    return ["female", "male"]


def default_screening() -> list[dict[str, str]]:
    return [{"step": "tones"}]


class Study(models.Model):
    """One listening test: what is heard, what is asked, by whom, and how often."""

    class Recruiter(models.TextChoices):
        PROLIFIC = "prolific", "Prolific"
        LINK = "link", "a plain link, for a lab or a mailing list"

    class Status(models.TextChoices):
        DRAFT = "draft"
        FROZEN = "frozen"
        OPEN = "open"
        CLOSED = "closed"

    slug = models.SlugField("name in links", unique=True)
    language = models.CharField(
        max_length=10, choices=settings.LANGUAGES, default="en", help_text="What the pages speak around your own texts."
    )
    title = models.CharField(max_length=200, help_text="What raters read at the top of every page.")
    preset = models.CharField(max_length=40, blank=True, editable=False)
    status = models.CharField(max_length=6, choices=Status.choices, default=Status.DRAFT, editable=False)
    recruiter = models.CharField(
        "raters come by", max_length=8, choices=Recruiter.choices, default=Recruiter.PROLIFIC, help_text="Who sends the raters."
    )
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        related_name="studies",
        null=True,
        blank=True,
        help_text="Sees the study, beside superusers; nobody else does unless it is shared with them.",
    )
    shared_with = models.ManyToManyField(
        settings.AUTH_USER_MODEL, related_name="shared_studies", blank=True, limit_choices_to={"is_staff": True}
    )
    corpus = models.ForeignKey(Corpus, on_delete=models.PROTECT, related_name="studies")
    clips = models.ManyToManyField(SourceClip, related_name="studies", editable=False)

    conditions = models.JSONField(default=list, help_text="Slugs of the conditions.")
    rating_tasks = models.JSONField(default=list, help_text="Keys of the rating tasks, in the order they are asked.")
    emotions = models.JSONField(
        "emotion options", default=list, blank=True, help_text="What raters choose from; empty takes the corpus's own options."
    )
    n_clips = models.PositiveIntegerField(
        "clips",
        default=45,
        validators=[MinValueValidator(1)],
        help_text="Drawn from the corpus, stratified by emotion and speaker's sex.",
    )
    clip_selection = models.CharField(
        "only clips with",
        max_length=500,
        blank=True,
        help_text="Empty takes any clip. Else speaker, sex, emotion, ambiguity (low or high) or duration in seconds, for instance "
        "“sex=female; emotion=anger|sadness; ambiguity=low; duration=1..6”.",
    )
    strata = models.JSONField(
        "strata of raters",
        default=default_strata,
        help_text="Groups of raters that each give every stimulus the same number of votes.",
    )
    votes_per_stratum = models.PositiveIntegerField(
        default=5, validators=[MinValueValidator(1)], help_text="Votes for each stimulus from each stratum of raters."
    )
    trials_per_session = models.PositiveIntegerField(
        default=30, validators=[MinValueValidator(1)], help_text="Clips that one rater hears; at most the number of clips."
    )
    second_panel = models.BooleanField(
        default=False,
        help_text="Other raters judge each original a second time, as many as judge a condition: measures how far two panels "
        "agree on the same recording, the highest retention that a codec can be expected to reach.",
    )
    seed = models.PositiveIntegerField(default=0, help_text="Clip selection and session plans are drawn from it.")

    instructions = models.TextField(help_text="What the task is, in the rater's words. Blank lines make paragraphs.")
    consent_text = models.TextField(help_text="What raters agree to. Blank lines make paragraphs.")
    screening = models.JSONField(
        "screening",
        default=default_screening,
        blank=True,
        help_text="Steps before the test, in order, each with its tries, what failing means, and when it is done again.",
    )
    screening_questions = models.JSONField("questions about the rater", default=list, blank=True)
    comprehension_questions = models.JSONField("questions about the instructions", default=list, blank=True)
    training_trials = models.PositiveIntegerField(
        "practice clips",
        default=0,
        help_text="Clips with feedback before the test, from clips that the test does not use. Not counted.",
    )
    training_expires_minutes = models.PositiveIntegerField(
        "practice is repeated after", default=60, help_text="Minutes after which a returning rater practises again; 0 is never."
    )
    gold_trials = models.PositiveIntegerField(
        "gold clips in a session", default=0, help_text="Clips whose right answer is plain: an original, or heavy noise."
    )
    trap_trials = models.PositiveIntegerField(
        "traps in a session", default=0, help_text="Clips that break off into an instruction to choose certain answers."
    )
    break_every = models.PositiveIntegerField(
        "a break after every", default=0, help_text="Clips after which raters are offered a break; 0 is no break."
    )
    minimum_heard_share = models.FloatField(
        default=1.0,
        validators=[MinValueValidator(0.1), MaxValueValidator(1.0)],
        help_text="Share of a clip that must have been heard before it can be rated; 1 is to its end.",
    )
    max_plays = models.PositiveSmallIntegerField(
        "plays of a clip",
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text="How often a clip may be played; empty for as often as a rater likes. Until enough was heard it plays anyway.",
    )
    resume_elsewhere = models.BooleanField(
        "may go on on another device",
        default=True,
        help_text="Off: a session stays in the browser where consent was given, so that nobody changes headphones half-way.",
    )
    lease_minutes = models.PositiveIntegerField(
        default=90,
        validators=[MinValueValidator(5)],
        help_text="How long an idle rater keeps their place before it goes to somebody else.",
    )
    completion_code = models.CharField(max_length=32, default=draw_completion_code)
    no_consent_code = models.CharField(max_length=32, default=draw_completion_code)
    failed_check_code = models.CharField(max_length=32, default=draw_completion_code)
    screened_out_code = models.CharField(max_length=32, default=draw_completion_code)
    incompatible_device_code = models.CharField(max_length=32, default=draw_completion_code)

    results_public = models.BooleanField(
        "on the public leaderboard",
        default=False,
        help_text="Whether anybody may see the study's results on the leaderboard; staff always do.",
    )
    created_at = models.DateTimeField(auto_now_add=True)
    frozen_at = models.DateTimeField(null=True, editable=False)
    opened_at = models.DateTimeField(null=True, editable=False)
    closed_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        verbose_name_plural = "studies"
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return self.slug

    @property
    def consent_version(self) -> str:
        """Fingerprint of what raters read before they agree: 12 hexadecimal digits."""
        return hashlib.sha256(f"{self.instructions}\0{self.consent_text}".encode()).hexdigest()[:12]

    @property
    def is_editable(self) -> bool:
        """Only a draft can change: what raters hear must be what was written down."""
        return self.status == self.Status.DRAFT

    @property
    def is_sandbox(self) -> bool:
        """A copy for simulated raters alone; nobody is recruited for it."""
        return hasattr(self, "sandbox")


class StudyStimulus(models.Model):
    """The part a stimulus plays in a study."""

    class Role(models.TextChoices):
        TEST = "test"
        REFERENCE = "reference"
        ANCHOR = "anchor"
        GOLD = "gold"
        TRAP = "trap"
        TRAINING = "training"

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="study_stimuli")
    stimulus = models.ForeignKey(Stimulus, on_delete=models.PROTECT, related_name="study_stimuli")
    role = models.CharField(max_length=9, choices=Role.choices, default=Role.TEST)

    class Meta:
        verbose_name_plural = "study stimuli"
        constraints = [models.UniqueConstraint(fields=["study", "stimulus"], name="one_role_per_stimulus_and_study")]

    def __str__(self) -> str:
        return f"{self.stimulus} ({self.role})"


class Plan(models.Model):
    """What one session will hear, drawn ahead when the study is frozen."""

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="plans")
    number = models.PositiveIntegerField()
    stratum = models.CharField(max_length=40)
    make_up = models.BooleanField(default=False, help_text="Asks for votes that skipped clips left open.")

    class Meta:
        ordering = ["study", "number"]
        constraints = [models.UniqueConstraint(fields=["study", "number"], name="one_plan_per_number")]

    def __str__(self) -> str:
        return f"{self.study} plan {self.number} ({self.stratum})"


class PlanTrial(models.Model):
    """One place of a plan."""

    plan = models.ForeignKey(Plan, on_delete=models.CASCADE, related_name="trials")
    position = models.PositiveIntegerField(help_text="Counted from 1.")
    stimulus = models.ForeignKey(Stimulus, on_delete=models.PROTECT, related_name="plan_trials")
    role = models.CharField(max_length=9, blank=True, help_text="gold, trap or training; empty for a stimulus of the test.")
    expected = models.JSONField(
        default=dict,
        help_text="Right answers: scale to {value, tolerance} or {labels}; scales without a plain one are left out.",
    )
    panel = models.PositiveSmallIntegerField(default=1, help_text="2 for the second panel of raters of an original.")

    class Meta:
        ordering = ["plan", "position"]
        constraints = [models.UniqueConstraint(fields=["plan", "position"], name="one_trial_per_place")]

    def __str__(self) -> str:
        return f"{self.plan} #{self.position}"
