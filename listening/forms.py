"""What raters fill in before the first clip, and how researchers log in."""

from typing import Any

from django import forms
from django.contrib.auth import authenticate
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.forms import AuthenticationForm
from unfold.widgets import BASE_INPUT_CLASSES

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


class LoginForm(AuthenticationForm):
    """Name, password and code. What of them was wrong is told to nobody, and each wrong code counts as a wrong password."""

    code = forms.CharField(
        required=False,
        max_length=40,
        label="Code",
        help_text="Of your app, or a backup code. Leave it empty if you have set up no second factor.",
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "class": " ".join(BASE_INPUT_CLASSES)}),
    )
    error_messages = {
        **AuthenticationForm.error_messages,
        "invalid_login": "Please enter the right %(username)s, password and, if you have set up a second factor, code. "
        "All of them may be case-sensitive. A code works once: after a mistake wait for the next.",
    }

    def clean(self) -> dict[str, Any]:
        name, password = self.cleaned_data.get("username"), self.cleaned_data.get("password")
        if name and password:
            code = self.cleaned_data.get("code", "")
            self.user_cache = authenticate(self.request, username=name, password=password, code=code)
            if self.user_cache is None:
                raise self.get_invalid_login_error()
            self.confirm_login_allowed(self.user_cache)
        return self.cleaned_data


class PasswordAgainForm(forms.Form):
    """The password of who is logged in, once more. Guesses count as wrong log-ins."""

    password = forms.CharField(
        label="Your password", widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}), strip=False
    )

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request = request

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        name = self.request.user.get_username()
        if authenticate(self.request, username=name, password=password) is None:
            raise forms.ValidationError("This is not your password.")
        return password


class EnrolmentForm(PasswordAgainForm):
    """The password, and the first code of a new app."""

    code = forms.CharField(
        label="The six digits that your app shows now",
        max_length=12,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
    )
    field_order = ["code", "password"]
