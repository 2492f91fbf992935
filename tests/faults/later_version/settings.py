"""The site's settings, one version later."""

from listening.settings import *  # noqa: F403
from listening.settings import INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "tests.faults.later_version"]
