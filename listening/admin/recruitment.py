"""The pages around Prolific: launch, confirm, review, reconcile."""

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.safestring import SafeString
from unfold.decorators import display

from listening.admin.base import ReadOnlyAdmin, pretty
from listening.admin.recruitment_forms import ByHandForm, LaunchForm, minor_units
from listening.admin.recruitment_panel import ACTIONS, cost_of, is_possible, paid_sentence
from listening.admin.review_forms import ReviewForm
from listening.models import AuditEntry, Bonus, Recruitment, Study
from listening.prolific import ProlificError
from listening.prolific.client import REJECTION_CATEGORIES
from listening.services import bonuses, by_hand, payment
from listening.services.access import studies_of
from listening.services.errors import ServiceError
from listening.services.evidence import gather_evidence
from listening.services.money import money
from listening.services.reconcile import reconcile, stored_differences
from listening.services.recruitment import connect, create_draft, note
from listening.services.submissions import sync


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    study_path = "recruitment__study"
    list_display = ("at", "study", "who", "what", "submission", "brief")
    list_filter = ("what",)
    list_select_related = ("recruitment__study", "submission")
    search_fields = ("who", "submission__prolific_id")
    search_help_text = "who, or Prolific submission id"
    fields = ("at", "study", "who", "what", "submission", "details")
    readonly_fields = ("study", "details")

    @display(description="study")
    def study(self, entry: AuditEntry) -> str:
        return entry.recruitment.study.slug

    @display(description="details")
    def brief(self, entry: AuditEntry) -> str:
        return "; ".join(f"{key}: {value}" for key, value in entry.data.items() if value not in ("", None)) or "–"

    @display(description="details")
    def details(self, entry: AuditEntry) -> SafeString:
        return pretty(entry.data)


@admin.register(Recruitment)
class RecruitmentAdmin(ReadOnlyAdmin):
    study_path = "study"
    list_display = ("study", "status", "places", "paid", "synced_at")
    list_select_related = ("study",)

    @display(description="paid")
    def paid(self, recruitment: Recruitment) -> str:
        return paid_sentence(recruitment)

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        recruitment = self.get_object(request, object_id)
        return redirect("admin:listening_study_change", recruitment.study_id) if recruitment else redirect("admin:index")

    def get_urls(self) -> list[URLPattern]:
        def page(route: str, view: Callable[..., HttpResponse], name: str) -> URLPattern:
            return path(route, self.admin_site.admin_view(view), name=f"listening_recruitment_{name}")

        return [
            page("study/<int:pk>/launch/", self.launch, "launch"),
            page("study/<int:pk>/do/<slug:verb>/", self.act, "do"),
            page("study/<int:pk>/read/", self.read, "read"),
            page("study/<int:pk>/review/", self.review, "review"),
            page("study/<int:pk>/reconcile/", self.reconcile, "reconcile"),
            page("study/<int:pk>/bonus/<uuid:key>/<slug:verb>/", self.settle_bonus, "bonus"),
            page("study/<int:pk>/export/", self.read_export, "export"),
            page("study/<int:pk>/files/<slug:kind>.csv", self.file, "file"),
            *super().get_urls(),
        ]

    # Who may do what

    def _may(self, request: HttpRequest, *, change: bool) -> bool:
        verb = "change" if change else "view"
        user = request.user
        return user.has_perm(f"listening.{verb}_recruitment") or (not change and user.has_perm("listening.change_recruitment"))

    def _refused(self, request: HttpRequest, pk: int) -> HttpResponse:
        messages.error(request, "Your account may not do that with recruiting and pay.")
        return redirect("admin:listening_study_change", pk)

    def _page(self, request: HttpRequest, study: Study, name: str, title: str, **context: Any) -> HttpResponse:
        shown = {**self.admin_site.each_context(request), "opts": self.opts, "study": study, "title": title, **context}
        return TemplateResponse(request, f"researcher/recruitment_{name}.html", shown)

    def _recruitment(self, request: HttpRequest, pk: int) -> Recruitment:
        return get_object_or_404(self.get_queryset(request).select_related("study"), study=pk)

    # Launching

    def launch(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Write the study down on Prolific as a draft, or note that it is recruited by hand."""
        study = get_object_or_404(studies_of(request.user), pk=pk)
        if not self._may(request, change=True):
            return self._refused(request, pk)
        posted = request.POST if request.method == "POST" else None
        by_hand_form = ByHandForm(posted if posted and "by_hand" in posted else None, prefix="hand")
        if by_hand_form.is_valid():
            return self._begin_by_hand(request, study, by_hand_form)
        form, problem = None, ""
        try:
            with connect(attempts=2) as client:
                form = LaunchForm(posted if posted and "by_hand" not in posted else None, study=study, client=client)
                if form.is_valid():
                    create_draft(study, form.options, request.user.get_username(), client)
                    messages.success(request, "The draft is on Prolific. Nobody sees it until it is published.")
                    return redirect("admin:listening_recruitment_do", pk, "publish")
        except (ServiceError, ProlificError) as error:
            problem = str(error)
        return self._page(
            request, study, "launch", f"Recruit for {study}", form=form, by_hand_form=by_hand_form, problem=problem
        )

    def _begin_by_hand(self, request: HttpRequest, study: Study, form: ByHandForm) -> HttpResponse:
        data = form.cleaned_data
        try:
            by_hand.begin_by_hand(
                study, minor_units(data["reward"]), data["minutes"], data["currency"], request.user.get_username()
            )
        except ServiceError as error:
            messages.error(request, str(error))
        return redirect("admin:listening_study_change", study.pk)

    def act(self, request: HttpRequest, pk: int, verb: str) -> HttpResponse:
        """Say what a step on Prolific does and costs, and take it when that is confirmed."""
        recruitment = self._recruitment(request, pk)
        if not self._may(request, change=True):
            return self._refused(request, pk)
        if not is_possible(recruitment, verb):
            messages.error(request, f"The study is {recruitment.status or 'not'} on Prolific; this cannot be done now.")
            return redirect("admin:listening_study_change", pk)
        action = ACTIONS[verb]
        try:
            with connect(attempts=2) as client:
                if request.method == "POST":
                    action.run(recruitment, request.user.get_username(), client)
                    messages.success(request, f"{action.title}: done.")
                    return redirect("admin:listening_study_change", pk)
                cost = cost_of(recruitment, verb, client)
        except (ServiceError, ProlificError) as error:
            messages.error(request, str(error))
            return redirect("admin:listening_study_change", pk)
        context = {
            "action": action,
            "recruitment": recruitment,
            "consequences": action.consequences(recruitment),
            "cost": cost,
        }
        return self._page(request, recruitment.study, "confirm", f"{action.title} {recruitment.study}?", **context)

    def read(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Read everything from Prolific now."""
        recruitment = self._recruitment(request, pk)
        if not self._may(request, change=True):
            return self._refused(request, pk)
        if request.method == "POST":
            try:
                with connect(attempts=2) as client:
                    sync(recruitment, client)
                messages.success(request, "Read from Prolific.")
            except (ServiceError, ProlificError) as error:
                messages.error(request, str(error))
        return redirect("admin:listening_study_change", pk)

    # Deciding and paying

    def review(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Evidence for each submission, and decisions about those that are chosen."""
        recruitment = self._recruitment(request, pk)
        if not self._may(request, change=request.method == "POST"):
            return self._refused(request, pk)
        form = ReviewForm(request.POST if request.method == "POST" else None, recruitment=recruitment)
        if request.method == "POST":
            if form.is_valid() and self._decide(request, recruitment, form):
                return redirect(request.get_full_path())
            for sentence in [str(sentence) for errors in form.errors.values() for sentence in errors]:
                messages.error(request, sentence)
        everything = request.GET.get("show") == "all"
        evidence = gather_evidence(recruitment)
        shown = [facts for facts in evidence if everything or facts.advice or facts.submission.status == "AWAITING REVIEW"]
        return self._page(
            request,
            recruitment.study,
            "review",
            f"Submissions to {recruitment.study}",
            recruitment=recruitment,
            evidence=shown,
            everything=everything,
            n_all=len(evidence),
            categories=REJECTION_CATEGORIES,
            chosen={row.pk for row in form.cleaned_data.get("submission", ())} if form.is_bound and form.is_valid() else set(),
            data=request.POST,
            key=uuid4(),
            bonuses=Bonus.objects.filter(submission__recruitment=recruitment).select_related("submission"),
            may_change=self._may(request, change=True),
        )

    def _decide(self, request: HttpRequest, recruitment: Recruitment, form: ReviewForm) -> bool:
        who = request.user.get_username()
        try:
            done = form.act(recruitment, who)
        except ServiceError as error:
            messages.error(request, str(error))
            return False
        if recruitment.by_hand:
            messages.success(request, f"{done} Download the list and hand it to Prolific.")
            return True
        try:
            with connect(attempts=2) as client:
                problems = payment.send_decisions(recruitment, client)
                if form.order:
                    bonuses.pay_bonuses(form.order, client)
                sync(recruitment, client)
        except (ServiceError, ProlificError) as error:
            messages.warning(request, f"{done} It is stored here, but Prolific says: {error}")
            return True
        for problem in problems:
            messages.warning(request, problem)
        messages.success(request, done)
        return True

    def settle_bonus(self, request: HttpRequest, pk: int, key: UUID, verb: str) -> HttpResponse:
        """Pay what was ordered and not paid, or give it up."""
        recruitment = self._recruitment(request, pk)
        if not self._may(request, change=True):
            return self._refused(request, pk)
        ordered = Bonus.objects.filter(key=key, submission__recruitment=recruitment).select_related("submission__recruitment")
        if request.method == "POST" and verb in ("pay", "cancel"):
            try:
                if verb == "cancel":
                    for bonus in ordered:
                        bonuses.cancel_bonus(bonus, request.user.get_username())
                else:
                    with connect(attempts=2) as client:
                        bonuses.pay_bonuses(key, client)
                messages.success(request, "Cancelled." if verb == "cancel" else "Sent to Prolific.")
            except (ServiceError, ProlificError) as error:
                messages.error(request, str(error))
        return redirect("admin:listening_recruitment_reconcile", pk)

    def reconcile(self, request: HttpRequest, pk: int) -> HttpResponse:
        """What Prolific says, what we hold, what differs and what to do; on demand read afresh."""
        recruitment = self._recruitment(request, pk)
        if not self._may(request, change=request.method == "POST"):
            return self._refused(request, pk)
        result = None
        if request.method == "POST":
            try:
                with connect(attempts=2) as client:
                    result = reconcile(recruitment, client)
            except (ServiceError, ProlificError) as error:
                messages.error(request, str(error))
        unpaid = Bonus.objects.filter(submission__recruitment=recruitment, state__in=(Bonus.State.PLANNED, Bonus.State.SET_UP))
        keys = dict.fromkeys(unpaid.values_list("key", flat=True))
        orders = [
            (key, unpaid.filter(key=key).count(), sum(unpaid.filter(key=key).values_list("amount_minor", flat=True)))
            for key in keys
        ]
        return self._page(
            request,
            recruitment.study,
            "reconcile",
            f"{recruitment.study} and Prolific",
            recruitment=recruitment,
            result=result,
            differences=result.differences if result else stored_differences(recruitment),
            orders=[(key, n, money(total, recruitment.currency)) for key, n, total in orders],
            may_change=self._may(request, change=True),
        )

    # By hand

    def read_export(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Take in Prolific's submissions export."""
        recruitment = self._recruitment(request, pk)
        if not self._may(request, change=True):
            return self._refused(request, pk)
        if request.method == "POST" and (file := request.FILES.get("export")):
            try:
                data = file.read(by_hand.LARGEST_FILE + 1)
                n = by_hand.read_export(recruitment, data, request.user.get_username())
                messages.success(request, f"{n} submissions read.")
            except ServiceError as error:
                messages.error(request, str(error))
        elif request.method == "POST" and "paid" in request.POST:
            n = by_hand.mark_paid_by_hand(recruitment, request.user.get_username())
            messages.success(request, f"{n} bonuses are noted as paid.")
        return redirect("admin:listening_recruitment_review", pk)

    def file(self, request: HttpRequest, pk: int, kind: str) -> HttpResponse:
        """The lists that Prolific's pages take."""
        recruitment = self._recruitment(request, pk)
        if not self._may(request, change=True):
            return self._refused(request, pk)
        open_bonuses = Bonus.objects.filter(submission__recruitment=recruitment, state=Bonus.State.PLANNED)
        try:
            if kind == "approvals":
                text = by_hand.approval_list(recruitment)
            elif kind == "bonuses":
                text = by_hand.bonus_list(open_bonuses.select_related("submission__session__participant"))
            else:
                raise Http404("There is no such file.")
        except ServiceError as error:
            messages.error(request, str(error))
            return redirect("admin:listening_recruitment_review", pk)
        note(recruitment, request.user.get_username(), "list written", kind=kind)
        response = HttpResponse(text, content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = f'attachment; filename="{recruitment.study.slug}-{kind}.csv"'
        return response
