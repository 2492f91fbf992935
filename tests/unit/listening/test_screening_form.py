"""The screening in the form of a study: what its rows say, and sentences for what cannot be."""

import pytest
from django.core.exceptions import ValidationError

from listening.admin.screening_fields import ScreeningField, ScreeningWidget
from listening.models import Study
from tests.unit.listening.test_admin_study import change_url, form_data, text_of


def rows(value) -> dict:
    context = ScreeningWidget().get_context("screening", value, {"id": "id_screening"})
    return {row["step"].key: row for row in context["steps"]}


def test_a_row_says_in_words_what_its_numbers_mean():
    entry = {"step": "hearing", "tries": 1, "on_failure": "mark", "expires_minutes": 43_200}
    said = rows([entry])
    assert said["hearing"]["says"] == (
        "one try, then the rater goes on, but the ratings are left out; done again after 30 days"
    )
    assert said["tones"]["says"] == "2 tries, then the session ends"
    assert said["tones"]["chance"] == "a guess passes 44 times in 100"
    assert said["hearing"]["chance"] == "a guess passes once in 19,000,000 times"
    assert said["capability"]["chance"] == "nothing to guess"


@pytest.mark.parametrize(
    ("entry", "sentence"),
    [
        ({"tries": "0"}, "“tries” goes from 1 to 20, not 0."),
        ({"tries": "1.5"}, "“tries” takes a whole number, not 1.5."),
        ({"tries": "two"}, "“tries” takes a number, not 'two'."),
        ({"expires_minutes": "999999"}, "“minutes” goes from 0 to 527,040, not 999,999."),
    ],
)
def test_a_wrong_number_is_told_with_its_step_and_stays_in_its_row(entry, sentence):
    entry = {"step": "tones", **entry}
    with pytest.raises(ValidationError) as refused:
        ScreeningField().clean([entry])
    assert refused.value.messages == [f"Sound check (counting tones): {sentence}"]
    assert rows([entry])["tones"]["problem"] == f"Sound check (counting tones): {sentence}"


def test_every_wrong_step_is_told_at_once_and_nothing_typed_is_lost(admin_client, draft):
    page = admin_client.get(change_url(draft))
    data = {
        **form_data(page),
        "screening": ["tones", "volume"],
        "screening-tones-tries": "77",
        "screening-volume-tries": "0.5",
    }
    answer = text_of(admin_client.post(change_url(draft), data))
    assert "from 1 to 20, not 77." in answer and "Volume: “tries” goes from 1 to 20, not 0.5." in answer
    assert 'name="screening-tones-tries" value="77"' in answer and 'value="0.5"' in answer
    assert Study.objects.get(pk=draft.pk).screening == draft.screening
