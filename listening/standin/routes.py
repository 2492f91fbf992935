"""Prolific's REST API as the stand-in answers it."""

from typing import Any

from listening.standin import bonuses, shapes, studies, submissions
from listening.standin.hooks import EVENT_TYPES, Hooks
from listening.standin.pages import paged
from listening.standin.records import Group, Message, Refused, Submission
from listening.standin.server import Answer, Call, Route
from listening.standin.vocabulary import VOCABULARY, check_filters, passes
from listening.standin.world import World

#: Pay per hour in minor units, least and recommended.
RECOMMENDED = {"GBP": (600, 900), "USD": (800, 1200)}
_TOO_FEW = 25
_MOST_APPROVALS = 1000
_MOST_EXPORT_COMBINATIONS = 2


class Api:
    """The endpoints over one world. base_url is known when the server has its port."""

    def __init__(self, world: World, hooks: Hooks) -> None:
        self.world, self.hooks, self.base_url = world, hooks, ""

    def routes(self) -> list[Route]:
        """Fixed paths before those with names, so that `submissions/bulk-approve/` is not taken for a submission."""
        v1, workspace, study = "/api/v1/", "/api/v1/workspaces/{id}/", "/api/v1/studies/{id}/"
        submission, group, hook = (
            "/api/v1/submissions/{id}/",
            "/api/v1/participant-groups/{id}/",
            "/api/v1/hooks/subscriptions/",
        )
        return [
            Route("GET", f"{v1}users/me/", self.me),
            Route("GET", f"{v1}workspaces/", self.workspaces),
            Route("GET", f"{workspace}balance/", self.balance),
            Route("GET", f"{workspace}projects/", self.projects),
            Route("GET", f"{v1}projects/{{id}}/studies/", self.list_studies, bare=True),
            Route("POST", f"{v1}study-cost-calculator/", self.calculate_cost, bare=True),
            Route("GET", f"{v1}reward-recommendations/", self.reward_recommendations, bare=True),
            Route("GET", f"{v1}filters/", self.filters),
            Route("POST", f"{v1}eligibility-count/", self.eligibility_count),
            Route("GET", f"{v1}studies/", self.list_studies, bare=True),
            Route("POST", f"{v1}studies/", self.create_study, bare=True),
            Route("GET", study, self.study),
            Route("PATCH", study, self.change_study),
            Route("DELETE", study, self.delete_study),
            Route("POST", f"{study}transition/", self.transition_study),
            Route("POST", f"{study}clone/", self.clone_study),
            Route("GET", f"{study}cost/", self.cost, bare=True),
            Route("GET", f"{study}submissions/", self.study_submissions, bare=True),
            Route("GET", f"{study}submissions/counts/", self.counts, bare=True),
            Route("POST", f"{study}demographic-export/", self.demographic_export),
            Route("GET", f"{v1}submissions/", self.list_submissions, bare=True),
            Route("POST", f"{v1}submissions/bulk-approve/", self.bulk_approve, bare=True),
            Route("POST", f"{v1}submissions/bonus-payments/", self.set_up_bonus),
            Route("POST", f"{v1}bulk-bonus-payments/{{id}}/pay/", self.pay_bonus),
            Route("GET", submission, self.submission),
            Route("POST", f"{submission}transition/", self.decide),
            Route("POST", f"{submission}request-return/", self.request_return),
            Route("GET", f"{v1}messages/", self.messages, bare=True),
            Route("POST", f"{v1}messages/", self.send_message, bare=True),
            Route("GET", f"{v1}participant-groups/", self.groups),
            Route("POST", f"{v1}participant-groups/", self.create_group),
            Route("GET", group, self.group),
            Route("DELETE", group, self.delete_group),
            Route("GET", f"{group}participants/", self.members),
            Route("POST", f"{group}participants/", self.add_members),
            Route("DELETE", f"{group}participants/", self.remove_members),
            Route("GET", f"{v1}hooks/event-types/", self.event_types),
            Route("GET", f"{v1}hooks/secrets/", self.secrets),
            Route("POST", f"{v1}hooks/secrets/", self.new_secret),
            Route("GET", hook, self.subscriptions),
            Route("POST", hook, self.subscribe),
            Route("GET", f"{hook}{{id}}/", self.subscription),
            Route("POST", f"{hook}{{id}}/", self.confirm),
            Route("PATCH", f"{hook}{{id}}/", self.change_subscription),
            Route("DELETE", f"{hook}{{id}}/", self.unsubscribe),
            Route("GET", f"{hook}{{id}}/events/", self.events),
        ]

    # the account

    def me(self, call: Call) -> Answer:
        return Answer({"id": self.world.user_id, "email": "researcher@example.org", "currency_code": self.world.currency})

    def workspaces(self, call: Call) -> Answer:
        own = {
            "id": self.world.workspace_id,
            "title": "My workspace",
            "description": "",
            "owner": self.world.user_id,
            "users": [],
        }
        return Answer({"results": [own]})

    def balance(self, call: Call) -> Answer:
        self._own_workspace(call.args["id"])
        return Answer(shapes.balance(self.world))

    def projects(self, call: Call) -> Answer:
        self._own_workspace(call.args["id"])
        own = {
            "id": self.world.project_id,
            "title": "Project",
            "description": "",
            "owner": self.world.user_id,
            "type": "PRIVATE",
        }
        return paged(call, self.base_url, [own], dict)

    def _own_workspace(self, workspace_id: str) -> None:
        if workspace_id != self.world.workspace_id:
            raise Refused("Workspace not found.", status=404, title="Not found")

    # studies

    def list_studies(self, call: Call) -> Answer:
        project = call.args.get("id")
        if project and project != self.world.project_id:
            raise Refused("Project not found.", status=404, title="Not found")
        every = list(self.world.studies.values())
        if not project:
            return Answer({"results": [shapes.study_short(self.world, each) for each in every]})
        return paged(call, self.base_url, every, lambda each: shapes.study_short(self.world, each))

    def create_study(self, call: Call) -> Answer:
        return Answer(shapes.study_detail(self.world, studies.create(self.world, _object(call))), 201)

    def study(self, call: Call) -> Answer:
        return Answer(shapes.study_detail(self.world, self.world.study(call.args["id"])))

    def change_study(self, call: Call) -> Answer:
        return Answer(shapes.study_detail(self.world, studies.change(self.world, call.args["id"], _object(call))))

    def delete_study(self, call: Call) -> Answer:
        studies.delete(self.world, call.args["id"])
        return Answer({})

    def transition_study(self, call: Call) -> Answer:
        body = _object(call)
        moved = studies.transition(self.world, call.args["id"], str(body.get("action")), body.get("publish_at"))
        return Answer(shapes.study_detail(self.world, moved))

    def clone_study(self, call: Call) -> Answer:
        block = bool((call.body or {}).get("block_previous_participants", True))
        return Answer(shapes.study_detail(self.world, studies.clone(self.world, call.args["id"], block)))

    def cost(self, call: Call) -> Answer:
        projected = call.query.get("is_projected", "false").lower() == "true"
        return Answer(shapes.cost(self.world, self.world.study(call.args["id"]), projected))

    def calculate_cost(self, call: Call) -> Answer:
        body = _object(call)
        if not all(isinstance(body.get(name), int) for name in ("reward", "total_available_places")):
            raise Refused("reward and total_available_places must be whole numbers.")
        return Answer({"total_cost": body["total_available_places"] * self.world.rates.total(body["reward"])})

    def reward_recommendations(self, call: Call) -> Answer:
        currency = call.query.get("currency", "")
        if currency not in RECOMMENDED or not call.query.get("workspace_id"):
            raise Refused("workspace_id and a currency of GBP or USD are required.")
        least, recommended = RECOMMENDED[currency]
        return Answer([{"currency": currency, "min_reward_per_hour": least, "recommended_reward_per_hour": recommended}])

    def filters(self, call: Call) -> Answer:
        return Answer({"results": list(VOCABULARY.values()), "_links": {}, "meta": {"count": len(VOCABULARY)}})

    def eligibility_count(self, call: Call) -> Answer:
        chosen = _object(call).get("filters")
        check_filters(chosen)
        fit = sum(passes(person, chosen, self.world.belongs(person)) for person in self.world.people.values())
        return Answer({"count": fit if fit >= _TOO_FEW else 0})

    # submissions

    def study_submissions(self, call: Call) -> Answer:
        return self._page_of_submissions(call, self.world.of_study(self.world.study(call.args["id"]).id))

    def list_submissions(self, call: Call) -> Answer:
        study_id = call.query.get("study", "")
        if study_id not in self.world.studies:
            raise Refused("Name a study of yours in the parameter study.")
        status = call.query.get("status")
        return self._page_of_submissions(call, [s for s in self.world.of_study(study_id) if status in (None, s.status)])

    def _page_of_submissions(self, call: Call, chosen: list[Submission]) -> Answer:
        newest_first = call.query.get("ordering", "").startswith("-")
        ordered = sorted(chosen, key=lambda each: (each.started_at or each.reserved_at, each.id), reverse=newest_first)
        return paged(call, self.base_url, ordered, lambda each: shapes.submission_short(self.world, each))

    def counts(self, call: Call) -> Answer:
        return Answer(shapes.counts(self.world.of_study(self.world.study(call.args["id"]).id)))

    def submission(self, call: Call) -> Answer:
        return Answer(shapes.submission_detail(self.world.submission(call.args["id"])))

    def decide(self, call: Call) -> Answer:
        body, submission_id = _object(call), call.args["id"]
        if body.get("action") == "APPROVE":
            decided = submissions.approve(self.world, submission_id)
        elif body.get("action") == "REJECT":
            category, message = str(body.get("rejection_category", "")), str(body.get("message") or "")
            decided = submissions.reject(self.world, submission_id, category, message)
        else:
            raise Refused({"action": ["Not a valid choice."]})
        return Answer(shapes.submission_state(decided))

    def request_return(self, call: Call) -> Answer:
        reasons = _object(call).get("request_return_reasons")
        if not reasons:
            raise Refused({"request_return_reasons": ["This field is required."]})
        asked = submissions.request_return(self.world, call.args["id"], reasons)
        detail = shapes.submission_detail(asked)
        return Answer({name: detail[name] for name in ("id", "status", "participant", "return_requested")})

    def bulk_approve(self, call: Call) -> Answer:
        body = _object(call)
        chosen = body.get("submission_ids")
        if chosen is None:
            people = set(body.get("participant_ids") or ())
            chosen = [s.id for s in self.world.of_study(str(body.get("study_id"))) if s.participant_id in people]
        if not 0 < len(chosen) <= _MOST_APPROVALS:
            raise Refused(f"Give 1 to {_MOST_APPROVALS} submissions.")
        submissions.approve_later(self.world, chosen)
        return Answer("The request to bulk approve has been made successfully.")

    def set_up_bonus(self, call: Call) -> Answer:
        body = _object(call)
        batch = bonuses.set_up(self.world, str(body.get("study_id")), str(body.get("csv_bonuses") or ""))
        return Answer(shapes.bonus_batch(batch), 201)

    def pay_bonus(self, call: Call) -> Answer:
        bonuses.pay(self.world, call.args["id"])
        return Answer("The request to pay the bonuses has been made successfully.", 202)

    def demographic_export(self, call: Call) -> Answer:
        """A CSV of the chosen columns; two different combinations of filters per study, no more."""
        study = self.world.study(call.args["id"])
        names = [str(chosen["filter_id"]) for chosen in (call.body or {}).get("filters") or ()]
        combination = "+".join(sorted(names))
        if combination not in study.exports:
            if len(study.exports) >= _MOST_EXPORT_COMBINATIONS:
                raise Refused("This study has been exported with two combinations of filters already.")
            study.exports.append(combination)
        rows = ["Submission id,Participant id,Status," + ",".join(names)]
        for each in self.world.of_study(study.id):
            answers = self.world.people[each.participant_id].answers
            rows.append(",".join([each.id, each.participant_id, each.status, *(str(answers.get(name, "")) for name in names)]))
        return Answer("\n".join(rows), content_type="text/csv")

    # messages and groups

    def messages(self, call: Call) -> Answer:
        person = call.query.get("user_id")
        if not (person or call.query.get("created_after")):
            raise Refused("user_id or created_after is required.")
        chosen = [m for m in self.world.messages if person in (None, m.sender_id, m.recipient_id)]
        return Answer({"results": [shapes.message(each) for each in chosen]})

    def send_message(self, call: Call) -> Answer:
        body = _object(call)
        if not all(body.get(name) for name in ("recipient_id", "body", "study_id")):
            raise Refused("recipient_id, body and study_id are required.")
        if body["recipient_id"] not in self.world.people:
            raise Refused("There is no such participant.")
        world = self.world
        world.messages.append(
            Message(world.new_id(), world.user_id, body["recipient_id"], body["body"], body["study_id"], world.now())
        )
        return Answer(status=204)

    def _group(self, call: Call) -> Group:
        if call.args["id"] not in self.world.groups:
            raise Refused("Group not found.", status=404, title="Not found")
        return self.world.groups[call.args["id"]]

    def groups(self, call: Call) -> Answer:
        return Answer({"results": [shapes.group(each) for each in self.world.groups.values() if not each.is_deleted]})

    def create_group(self, call: Call) -> Answer:
        body = _object(call)
        if not body.get("name"):
            raise Refused({"name": ["This field is required."]})
        made = Group(self.world.new_id(), body["name"], self.world.workspace_id, body.get("description"))
        made.members = {person: self.world.now() for person in body.get("participant_ids") or ()}
        self.world.groups[made.id] = made
        return Answer(shapes.group(made), 201)

    def group(self, call: Call) -> Answer:
        return Answer(shapes.group(self._group(call)))

    def delete_group(self, call: Call) -> Answer:
        self._group(call).is_deleted = True
        return Answer(status=204)

    def members(self, call: Call) -> Answer:
        return Answer({"results": shapes.members(self._group(call))})

    def add_members(self, call: Call) -> Answer:
        group = self._group(call)
        for person in _object(call).get("participant_ids") or ():
            group.members.setdefault(person, self.world.now())
        return Answer({"results": shapes.members(group)})

    def remove_members(self, call: Call) -> Answer:
        group = self._group(call)
        for person in _object(call).get("participant_ids") or ():
            group.members.pop(person, None)
        return Answer({"results": shapes.members(group)})

    # webhooks

    def event_types(self, call: Call) -> Answer:
        return Answer({"results": [{"event_type": name, "description": said} for name, said in EVENT_TYPES.items()]})

    def secrets(self, call: Call) -> Answer:
        return Answer({"results": [self.hooks.secret_json()] if self.hooks.secret else []})

    def new_secret(self, call: Call) -> Answer:
        self._own_workspace(str(_object(call).get("workspace_id")))
        return Answer(self.hooks.new_secret(), 201)

    def subscriptions(self, call: Call) -> Answer:
        return Answer({"results": [each.to_json() for each in self.hooks.subscriptions.values()]})

    def subscribe(self, call: Call) -> Answer:
        made = self.hooks.subscribe(_object(call))
        # Both of Prolific's descriptions at once: the subscription itself, and a list of one.
        return Answer({**made.to_json(), "results": [made.to_json()]}, 201, {"X-Hook-Secret": made.confirmation})

    def subscription(self, call: Call) -> Answer:
        return Answer(self.hooks.find(call.args["id"]).to_json())

    def confirm(self, call: Call) -> Answer:
        return Answer(self.hooks.confirm(call.args["id"], str(_object(call).get("secret", ""))).to_json())

    def change_subscription(self, call: Call) -> Answer:
        subscription, body = self.hooks.find(call.args["id"]), _object(call)
        for name in ("event_type", "target_url", "is_enabled"):
            if name in body:
                setattr(subscription, name, body[name])
        return Answer(subscription.to_json())

    def unsubscribe(self, call: Call) -> Answer:
        del self.hooks.subscriptions[self.hooks.find(call.args["id"]).id]
        return Answer(status=204)

    def events(self, call: Call) -> Answer:
        begin, most = int(call.query.get("offset", "0")), int(call.query.get("limit", "100"))
        chosen = self.hooks.find(call.args["id"]).events[begin : begin + most]
        return Answer({"results": [each.to_json() for each in chosen]})


def _object(call: Call) -> dict[str, Any]:
    if not isinstance(call.body, dict):
        raise Refused("The body must be a JSON object.")
    return call.body
