"""Every sentence that raters can see stands in the Simplified Chinese catalogue, and the scripts name none that does not exist."""

import re
from pathlib import Path

from django.core.management import call_command
from django.utils import translation

from listening.rating_tasks.base import Screen
from listening.rating_tasks.registry import RATING_TASKS, get_rating_task
from listening.templatetags.sentences import page_sentences
from tests.unit.listening.raters import Rater

SCRIPTS = Path(__file__).parents[3] / "static" / "js"
HAN = re.compile(r"[\u4e00-\u9fff]")


def test_the_catalogue_is_complete_and_compiled_from_what_the_sources_say():
    call_command("update_catalogue", check=True)


def test_the_scripts_name_no_sentence_that_does_not_exist_and_leave_none_unsaid():
    # Whatever is quoted within the parentheses of say( … ), one level deep.
    calls = [call for path in SCRIPTS.glob("*.js") for call in re.findall(r"(?<!#)\bsay\(([^()]*)", path.read_text())]
    named = {name for call in calls for name in re.findall(r'"(\w+)"', call.partition("{")[0])}
    known = page_sentences()
    assert named <= known.keys()
    assert known.keys() <= named


def test_every_rating_task_speaks_chinese():
    with translation.override("zh-hans"):
        for key in RATING_TASKS:
            for scale in get_rating_task(key).context(Screen(("anger", "neutral")))["scales"]:
                texts = [scale["title"], scale["prompt"], *(option["label"] for option in scale["options"])]
                assert [text for text in texts if not HAN.search(text)] == []


def test_a_study_in_chinese_speaks_it_from_the_link_to_the_refusal_of_an_answer(study):
    study.language = "zh-hans"
    study.save()
    rater = Rater(study)
    page = rater.open_link().content.decode()
    assert '<html lang="zh-hans">' in page and "知情同意" in page and "Your consent" not in page
    rater.arrive()
    page = rater.client.get(f"{rater.base}trial/").content.decode()
    assert "总体质量" in page and "保存并继续" in page and "愤怒" in page
    refusal = rater.rate(1, {"emotion": ["anger"], "ovrl": 9, "sig": 3})
    assert refusal.status_code == 400 and HAN.search(refusal.json()["detail"])
    assert translation.get_language() == "en"
