"""The leaderboard: what each researcher sees of studies, and what everybody does where one is marked public."""

from django.contrib.auth.views import redirect_to_login
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe

from listening.services.access import studies_of
from listening.services.leaderboard import leaderboard, visible_studies


@require_safe
def board(request: HttpRequest, form: str = "html") -> HttpResponseBase:
    """Conditions by bit rate, as a page or as CSV, filtered by ``corpus``, ``study`` and ``family``."""
    staff = bool(request.user.is_authenticated and request.user.is_staff)
    theirs = Q(results_public=True) | Q(pk__in=studies_of(request.user).order_by().values("pk"))
    studies = list(visible_studies(staff=staff, asked=request.GET.get("study", "")).filter(theirs))
    if not studies and not staff:
        return redirect_to_login(request.get_full_path(), "admin:login")
    corpus, study, family = (request.GET.get(name, "") for name in ("corpus", "study", "family"))
    chosen = [each for each in studies if corpus in ("", each.corpus.name) and study in ("", each.slug)]
    found = leaderboard(chosen, family)
    if form == "csv":
        response = HttpResponse(found.frame().to_csv(index=False, lineterminator="\n"), content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = 'attachment; filename="leaderboard.csv"'
        return response
    context = {
        "board": found,
        "lines": [(row, [row.numbers.get(column.key) for column in (*found.people, *found.machines)]) for row in found.rows],
        "staff": staff,
        "simulated": any(row.simulated for row in found.rows),
        "query": request.GET.urlencode(),
        "filters": [
            ("corpus", "Corpus", sorted({each.corpus.name for each in studies}), corpus),
            ("study", "Study", sorted(each.slug for each in studies), study),
            ("family", "Family", sorted({row.family for row in leaderboard(studies).rows if row.family}), family),
        ],
    }
    return render(request, "researcher/leaderboard.html", context)
