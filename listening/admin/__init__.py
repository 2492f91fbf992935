"""The researcher's side: studies are set up, started and watched here; everything raters said is only looked at."""

from listening.admin import accounts, corpora, people, stimuli, study

__all__ = ["accounts", "corpora", "people", "stimuli", "study"]
