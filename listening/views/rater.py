"""The pages of a rater: link, consent, sound check, trials, completion."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_http_methods

from listening.api import session_state
from listening.forms import ConsentForm
from listening.models import Session, Study
from listening.prolific import LinkError, PreviewLinkError, completion_url
from listening.services import checks, sessions
from listening.services.arrivals import note_arrival
from listening.services.asking import screen_of, study_tasks
from listening.services.errors import ServiceError
from listening.services.practice import repeat_practice
from listening.services.ratings import complete_if_whole
from listening.views import arrivals
from listening.views.language import reading

_STEPS = {Session.State.CONSENT: "consent", Session.State.CHECK: "check", Session.State.RATING: "trial"}
#: What the clips of a trial are called, by what the rater may know of the reference.
_PARTS = {
    "none": (),
    "first": (gettext_lazy("Reference"), gettext_lazy("Clip to rate")),
    "drawn": (gettext_lazy("First clip"), gettext_lazy("Second clip")),
}
_PROGRESS = {"consent": 1, "check": 2, "trial": 3, "done": 4}


def step_of(session: Session) -> str:
    """The page a session belongs on; every state that is over ends on ``done``."""
    return _STEPS.get(Session.State(session.state), "done")


def go_to_step(session: Session) -> HttpResponse:
    return redirect(step_of(session), token=session.token)


def _guard(response: HttpResponse) -> HttpResponse:
    """Pages of raters tell nobody their address."""
    response["Referrer-Policy"] = "no-referrer"
    return response


def message(request: HttpRequest, status: int, title: str, text: str, hint: str = "", **context: Any) -> HttpResponse:
    """A page that is one message."""
    page = {"title": title, "message": text, "hint": hint, **context}
    return _guard(render(request, "rater/message.html", page, status=status))


def _refusal(request: HttpRequest, study: Study, error: sessions.JoinRefused) -> HttpResponse:
    hint = error.hint if study.recruiter == Study.Recruiter.PROLIFIC else ""
    return message(request, 403, error.title, str(error), hint, study=study)


@never_cache
@require_GET
def join(request: HttpRequest, slug: str) -> HttpResponse:
    """A link to a study. Its ids stay here: the rater goes on under an address that carries none of them."""
    study = Study.objects.filter(slug=slug).first()
    with reading(request, study):
        return _join(request, study) if study else _no_such_study(request)


def _no_such_study(request: HttpRequest) -> HttpResponse:
    text = _("The link names a study that we do not know.")
    return message(request, 404, _("There is no such study"), text, _("Please check the link on Prolific."))


def _join(request: HttpRequest, study: Study) -> HttpResponse:
    try:
        link = arrivals.link_of(request, study)
    except PreviewLinkError:
        text = _(
            "Prolific's preview opens the link with made-up ids, so nobody can rate under it. Participants' links carry real ones."
        )
        hint = _("To see the pages, use “Preview as rater” in our admin.")
        return message(request, 200, _("The link works"), text, hint, study=study)
    except LinkError as error:
        hint = _("Please open the study from its page on Prolific. If you did, message us there; your place is not lost.")
        if study.recruiter == Study.Recruiter.LINK:
            hint = _("Please use the link exactly as it was sent to you.")
        return message(
            request, 400, _("This link is not complete"), _(error.sentence).format(**error.values), hint, study=study
        )
    try:
        session = sessions.join(study, link, request.headers.get("User-Agent", ""), request.GET.get("simulated", ""))
    except sessions.JoinRefused as error:
        return _refusal(request, study, error)
    try:
        note_arrival(session)
    except ServiceError as error:
        return message(request, 403, _("This link is not yours"), str(error), _("Please open the study from Prolific again."))
    response = go_to_step(session)
    arrivals.remember(response, study, link)
    return response


def rater_page(step: str):
    """Decorate a page of a session: find the session, and send a rater who belongs elsewhere there."""

    def decorate(view):
        @never_cache
        @csrf_exempt  # The token in the address is the credential; raters have no cookie to abuse.
        @require_http_methods(["GET", "POST"])
        def page(request: HttpRequest, token: str) -> HttpResponse:
            try:
                session = Session.from_token(token)
            except Session.DoesNotExist:
                with reading(request):
                    hint = _("Please open the study from Prolific again.")
                    return message(request, 404, _("This page does not exist"), _("The address is not one of ours."), hint)
            with reading(request, session.study):
                return _show(request, session)

        def _show(request: HttpRequest, session: Session) -> HttpResponse:
            if session.state == Session.State.EXPIRED:
                try:
                    sessions.revive(session)
                except sessions.JoinRefused as error:
                    return _refusal(request, session.study, error)
            if session.is_active and not arrivals.is_same_browser(request, session):
                title, text = (
                    _("Please go on where you began"),
                    _("This study has to be finished in the browser where you agreed to it."),
                )
                return message(
                    request, 403, title, text, _("Your answers are kept. Open the study there again."), study=session.study
                )
            if step not in ("any", step_of(session)):
                return go_to_step(session)
            session.extend_lease()
            return view(request, session)

        return page

    return decorate


def _render(request: HttpRequest, session: Session, step: str, **context: Any) -> HttpResponse:
    participant = session.participant
    page = {
        "study": session.study,
        "session": session,
        "simulated": bool(participant and participant.simulated),
        "preview": session.preview,
        "progress_step": _PROGRESS[step],
        **context,
    }
    return _guard(render(request, f"rater/{step}.html", page))


@rater_page("any")
def enter(request: HttpRequest, session: Session) -> HttpResponse:
    return go_to_step(session)


@rater_page("consent")
def consent(request: HttpRequest, session: Session) -> HttpResponse:
    form = ConsentForm(request.POST if request.method == "POST" else None, strata=session.study.strata)
    if request.method == "POST":
        if request.POST.get("decline"):
            sessions.decline(session)
            return redirect("done", token=session.token)
        if form.is_valid():
            (sessions.consent_to_preview if session.preview else sessions.give_consent)(session, form.chosen_stratum)
            response = go_to_step(session)
            arrivals.tie_to_browser(response, session)
            return response
    return _render(request, session, "consent", form=form, n_trials=session.study.trials_per_session)


@rater_page("check")
def check(request: HttpRequest, session: Session) -> HttpResponse:
    """The step of the screening that the session has come to."""
    if request.POST.get("silent") and not session.preview:
        sessions.cannot_play(session)
        return redirect("done", token=session.token)
    attempt = checks.next_try(session)
    if attempt is None:
        checks.move_on(session)
        return go_to_step(session)
    given = {n: request.POST.get(f"item-{n}", "") for n in range(1, len(attempt.items) + 1)}
    missing: list[int] = []
    # A form of an earlier try, sent again by the back button, is not an answer to this one.
    if request.method == "POST" and request.POST.get("try") == attempt.result.public_id:
        if request.POST.get("skip"):
            checks.skip_try(session, attempt)
        elif not (missing := checks.missing_answers(attempt, given)):
            checks.answer_try(session, attempt, given)
        if not missing:
            return go_to_step(session)
    elif request.method == "POST":
        return go_to_step(session)
    items = [
        {
            "number": number,
            "item": item,
            "given": given[number],
            "missing": number in missing,
            "audio_url": item.sound and reverse("check-audio", args=[session.token, attempt.result.public_id, number]),
        }
        for number, item in enumerate(attempt.items, start=1)
    ]
    return _render(request, session, "check", attempt=attempt, items=items, missing=missing)


@rater_page("trial")
def trial(request: HttpRequest, session: Session) -> HttpResponse:
    checks.move_on(session)
    complete_if_whole(session)  # a server that ended right after the last answer has left that to us
    if step_of(session) != "trial":
        return go_to_step(session)
    repeat_practice(session)
    screen = screen_of(session)
    asked = study_tasks(session.study)
    tasks = [task.context(screen) for task in asked]
    scales = [scale for task in tasks for scale in task["scales"] if scale["kind"] == "category"]
    last_key = max((option["key"] for scale in scales for option in scale["options"]), default=0)
    parts = _PARTS[asked[0].reference]
    return _render(request, session, "trial", tasks=tasks, parts=parts, last_key=last_key, bootstrap=session_state(session))


_ENDINGS = {
    Session.State.WITHDRAWN: (
        gettext_lazy("You have withdrawn"),
        gettext_lazy("Your answers were erased, as you asked."),
        "no_consent_code",
    ),
    Session.State.RELEASED: (
        gettext_lazy("Your submission has ended"),
        gettext_lazy("It was returned or closed on Prolific, so your place went to somebody else."),
        "no_consent_code",
    ),
    Session.State.DECLINED: (
        gettext_lazy("You chose not to take part"),
        gettext_lazy("Thank you for reading. Nothing about you was stored beyond the id you came with, encrypted."),
        "no_consent_code",
    ),
    Session.State.SCREENED_OUT: (
        gettext_lazy("All places are taken"),
        gettext_lazy("The study needs the same number of answers from each group, and it has all it needs from yours."),
        "screened_out_code",
    ),
}


def _ending(session: Session) -> tuple[Any, Any, str]:
    """Title, text and code of a session that ended before its last clip."""
    state = Session.State(session.state)
    if state in _ENDINGS:
        return _ENDINGS[state]
    step = checks.failed_step(session)
    if state == Session.State.INCOMPATIBLE:
        text = step.failure if step else _("Without sound the study cannot be done. That does not count against you.")
        return _("Your device cannot play the sound"), text, "incompatible_device_code"
    text = step.failure if step else _("One of the steps before the test was not passed.")
    return _("You cannot take part this time"), text, step.code if step else "failed_check_code"


@rater_page("done")
def done(request: HttpRequest, session: Session) -> HttpResponse:
    study = session.study
    if session.state != Session.State.COMPLETED:
        title, text, code_field = map(str, _ending(session))
        if session.state == Session.State.RELEASED:
            return message(request, 200, title, text, _("You can close this page."), study=study)
        if study.recruiter == Study.Recruiter.LINK:
            return message(request, 200, title, text, _("You can close this page."), study=study, preview=session.preview)
        code = getattr(study, code_field)
        hint = _("Use the button below to return to Prolific with this code.")
        return message(
            request, 200, title, text, hint, study=study, code=code, url=completion_url(code), preview=session.preview
        )
    paid = (
        {}
        if study.recruiter == Study.Recruiter.LINK
        else {
            "completion_code": study.completion_code,
            "completion_url": completion_url(study.completion_code),
        }
    )
    return _render(request, session, "done", n_trials=session.trials.count(), **paid)
