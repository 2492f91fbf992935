"""What Prolific refuses in a study, before money is spent on it."""

import math
import re
from collections.abc import Mapping
from typing import Any

from listening.standin.records import Refused
from listening.standin.vocabulary import check_filters

REQUIRED = (
    *("name", "description", "external_study_url", "prolific_id_option", "total_available_places"),
    *("estimated_completion_time", "reward", "completion_codes"),
)
REJECTION_CATEGORIES = {
    *("TOO_QUICKLY", "TOO_SLOWLY", "FAILED_INSTRUCTIONS", "INCOMP_LONGITUDINAL", "FAILED_CHECK", "LOW_EFFORT"),
    *("MALINGERING", "NO_CODE", "BAD_CODE", "NO_DATA", "UNSUPP_DEVICE", "OTHER"),
}
CHANGEABLE_WHEN_PUBLISHED = {
    "internal_name",
    "total_available_places",
    "access_details",
    "submissions_config",
    "completion_codes",
}
_SCREENING = {"FIXED_SCREEN_OUT_PAYMENT", "DYNAMIC_PAYMENT"}
_DEFAULTS: dict[str, Any] = {
    "internal_name": None,
    "device_compatibility": [],
    "peripheral_requirements": [],
    "filters": [],
    "submissions_config": {"max_submissions_per_participant": 1, "max_concurrent_submissions": -1},
    "is_external_study_url_secure": False,
}


def shortest_maximum(estimated_minutes: float) -> int:
    """Least `maximum_allowed_time` in minutes: 2 + 2t + 2√t.

    >>> shortest_maximum(9)
    26
    """
    return math.ceil(2 + 2 * estimated_minutes + 2 * math.sqrt(estimated_minutes))


def complete_fields(body: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a new study with defaults. Raises Refused naming each field that is wrong."""
    problems = {name: ["This field is required."] for name in REQUIRED if body.get(name) in (None, "", [])}
    if problems:
        raise Refused(problems)
    fields = {**_DEFAULTS, **body}
    fields.setdefault("maximum_allowed_time", shortest_maximum(float(fields["estimated_completion_time"])))
    check_fields(fields)
    return fields


def check_fields(fields: Mapping[str, Any]) -> None:
    problems: dict[str, list[str]] = {}
    for name, least in (("reward", 1), ("total_available_places", 1), ("estimated_completion_time", 1)):
        if not isinstance(fields[name], int) or isinstance(fields[name], bool) or fields[name] < least:
            problems[name] = [f"Must be a whole number of at least {least}."]
    if problems:
        raise Refused(problems)
    maximum, least = fields["maximum_allowed_time"], shortest_maximum(float(fields["estimated_completion_time"]))
    if not least <= maximum < 24 * 60:
        raise Refused({"maximum_allowed_time": [f"Must be at least {least} minutes and under 24 hours."]})
    if not re.match(r"https?://", fields["external_study_url"]):
        raise Refused({"external_study_url": ["Enter a valid URL."]})
    if fields["prolific_id_option"] not in ("question", "url_parameters", "not_required"):
        raise Refused({"prolific_id_option": ["Not a valid choice."]})
    check_filters(fields.get("filters"))
    check_codes(fields["completion_codes"], int(fields["reward"]))


def check_codes(codes: list[Mapping[str, Any]], reward: int) -> None:
    """Refuses codes that repeat and actions that exclude one another."""
    names = [code.get("code") for code in codes]
    if len(set(names)) != len(names):
        raise Refused({"completion_codes": ["Codes must be unique within the study."]})
    screening = 0
    for code in codes:
        actions = {action["action"] for action in code.get("actions") or ()}
        if {"AUTOMATICALLY_APPROVE", "MANUALLY_REVIEW"} <= actions:
            raise Refused({"completion_codes": ["AUTOMATICALLY_APPROVE and MANUALLY_REVIEW exclude one another."]})
        screening += bool(actions & _SCREENING)
        if "DYNAMIC_PAYMENT" in actions and code.get("actor") != "researcher":
            raise Refused({"completion_codes": ["DYNAMIC_PAYMENT needs the actor researcher."]})
        for action in code.get("actions") or ():
            if action["action"] == "REQUEST_RETURN" and not action.get("return_reason"):
                raise Refused({"completion_codes": ["REQUEST_RETURN needs a return_reason."]})
            if action["action"] == "FIXED_SCREEN_OUT_PAYMENT" and not 0 < action.get("fixed_screen_out_reward", 0) < reward:
                raise Refused({"completion_codes": ["A fixed screen-out reward must be less than the reward."]})
    if screening > 1:
        raise Refused({"completion_codes": ["Only one code may carry a custom screening action."]})


def check_changes(fields: Mapping[str, Any], changes: Mapping[str, Any]) -> None:
    """Refuses changes that a published study does not take: most fields, and fewer places."""
    fixed = sorted(set(changes) - CHANGEABLE_WHEN_PUBLISHED)
    if fixed:
        raise Refused({name: ["This field cannot be changed once the study is published."] for name in fixed})
    if changes.get("total_available_places", fields["total_available_places"]) < fields["total_available_places"]:
        raise Refused({"total_available_places": ["The number of places can only be increased."]})
