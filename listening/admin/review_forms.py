"""The decision of one or many submissions, as the review page posts it."""

from typing import Any
from uuid import UUID

from django import forms

from listening.admin.recruitment_forms import AmountField, minor_units
from listening.models import Recruitment, Submission
from listening.prolific.client import REJECTION_CATEGORIES
from listening.services import bonuses, payment
from listening.services.errors import ServiceError
from listening.services.money import money


class ReviewForm(forms.Form):
    """Which submissions, which decision, and what the decision needs."""

    submission = forms.ModelMultipleChoiceField(
        Submission.objects.none(), error_messages={"required": "Choose at least one submission."}
    )
    action = forms.ChoiceField(choices=[(name, name) for name in ("approve", "return", "reject", "bonus")])
    return_reason = forms.CharField(required=False, max_length=1000)
    category = forms.ChoiceField(choices=[("", ""), *((name, name) for name in REJECTION_CATEGORIES)], required=False)
    reject_message = forms.CharField(required=False, max_length=3000)
    amount = AmountField(required=False)
    bonus_reason = forms.CharField(required=False, max_length=200)
    key = forms.UUIDField(required=False)

    def __init__(self, *args: Any, recruitment: Recruitment, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        chosen = self.fields["submission"]
        assert isinstance(chosen, forms.ModelMultipleChoiceField)
        chosen.queryset = recruitment.submissions.select_related("recruitment__study", "session")
        self.order: UUID | None = None

    def act(self, recruitment: Recruitment, who: str) -> str:
        """Write the decision down; returns what was done as a sentence. Raises ServiceError."""
        data = self.cleaned_data
        chosen: list[Submission] = list(data["submission"])
        match data["action"]:
            case "approve":
                n = payment.approve(chosen, who)
                return f"{n} approved."
            case "return":
                for row in chosen:
                    payment.ask_to_return(row, data["return_reason"], who)
                return f"{len(chosen)} asked to return."
            case "reject":
                if len(chosen) != 1:
                    raise ServiceError("Rejections are decided one by one; choose a single submission.")
                payment.reject(chosen[0], data["category"], data["reject_message"], who)
                return "Rejected."
            case _:
                if not data["amount"] or not data["key"]:
                    raise ServiceError("Say how much the bonus is.")
                amount = minor_units(data["amount"])
                self.order = data["key"]
                bonuses.order_bonuses(recruitment, dict.fromkeys(chosen, amount), data["bonus_reason"], who, data["key"])
                total = money(amount * len(chosen), recruitment.currency)
                return f"{len(chosen)} bonuses ordered, {total} in all."
