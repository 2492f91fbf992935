"""Addresses of the API."""

from django.urls import path

from listening import api

urlpatterns = [
    path("sessions/<str:token>/", api.SessionView.as_view(), name="api-session"),
    path("sessions/<str:token>/trials/<int:position>/ratings/", api.RatingsView.as_view(), name="api-ratings"),
    path("sessions/<str:token>/trials/<int:position>/skip/", api.SkipView.as_view(), name="api-skip"),
    path("studies/<slug:slug>/progress/", api.ProgressView.as_view(), name="api-progress"),
    path("studies/<slug:slug>/ratings/", api.ExportView.as_view(), name="api-export"),
]
