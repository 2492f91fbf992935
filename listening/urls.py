"""Addresses."""

from django.contrib import admin
from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView

from listening.views import account, audio, health, hooks, leaderboard, operations, rater, researcher

handler404 = "listening.views.missing.nothing_here"

rater_urls = [
    path("", rater.enter, name="enter"),
    path("consent/", rater.consent, name="consent"),
    path("check/", rater.check, name="check"),
    path("check/<str:try_id>/<int:number>.flac", audio.check_audio, name="check-audio"),
    path("trial/", rater.trial, name="trial"),
    path("done/", rater.done, name="done"),
]

urlpatterns = [
    path("", researcher.home, name="home"),
    path("s/<slug:slug>/", rater.join, name="join"),
    path("session/<str:token>/", include(rater_urls)),
    path("audio/<str:ticket>.flac", audio.trial_audio, name="trial-audio"),
    path("hooks/prolific/", hooks.prolific, name="prolific-hook"),
    path("leaderboard/", leaderboard.board, name="leaderboard"),
    path("leaderboard.csv", leaderboard.board, {"form": "csv"}, name="leaderboard-csv"),
    path("preview/<slug:slug>/", researcher.preview, name="preview"),
    path("studies/<slug:slug>/report/", researcher.report, name="study-report"),
    path("studies/<slug:slug>/report/<path:name>", researcher.report, name="study-report-file"),
    path("stimuli/<int:pk>.flac", researcher.stimulus_audio, name="stimulus-audio"),
    path("clips/<int:pk>/audio/", researcher.clip_audio, name="clip-audio"),
    path("healthz", health.alive, name="healthz"),
    path("readyz", health.ready, name="readyz"),
    path("api/v1/", include("listening.api_urls")),
    path("api/schema/", SpectacularAPIView.as_view(authentication_classes=[], permission_classes=[]), name="schema"),
    path("metrics", operations.metrics, name="metrics"),
    path("admin/operations/", operations.operations_page, name="operations"),
    path("admin/account/", account.account, name="account"),
    path("admin/account/second-factor/", account.set_up, name="second-factor"),
    path("admin/", admin.site.urls),
]
