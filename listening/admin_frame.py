"""How the admin looks and what its sidebar leads to (settings.UNFOLD). No switch stands here."""

from typing import Any

from django.templatetags.static import static
from django.urls import reverse_lazy

_PETROL = {
    "50": "oklch(97.5% .012 195)",
    "100": "oklch(94% .025 195)",
    "200": "oklch(88% .045 195)",
    "300": "oklch(80% .065 195)",
    "400": "oklch(72% .085 195)",
    "500": "oklch(65% .09 195)",
    "600": "oklch(45% .075 200)",
    "700": "oklch(39% .066 200)",
    "800": "oklch(33% .055 200)",
    "900": "oklch(28% .045 200)",
    "950": "oklch(21% .035 200)",
}


def _page(title: str, icon: str, model: str) -> dict[str, Any]:
    return {"title": title, "icon": icon, "link": reverse_lazy(f"admin:{model}_changelist")}


UNFOLD = {
    "SITE_TITLE": "Codec listening tests",
    "SITE_HEADER": "Codec listening tests",
    "SITE_SYMBOL": "graphic_eq",
    "SITE_URL": None,
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("img/mark.svg")}],
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "BORDER_RADIUS": "8px",
    "COLORS": {"primary": _PETROL},
    "STYLES": [
        lambda request: static("css/researcher.css"),
        lambda request: static("css/researcher_board.css"),
        lambda request: static("css/researcher_form.css"),
        lambda request: static("css/researcher_screening.css"),
        lambda request: static("css/researcher_recruitment.css"),
        lambda request: static("css/researcher_account.css"),
    ],
    "SCRIPTS": [lambda request: static("js/researcher/htmx.js")],
    "LOGIN": {"form": "listening.forms.LoginForm"},
    "ACCOUNT": {"navigation": [{"title": "Your log-in", "link": reverse_lazy("account")}]},
    "DASHBOARD_CALLBACK": "listening.admin.dashboard.dashboard",
    "SIDEBAR": {
        "navigation": [
            {
                "items": [
                    {"title": "Overview", "icon": "dashboard", "link": reverse_lazy("admin:index")},
                    _page("Studies", "science", "listening_study"),
                    {"title": "Leaderboard", "icon": "leaderboard", "link": reverse_lazy("leaderboard")},
                    {
                        "title": "Operations",
                        "icon": "monitor_heart",
                        "link": reverse_lazy("operations"),
                        "permission": lambda request: request.user.is_superuser,
                    },
                ]
            },
            {
                "title": "Speech",
                "items": [
                    _page("Corpora", "library_music", "listening_corpus"),
                    _page("Clips", "mic", "listening_sourceclip"),
                    _page("Stimuli", "graphic_eq", "listening_stimulus"),
                    _page("Scores", "straighten", "listening_stimulusscore"),
                    _page("Jobs", "manufacturing", "listening_job"),
                ],
            },
            {
                "title": "People",
                "items": [
                    _page("Sessions", "headphones", "listening_session"),
                    _page("Ratings", "star_rate", "listening_rating"),
                    _page("Raters", "group", "listening_participant"),
                    _page("Events", "history", "listening_event"),
                ],
            },
            {
                "title": "Recruiting",
                "items": [
                    _page("Prolific", "campaign", "listening_recruitment"),
                    _page("Decisions and pay", "receipt_long", "listening_auditentry"),
                ],
            },
            {
                "title": "Accounts",
                "collapsible": True,
                "items": [
                    _page("Researchers", "badge", "auth_user"),
                    _page("Groups", "groups", "auth_group"),
                    _page("API tokens", "key", "authtoken_tokenproxy"),
                    _page("What staff did", "manage_search", "admin_logentry"),
                ],
            },
        ],
    },
}
