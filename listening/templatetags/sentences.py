"""What the scripts of raters' pages say: sentences that go out with the page, in its language.

A sentence is a text with places such as {position}, or one text for each plural category that the script chooses among by {count}.
The scripts have no wording of their own: `say("clipOf", {position, total})` in static/js/messages.js fills what stands here.
"""

from collections.abc import Callable

from django import template
from django.utils.html import json_script
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

register = template.Library()

_PLURALS: dict[str, Callable[[int], str]] = {
    "left": lambda n: ngettext("1 question left", "{count} questions left", n),
    "waiting": lambda n: ngettext(
        "Not sent yet. 1 answer is kept here until the server has received it",
        "Not sent yet. {count} answers are kept here until the server has received them",
        n,
    ),
    "notSaved": lambda n: ngettext("1 answer could not be saved", "{count} answers could not be saved", n),
}

_SENTENCES = {
    "clipOf": _("Clip {position} of {total}"),
    "practiceOf": _("Practice clip {position} of {total}"),
    "practiceOver": _("That was the practice. The test begins with the next clip."),
    "breakProgress": _("You have rated {position} of {total} clips."),
    # the dial
    "loading": _("Loading the clip…"),
    "ready": _("Press play, or the space bar."),
    "readyByTouch": _("Press play."),
    "readyAgain": _("You may listen again."),
    "playing": _("Playing…"),
    "ended": _("The clip has ended."),
    "stopped": _("Stopped. It plays from the start again."),
    "interrupted": _("The sound was interrupted. Please play it again."),
    "noSound": _("Your browser did not start the sound. Please press play once more."),
    "failedNetwork": _("The clip could not be loaded. Check your connection and press the button to try again."),
    "failedClip": _("The clip could not be opened. Press the button to load it again."),
    "spent": _("You have heard the clip as often as this study asks for."),
    "buttonSpent": _("No more plays"),
    "buttonLoading": _("Loading the clip"),
    "buttonPlay": _("Play the clip"),
    "buttonAgain": _("Play the clip again"),
    "buttonStop": _("Stop"),
    "buttonRetry": _("Load the clip again"),
    # the questions
    "lockedWhole": _("Listen to the whole clip first. The questions open when it ends."),
    "lockedShare": _("Listen to at least {percent} % of the clip first. The questions open then."),
    "open": _("Now answer the questions. You may listen again at any time."),
    "openLimited": _("Now answer the questions."),
    "opened": _("The questions are open."),
    "listenAgain": _("Listen to the clip once more. The next question opens at its end."),
    "complete": _("All questions are answered."),
    "missing": _("Please answer first: {titles}."),
    "rated": _("{title}: {label}."),
    "chosen": _("{label} chosen."),
    "dropped": _("{label} not chosen."),
    "enter": _("Press Enter to save and go on."),
    # the way of an answer
    "nothingYet": _("Every answer is saved at once"),
    "saved": _("All answers are saved"),
    "saving": _("Saving…"),
    "memoryOnly": _(
        "Your browser does not let this page keep answers on your device (perhaps a private window). "
        "Please leave the page open until the end."
    ),
    "refused": _("Your answer to clip {position} was not accepted: {detail} It is kept in your browser."),
    "alreadyHeld": _("Clip {position} had been answered before. The first answer stands."),
    "skipped": _("Clip {position} could not be loaded, so we left it out. That is not your fault and costs you nothing."),
    "rateAgain": _("You will be asked to rate this clip once more."),
    "sending": _("Sending your last answers…"),
    "sendingFails": _(
        "Some answers have not reached us yet. They are kept in your browser and we keep trying. Please leave this page open. "
        "If it does not help, download them and send the file to the researchers."
    ),
    # other pages
    "checkReady": _("Press play."),
    "checkAgain": _("You may play the tones again."),
    "copied": _("Copied"),
}


def page_sentences() -> dict[str, str | dict[str, str]]:
    """Every sentence in the language in force; a plural one as its CLDR categories `one` and `other`."""
    plurals = {name: {"one": form(1), "other": form(2)} for name, form in _PLURALS.items()}
    return {name: str(text) for name, text in _SENTENCES.items()} | plurals


@register.simple_tag
def sentences() -> SafeString:
    """The sentences as JSON, for a page with scripts."""
    return json_script(page_sentences(), "sentences")
