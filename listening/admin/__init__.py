"""The researcher's side: studies are set up, started and watched here; everything raters said is only looked at."""

from django.contrib import admin

from listening.admin import accounts, corpora, log, people, recruitment, stimuli, study

admin.site.index_title = "Overview"

__all__ = ["accounts", "corpora", "log", "people", "recruitment", "stimuli", "study"]
