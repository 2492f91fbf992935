"""What a researcher fills in to recruit."""

import math
from decimal import Decimal
from typing import Any

from django import forms

from listening.models import Recruitment, Study
from listening.prolific import ProlificClient
from listening.services.balance import free_plans
from listening.services.criteria import COUNTRY, LANGUAGE, Criteria, choices_of
from listening.services.recruitment import DraftOptions
from listening.services.sizing import study_size

#: Where the form's reward begins, in minor units an hour, before Prolific's recommendation is known.
FAIR_HOURLY_MINOR = 900


def minor_units(amount: Decimal) -> int:
    return int((amount * 100).to_integral_value())


class AmountField(forms.DecimalField):
    """Money in whole units with two decimals."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=Decimal("0.01"), max_value=Decimal(100_000), decimal_places=2, **kwargs)


class ByHandForm(forms.Form):
    """Recruiting on Prolific's own pages: what we need to know about it."""

    reward = AmountField(label="Reward", help_text="For one participant, as on Prolific.")
    currency = forms.ChoiceField(choices=[("GBP", "£"), ("USD", "$")])
    minutes = forms.IntegerField(label="Estimated minutes", min_value=1, max_value=600)


class LaunchForm(forms.Form):
    """A draft on Prolific. Its choices are what Prolific offers when the page is opened."""

    name = forms.CharField(label="Title on Prolific", max_length=120)
    description = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 4}), max_length=3000, help_text="What participants read."
    )
    place = forms.ChoiceField(label="Workspace and project", help_text="Whose balance pays.")
    minutes = forms.IntegerField(label="Estimated minutes", min_value=1, max_value=600)
    reward = AmountField(label="Reward", help_text="For one participant. Prolific adds fees and tax.")
    spending_cap = AmountField(help_text="Reward, fees and tax of all places together. Places are never raised beyond it.")
    pilot_places = forms.IntegerField(
        label="Places of the test run", min_value=0, initial=3, help_text="Published first; 0 asks for all places at once."
    )
    countries = forms.MultipleChoiceField(label="Lives in", required=False, help_text="None chosen: anywhere.")
    languages = forms.MultipleChoiceField(label="Fluent in", required=False, help_text="None chosen: any language.")
    least_approval = forms.IntegerField(label="Approval rate of at least (%)", min_value=0, max_value=100, initial=90)
    normal_hearing = forms.BooleanField(label="No hearing difficulties", required=False, initial=True)
    balance_sexes = forms.BooleanField(label="Women and men 1 : 1", required=False)
    exclude = forms.MultipleChoiceField(
        label="Not in these earlier studies", required=False, widget=forms.CheckboxSelectMultiple
    )
    secure = forms.BooleanField(
        label="Signed links", required=False, help_text="Only if Prolific has enabled secure study URLs for your workspace."
    )

    def __init__(self, *args: Any, study: Study, client: ProlificClient, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.study = study
        offered = client.filters()
        places = [
            (f"{workspace.id}|{project.id}", f"{workspace.title} · {project.title}")
            for workspace in client.workspaces()
            for project in client.projects(workspace.id)
        ]
        self._choose("place", places)
        self._choose("countries", [(label, label) for label in choices_of(offered, COUNTRY)])
        self._choose("languages", [(label, label) for label in choices_of(offered, LANGUAGE)])
        earlier = Recruitment.objects.exclude(prolific_study_id=None).exclude(study=study).select_related("study")
        self._choose("exclude", [(one.prolific_study_id, str(one.study)) for one in earlier])
        if not self.is_bound:
            self.initial = {**self.initial, **self._suggestions(client)}

    def _choose(self, name: str, choices: list[tuple[Any, str]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = choices

    def _suggestions(self, client: ProlificClient) -> dict[str, Any]:
        minutes = max(study_size(self.study).minutes, 1)
        reward = math.ceil(minutes * FAIR_HOURLY_MINOR / 60)
        cost = client.calculate_cost(reward, max(free_plans(self.study).count(), 1))
        return {
            "name": self.study.title,
            "description": self.study.instructions,
            "minutes": minutes,
            "reward": Decimal(reward) / 100,
            # A tenth more, for those who must be replaced after they were paid.
            "spending_cap": Decimal(math.ceil(cost * 1.1)) / 100,
            "balance_sexes": {"female", "male"} <= set(self.study.strata),
        }

    @property
    def options(self) -> DraftOptions:
        """The form as the service takes it."""
        data = self.cleaned_data
        workspace_id, _, project_id = data["place"].partition("|")
        return DraftOptions(
            name=data["name"],
            description=data["description"],
            reward_minor=minor_units(data["reward"]),
            estimated_minutes=data["minutes"],
            spending_cap_minor=minor_units(data["spending_cap"]),
            workspace_id=workspace_id,
            project_id=project_id,
            pilot_places=data["pilot_places"],
            secure=data["secure"],
            criteria=Criteria(
                countries=tuple(data["countries"]),
                languages=tuple(data["languages"]),
                least_approval=data["least_approval"],
                normal_hearing=data["normal_hearing"],
                balance_sexes=data["balance_sexes"],
                exclude_studies=tuple(data["exclude"]),
            ),
        )
