"""Prolific's REST API, call by call. Values in, values out; what each answer means is for the services to say."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Self

from listening.prolific.errors import ProlificError
from listening.prolific.transport import Transport, part
from listening.prolific.types import (
    Account,
    Balance,
    BonusBatch,
    Cost,
    Filter,
    Hook,
    ParticipantGroup,
    Project,
    RemoteStudy,
    RewardRecommendation,
    StudyDraft,
    Submission,
    Workspace,
    major,
    minor,
)

REJECTION_CATEGORIES = (
    *("TOO_QUICKLY", "TOO_SLOWLY", "FAILED_INSTRUCTIONS", "INCOMP_LONGITUDINAL", "FAILED_CHECK", "LOW_EFFORT"),
    *("MALINGERING", "NO_CODE", "BAD_CODE", "NO_DATA", "UNSUPP_DEVICE", "OTHER"),
)
SHORTEST_REJECTION_MESSAGE = 100
LARGEST_BULK_APPROVAL = 1000
LARGEST_BONUS_BATCH = 200


class ProlificClient:
    """One account on Prolific, or on a stand-in.

    base_url: `https://api.prolific.com`. timeout_s: for connecting and for each pause in an answer. attempts: how often a call that
    may be repeated is sent in all. Every call raises ProlificError with a sentence; a call that may not be repeated and went
    unanswered raises ProlificUncertain. The token appears in no message and no representation.
    """

    def __init__(
        self,
        base_url: str,
        token: str,
        *,
        timeout_s: float = 20.0,
        attempts: int = 5,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._api = Transport(base_url, token, timeout_s, attempts, sleep)

    def __repr__(self) -> str:
        return f"ProlificClient({self._api!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._api.close()

    # the account and its money

    def me(self) -> Account:
        body = self._api.call("GET", "users/me/")
        return Account(body["id"], body.get("email") or "")

    def workspaces(self) -> list[Workspace]:
        return [Workspace(item["id"], item.get("title") or "") for item in self._api.pages("workspaces/")]

    def projects(self, workspace_id: str) -> list[Project]:
        path = f"workspaces/{part(workspace_id)}/projects/"
        return [Project(item["id"], item.get("title") or "") for item in self._api.pages(path)]

    def balance(self, workspace_id: str) -> Balance:
        return Balance.from_json(self._api.call("GET", f"workspaces/{part(workspace_id)}/balance/"))

    def calculate_cost(self, reward_minor: int, places: int) -> int:
        """What a study of so many places at this reward will cost with fees and tax, in minor units."""
        body = {"reward": reward_minor, "total_available_places": places}
        return minor(self._api.call("POST", "study-cost-calculator/", body, repeatable=True)["total_cost"])

    def reward_recommendation(self, workspace_id: str, currency: str) -> RewardRecommendation:
        """Least and recommended pay per hour. Raises ProlificError where Prolific names none for the currency."""
        query = {"workspace_id": workspace_id, "currency": currency}
        for item in self._api.call("GET", "reward-recommendations/", query=query):
            if item.get("currency") == currency:
                return RewardRecommendation(
                    currency, minor(item["min_reward_per_hour"]), minor(item["recommended_reward_per_hour"])
                )
        raise ProlificError(200, "", f"Prolific recommends no reward in {currency}.")

    # studies

    def create_study(self, draft: StudyDraft) -> RemoteStudy:
        """A new draft. Not repeated: after ProlificUncertain, look for it in the project by its internal name."""
        return RemoteStudy.from_json(self._api.call("POST", "studies/", draft.to_json()))

    def studies(self, project_id: str = "") -> list[RemoteStudy]:
        """The studies of a project, or of the whole account, in their short form."""
        path = f"projects/{part(project_id)}/studies/" if project_id else "studies/"
        return [RemoteStudy.from_json(item) for item in self._api.pages(path, counted=bool(project_id))]

    def study(self, study_id: str) -> RemoteStudy:
        return RemoteStudy.from_json(self._api.call("GET", f"studies/{part(study_id)}/"))

    def update_study(self, study_id: str, **changes: Any) -> RemoteStudy:
        """Change fields, named as Prolific names them. A published study takes few; its places only grow."""
        return RemoteStudy.from_json(self._api.call("PATCH", f"studies/{part(study_id)}/", changes, repeatable=True))

    def transition_study(self, study_id: str, action: str) -> RemoteStudy:
        """PUBLISH, PAUSE, START or STOP. Sent again when unanswered: a second one finds the study moved and does nothing."""
        path = f"studies/{part(study_id)}/transition/"
        return RemoteStudy.from_json(self._api.call("POST", path, {"action": action}, repeatable=True))

    def clone_study(self, study_id: str, block_previous_participants: bool = True) -> RemoteStudy:
        body = {"block_previous_participants": block_previous_participants}
        return RemoteStudy.from_json(self._api.call("POST", f"studies/{part(study_id)}/clone/", body))

    def delete_study(self, study_id: str) -> None:
        """Delete a draft; Prolific keeps whatever was published."""
        self._api.call("DELETE", f"studies/{part(study_id)}/")

    def study_cost(self, study_id: str, projected: bool = False) -> Cost:
        query = {"is_projected": "true"} if projected else None
        return Cost.from_json(self._api.call("GET", f"studies/{part(study_id)}/cost/", query=query))

    # who may take part

    def filters(self) -> list[Filter]:
        return [Filter.from_json(item) for item in self._api.pages("filters/")]

    def eligibility_count(self, filters: Sequence[Mapping[str, Any]], workspace_id: str) -> int:
        """How many people pass the filters; Prolific says 0 for fewer than 25."""
        body = {"filters": [dict(chosen) for chosen in filters], "workspace_id": workspace_id}
        return int(self._api.call("POST", "eligibility-count/", body, repeatable=True)["count"])

    def participant_groups(self, workspace_id: str) -> list[ParticipantGroup]:
        return [_group(item) for item in self._api.pages("participant-groups/", {"workspace_id": workspace_id})]

    def create_participant_group(self, workspace_id: str, name: str, participant_ids: Iterable[str] = ()) -> ParticipantGroup:
        body = {"workspace_id": workspace_id, "name": name, "participant_ids": list(participant_ids)}
        return _group(self._api.call("POST", "participant-groups/", body))

    def group_members(self, group_id: str) -> list[str]:
        path = f"participant-groups/{part(group_id)}/participants/"
        return [item["participant_id"] for item in self._api.pages(path)]

    def add_to_group(self, group_id: str, participant_ids: Iterable[str]) -> None:
        path = f"participant-groups/{part(group_id)}/participants/"
        self._api.call("POST", path, {"participant_ids": list(participant_ids)}, repeatable=True)

    def remove_from_group(self, group_id: str, participant_ids: Iterable[str]) -> None:
        path = f"participant-groups/{part(group_id)}/participants/"
        self._api.call("DELETE", path, {"participant_ids": list(participant_ids)})

    # submissions

    def submissions(self, study_id: str) -> list[Submission]:
        """All submissions of a study. The study is always named: without it Prolific lists those of every study."""
        query = {"study": part(study_id), "ordering": "started_at"}
        return [Submission.from_json(item, study_id) for item in self._api.pages("submissions/", query, counted=True)]

    def submission(self, submission_id: str) -> Submission:
        return Submission.from_json(self._api.call("GET", f"submissions/{part(submission_id)}/"))

    def submission_counts(self, study_id: str) -> dict[str, int]:
        """How many submissions there are in each status, and in all under TOTAL."""
        body = self._api.call("GET", f"studies/{part(study_id)}/submissions/counts/")
        return {status: int(count) for status, count in body.items() if isinstance(count, int | float)}

    def approve(self, submission_id: str) -> Submission:
        return self._decide(submission_id, {"action": "APPROVE"})

    def reject(self, submission_id: str, category: str, message: str) -> Submission:
        """Refuse pay, for good. Raises ValueError for a category or a message that Prolific would not take."""
        if category not in REJECTION_CATEGORIES:
            raise ValueError(f"{category!r} is no rejection category; choose one of {', '.join(REJECTION_CATEGORIES)}.")
        if len(message) < SHORTEST_REJECTION_MESSAGE:
            raise ValueError(f"A rejection needs a message of at least {SHORTEST_REJECTION_MESSAGE} characters.")
        return self._decide(submission_id, {"action": "REJECT", "rejection_category": category, "message": message})

    def request_return(self, submission_id: str, reason: str) -> None:
        """Ask the participant to return a submission. Not repeated, because they are told each time."""
        self._api.call("POST", f"submissions/{part(submission_id)}/request-return/", {"request_return_reasons": [reason]})

    def bulk_approve(self, submission_ids: Sequence[str]) -> None:
        """Approve up to 1000 submissions; Prolific does it later, so read them back."""
        if not 0 < len(submission_ids) <= LARGEST_BULK_APPROVAL:
            raise ValueError(f"A bulk approval takes 1 to {LARGEST_BULK_APPROVAL} submissions, not {len(submission_ids)}.")
        self._api.call("POST", "submissions/bulk-approve/", {"submission_ids": list(submission_ids)}, repeatable=True)

    def _decide(self, submission_id: str, body: dict[str, Any]) -> Submission:
        return Submission.from_json(
            self._api.call("POST", f"submissions/{part(submission_id)}/transition/", body, repeatable=True)
        )

    # bonuses and messages

    def set_up_bonus(self, study_id: str, bonuses: Mapping[str, int]) -> BonusBatch:
        """Prepare bonuses: participant (or submission) id to minor units. Costs nothing until pay_bonus, and may then be paid once."""
        if not 0 < len(bonuses) <= LARGEST_BONUS_BATCH:
            raise ValueError(f"A bonus batch takes 1 to {LARGEST_BONUS_BATCH} people, not {len(bonuses)}.")
        if not all(isinstance(amount, int) and amount > 0 for amount in bonuses.values()):
            raise ValueError("Every bonus must be a whole number of minor units above 0.")
        lines = [f"{part(person)},{major(amount)}" for person, amount in bonuses.items()]
        body = {"study_id": part(study_id), "csv_bonuses": "\n".join(lines)}
        return BonusBatch.from_json(self._api.call("POST", "submissions/bonus-payments/", body))

    def pay_bonus(self, batch_id: str) -> None:
        """Pay a batch. Sent once and never again: each repetition pays again. Note that it was sent before calling."""
        self._api.call("POST", f"bulk-bonus-payments/{part(batch_id)}/pay/")

    def send_message(self, recipient_id: str, body: str, study_id: str) -> None:
        self._api.call("POST", "messages/", {"recipient_id": recipient_id, "body": body, "study_id": study_id})

    # webhooks

    def hook_secret(self, workspace_id: str) -> str:
        """A new secret that signs the workspace's events; the one before stops working."""
        return str(self._api.call("POST", "hooks/secrets/", {"workspace_id": workspace_id})["value"])

    def hook_subscriptions(self, workspace_id: str) -> list[Hook]:
        return [Hook.from_json(item) for item in self._api.pages("hooks/subscriptions/", {"workspace_id": workspace_id})]

    def create_hook(self, workspace_id: str, event_type: str, target_url: str) -> Hook:
        """Subscribe to an event and confirm it, as Prolific asks, with the secret of the answer's header."""
        body = {"workspace_id": workspace_id, "event_type": event_type, "target_url": target_url}
        created, headers = self._api.call("POST", "hooks/subscriptions/", body, headers_too=True)
        # Prolific's guide shows the subscription itself, its OpenAPI document a list of one.
        hook = Hook.from_json(created["results"][0] if "results" in created else created, headers.get("X-Hook-Secret", ""))
        if hook.secret:
            self._api.call("POST", f"hooks/subscriptions/{part(hook.id)}/", {"secret": hook.secret}, repeatable=True)
        return hook

    def delete_hook(self, hook_id: str) -> None:
        self._api.call("DELETE", f"hooks/subscriptions/{part(hook_id)}/")


def _group(body: Mapping[str, Any]) -> ParticipantGroup:
    return ParticipantGroup(body["id"], body.get("name") or "", int(body.get("participant_count") or 0))
