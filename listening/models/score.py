"""What machines say of stimuli, and what a study's report said of its conditions."""

from django.db import models

from listening.models.stimulus import Stimulus
from listening.models.study import Study


class StimulusScore(models.Model):
    """One signal measure of one stimulus, the original of its clip being the reference."""

    stimulus = models.ForeignKey(Stimulus, on_delete=models.CASCADE, related_name="scores")
    measure = models.CharField(max_length=40)
    value = models.FloatField(null=True, help_text="Empty where the measure is undefined.")
    reason = models.TextField(blank=True, help_text="Why there is no value.")
    version = models.CharField(max_length=120, help_text="Revision of the measure and of the packages that decide its value.")
    key = models.CharField(max_length=64, help_text="Key of the measured audio and its reference, measures and versions.")
    scored_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["stimulus", "measure"]
        constraints = [models.UniqueConstraint(fields=["stimulus", "measure"], name="one_score_per_stimulus_and_measure")]

    def __str__(self) -> str:
        return f"{self.measure} of {self.stimulus}"


class ConditionResult(models.Model):
    """What the last report of a study says of a condition: a mean opinion score, or emotion retention, with its interval."""

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="results")
    condition = models.CharField(max_length=80)
    scale = models.CharField(max_length=40, help_text="Key of the scale, or retention.")
    value = models.FloatField()
    ci_low = models.FloatField(null=True)
    ci_high = models.FloatField(null=True)
    n = models.PositiveIntegerField(help_text="Votes, or clips for retention.")
    simulated = models.BooleanField(help_text="Whether any of its ratings are simulated.")
    reported_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["study", "condition", "scale"]
        constraints = [
            models.UniqueConstraint(fields=["study", "condition", "scale"], name="one_result_per_condition_and_scale")
        ]

    def __str__(self) -> str:
        return f"{self.scale} of {self.condition} in {self.study}"
