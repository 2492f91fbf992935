"""Filters: their vocabulary, whom they let in, and the cells that their weightings make."""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from listening.standin.records import Person, Refused

_YES_NO = {"0": "Yes", "1": "No", "2": "Rather not say"}


def _select(filter_id: str, title: str, choices: dict[str, str], data_type: str = "ChoiceID") -> dict[str, Any]:
    shape = {"filter_id": filter_id, "title": title, "description": title, "question": title, "type": "select"}
    return {**shape, "data_type": data_type, **({"choices": choices} if data_type == "ChoiceID" else {})}


def _range(filter_id: str, title: str, low: int, high: int) -> dict[str, Any]:
    shape = {"filter_id": filter_id, "title": title, "description": title, "question": title, "type": "range"}
    return {**shape, "data_type": "integer", "min": low, "max": high}


VOCABULARY: dict[str, dict[str, Any]] = {
    entry["filter_id"]: entry
    for entry in (
        _select("sex", "Sex", {"0": "Male", "1": "Female"}),
        _select(
            "current-country-of-residence",
            "Current country of residence",
            {"0": "United Kingdom", "1": "United States", "2": "Ireland", "3": "Germany"},
        ),
        _select("fluent-languages", "Fluent languages", {"19": "English", "25": "French", "28": "German", "60": "Spanish"}),
        _select("first-language", "First language", {"18": "English", "24": "French", "27": "German", "59": "Spanish"}),
        _select("hearing-difficulties", "Hearing difficulties", _YES_NO),
        _range("age", "Age", 18, 100),
        _range("approval_rate", "Approval rate", 0, 100),
        _range("approval_numbers", "Number of previous submissions", 0, 100000),
        _select("custom_allowlist", "Custom allow list", {}, "ParticipantID"),
        _select("custom_blocklist", "Custom block list", {}, "ParticipantID"),
        _select("previous_studies", "Previous studies", {}, "StudyID"),
        _select("previous_studies_blocklist", "Exclude previous studies", {}, "StudyID"),
        _select("participant_group_allowlist", "Participant group", {}, "ParticipantGroupID"),
        _select("participant_group_blocklist", "Exclude participant group", {}, "ParticipantGroupID"),
    )
}

#: What a filter by list asks about a person: their studies and groups beside their own id.
Belongs = Mapping[str, set[str]]


def check_filters(filters: Sequence[Mapping[str, Any]] | None) -> None:
    """Refuses filters and choices that are not in the vocabulary."""
    for chosen in filters or ():
        name = chosen.get("filter_id")
        if name in ("and", "or"):
            check_filters(chosen.get("selected_filters"))
            continue
        entry = VOCABULARY.get(str(name))
        if entry is None:
            raise Refused({"filters": [f"Filter {name} does not exist."]})
        if entry["type"] == "range":
            if not isinstance(chosen.get("selected_range"), dict):
                raise Refused({"filters": [f"Filter {name} needs a selected_range."]})
        elif not isinstance(chosen.get("selected_values"), list):
            raise Refused({"filters": [f"Filter {name} needs selected_values."]})
        elif entry["data_type"] == "ChoiceID" and not set(chosen["selected_values"]) <= set(entry["choices"]):
            raise Refused({"filters": [f"Filter {name} has no such choice."]})
        unknown = set(chosen.get("weightings") or ()) - set(chosen.get("selected_values") or chosen.get("weightings") or ())
        if unknown:
            raise Refused({"filters": [f"Filter {name} weights what it does not select."]})


def passes(person: Person, filters: Sequence[Mapping[str, Any]] | None, belongs: Belongs) -> bool:
    """Whether a person passes all filters."""
    return all(_passes(person, chosen, belongs) for chosen in filters or ())


def _passes(person: Person, chosen: Mapping[str, Any], belongs: Belongs) -> bool:
    name = chosen["filter_id"]
    if name in ("and", "or"):
        parts = [_passes(person, each, belongs) for each in chosen["selected_filters"]]
        return all(parts) if name == "and" else any(parts)
    kind = VOCABULARY[name]["data_type"]
    values = set(map(str, chosen.get("selected_values") or ()))
    if kind in ("ParticipantID", "StudyID", "ParticipantGroupID"):
        return bool(values & belongs[kind]) != name.endswith("blocklist")
    answer = person.answers.get(name)
    if answer is None:
        return False
    if "selected_range" in chosen:
        limits = chosen["selected_range"]
        return float(limits.get("lower", answer)) <= float(answer) <= float(limits.get("upper", answer))
    return bool(values & set(map(str, answer if isinstance(answer, list) else [answer])))


def weighted(filters: Sequence[Mapping[str, Any]] | None) -> list[Mapping[str, Any]]:
    return [chosen for chosen in filters or () if chosen.get("weightings")]


def cell_of(person: Person, filters: Sequence[Mapping[str, Any]] | None) -> tuple[str, ...] | None:
    """The quota cell a person belongs to, one key for each weighted filter; None for somebody in none."""
    keys = []
    for chosen in weighted(filters):
        answer = person.answers.get(chosen["filter_id"])
        answers = {str(each) for each in (answer if isinstance(answer, list) else [answer])}
        found = [key for key, weight in chosen["weightings"].items() if _in_band(key, weight, answers, answer)]
        if not found:
            return None
        keys.append(found[0])
    return tuple(keys)


def _in_band(key: str, weight: Any, answers: set[str], answer: Any) -> bool:
    if isinstance(weight, Mapping):
        limits = weight["selected_range"]
        return answer is not None and float(limits["lower"]) <= float(answer) <= float(limits["upper"])
    return key in answers


def cell_sizes(filters: Sequence[Mapping[str, Any]] | None, places: int) -> dict[tuple[str, ...], int]:
    """Places of each cell: shares multiply over the weighted filters; whole numbers by largest remainder.

    >>> cell_sizes([{"filter_id": "sex", "selected_values": ["0", "1"], "weightings": {"0": 1, "1": 1}}], 5)
    {('0',): 3, ('1',): 2}
    """
    shares = []
    for chosen in weighted(filters):
        numbers = {key: float(w["weighting"] if isinstance(w, Mapping) else w) for key, w in chosen["weightings"].items()}
        total = sum(numbers.values())
        shares.append([(key, number / total) for key, number in numbers.items()])
    exact = {}
    for combination in itertools.product(*shares):
        share = float(places)
        for _, part in combination:
            share *= part
        exact[tuple(key for key, _ in combination)] = share
    sizes = {cell: int(share) for cell, share in exact.items()}
    by_remainder = sorted(exact, key=lambda cell: sizes[cell] - exact[cell])
    for cell in by_remainder[: places - sum(sizes.values())]:
        sizes[cell] += 1
    return sizes
