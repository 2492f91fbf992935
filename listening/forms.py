"""What raters fill in before the first clip."""

from django import forms
from django.utils.translation import gettext_lazy as _

_STRATUM_LABELS = {"female": _("Female"), "male": _("Male")}
NO_STRATUM = "other"


class ConsentForm(forms.Form):
    """Consent, and the rater's stratum where the study has more than one."""

    stratum = forms.ChoiceField(
        label=_("Your sex"),
        widget=forms.RadioSelect,
        error_messages={"required": _("Please choose one; the study needs the same number of answers from each group.")},
    )
    consent = forms.BooleanField(
        label=_("I have read the information above and agree to take part."),
        error_messages={"required": _("Please tick the box if you agree, or choose “I do not want to take part”.")},
    )

    def __init__(self, *args, strata: list[str], **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.strata = strata
        if len(strata) < 2:
            del self.fields["stratum"]
        else:
            choices = [(name, _STRATUM_LABELS.get(name, name.capitalize())) for name in strata]
            stratum = self.fields["stratum"]
            assert isinstance(stratum, forms.ChoiceField)
            stratum.choices = [*choices, (NO_STRATUM, _("Other, or I prefer not to say"))]

    @property
    def chosen_stratum(self) -> str:
        """The chosen stratum; the only one where there is no choice."""
        return self.cleaned_data.get("stratum", self.strata[0])
