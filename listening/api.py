"""The API: raters' pages post ratings to it; researchers' scripts read progress and ratings from it."""

from typing import Any

from django.contrib.auth.models import User
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from analysis.exports import EXPORTS
from listening.models import Session, Stimulus, Trial
from listening.services.access import studies_of
from listening.services.asking import clips_of, screen_of, study_tasks
from listening.services.audit import note
from listening.services.checks import seconds_to_recheck
from listening.services.errors import ServiceError
from listening.services.practice import Role, feedback, in_order, numbers_of
from listening.services.progress import study_progress
from listening.services.ratings import (
    SKIP_REASONS,
    ConflictError,
    NotHeardError,
    Receipt,
    TooManySkippedError,
    clean_answers,
    next_position,
    record_ratings,
    skip_trial,
)
from listening.services.reports import export_content
from listening.views.limits import RaterThrottle


class ListeningSerializer(serializers.Serializer):
    """What the page saw while the clip was heard."""

    plays = serializers.IntegerField(min_value=0, help_text="How often playback was started.")
    heard_share = serializers.FloatField(
        min_value=0,
        max_value=1,
        help_text="Share of the clip that was heard at least once; of two clips, of the one heard less.",
    )
    heard_shares = serializers.ListField(
        child=serializers.FloatField(min_value=0, max_value=1),
        required=False,
        max_length=2,
        help_text="The same of each clip, in the order played.",
    )
    first_play_at = serializers.DateTimeField(required=False, allow_null=True)
    ended_at = serializers.DateTimeField(required=False, allow_null=True)
    output_sample_rate = serializers.IntegerField(required=False, allow_null=True)
    hidden_ms = serializers.IntegerField(required=False, min_value=0, help_text="Time the page was hidden during the trial.")
    hidden_count = serializers.IntegerField(required=False, min_value=0, help_text="How often the page was hidden.")
    unfocused_ms = serializers.IntegerField(
        required=False, min_value=0, help_text="Time another window or program had the focus."
    )
    unfocused_count = serializers.IntegerField(required=False, min_value=0, help_text="How often the focus went elsewhere.")
    device_changes = serializers.IntegerField(
        required=False, min_value=0, help_text="How often an audio device was plugged in, pulled out or chosen anew."
    )
    interruptions = serializers.IntegerField(required=False, min_value=0, help_text="How often the device broke a play off.")
    sha256_ok = serializers.BooleanField(required=False, allow_null=True)
    tries = serializers.IntegerField(
        required=False, min_value=1, help_text="How often the page has tried to deliver this, the present try included."
    )


class RatingsSerializer(serializers.Serializer):
    """The answers of one trial."""

    idempotency_key = serializers.UUIDField(help_text="Drawn once for each answer; the same one comes with every retry.")
    answers = serializers.DictField(help_text="Scale to value: a whole number, or a list of names.")
    listening = ListeningSerializer()
    client_time = serializers.DateTimeField(required=False, allow_null=True)


#: What is read of a session to take an answer: a row of a study is wide, and answers come by the hundred a second.
_ANSWERING = (
    *("public_id", "state", "preview", "lease_expires_at", "study", "participant__simulated"),
    *(f"study__{name}" for name in ("language", "rating_tasks", "emotions", "minimum_heard_share", "lease_minutes")),
)
#: Building the fields of a serializer takes longer than reading an answer with them. These two hold nothing of a request.
_RATINGS, _LISTENING = RatingsSerializer(), ListeningSerializer()


class SkipSerializer(serializers.Serializer):
    """A clip that could not be heard, and what stood in the way."""

    idempotency_key = serializers.UUIDField(help_text="Drawn once for each report; the same one comes with every retry.")
    reason = serializers.ChoiceField(choices=SKIP_REASONS)
    listening = ListeningSerializer()
    client_time = serializers.DateTimeField(required=False, allow_null=True)


class ReceiptSerializer(serializers.Serializer):
    """What the server holds now."""

    position = serializers.IntegerField()
    stored = serializers.BooleanField()
    next_position = serializers.IntegerField(allow_null=True)
    done_url = serializers.CharField()


class ProblemSerializer(serializers.Serializer):
    """What was wrong, in a sentence."""

    detail = serializers.CharField()
    errors = serializers.DictField(child=serializers.CharField(), required=False)  # type: ignore[assignment]
    next_position = serializers.IntegerField(required=False, allow_null=True)


_STORED = {200: ReceiptSerializer, 201: ReceiptSerializer}
#: What may be wrong, by status: with anything that is asked for, and with what is posted too.
_PROBLEMS = dict.fromkeys((404, 429), ProblemSerializer)
_POST_PROBLEMS = dict.fromkeys((400, 403, 404, 415, 429), ProblemSerializer)
_RESEARCHERS_PROBLEMS = dict.fromkeys((401, 403, 404, 429), ProblemSerializer)


class ClipSerializer(serializers.Serializer):
    audio_url = serializers.CharField()
    sha256 = serializers.CharField()
    duration_s = serializers.FloatField()


class TrialStateSerializer(ClipSerializer):
    """A trial and the clip that is heard first."""

    position = serializers.IntegerField()
    second = ClipSerializer(
        allow_null=True,
        help_text="The clip heard after it, where a stimulus is heard beside its reference; either may be which.",
    )
    answered = serializers.BooleanField()
    practice = serializers.BooleanField(help_text="Before the test, with feedback, not counted.")
    number = serializers.IntegerField(help_text="Among the clips of the test, or of the practice.")
    of = serializers.IntegerField()
    feedback = serializers.CharField(help_text="What is said after a practice clip; empty for others.")


class ScaleSerializer(serializers.Serializer):
    key = serializers.CharField()
    kind = serializers.CharField()
    title = serializers.CharField()
    required = serializers.BooleanField()  # type: ignore[assignment]
    own_listening = serializers.BooleanField(help_text="Whether the clip is heard once more before this question.")


class SessionStateSerializer(serializers.Serializer):
    """Everything the trial page needs."""

    token = serializers.CharField()
    api_url = serializers.CharField()
    n_trials = serializers.IntegerField(help_text="Clips of the test, practice aside.")
    break_every = serializers.IntegerField(help_text="Clips after which a break is offered; 0 for none.")
    recheck_in_s = serializers.FloatField(allow_null=True, help_text="Seconds until a step of the screening is due again.")
    enter_url = serializers.CharField(help_text="Leads to whatever the session has to do next.")
    next_position = serializers.IntegerField(allow_null=True)
    simulated = serializers.BooleanField()
    preview = serializers.BooleanField()
    minimum_heard_share = serializers.FloatField()
    max_plays = serializers.IntegerField(allow_null=True)
    done_url = serializers.CharField()
    trials = TrialStateSerializer(many=True)
    scales = ScaleSerializer(many=True)


class ProgressSerializer(serializers.Serializer):
    """How far a study is."""

    study = serializers.CharField()
    status = serializers.CharField()
    stimuli = serializers.DictField(child=serializers.IntegerField(), help_text="Stimuli by status.")
    plans = serializers.DictField(child=serializers.DictField(), help_text="By stratum: all, completed, active, free.")
    sessions = serializers.DictField(child=serializers.IntegerField(), help_text="Sessions by state.")
    ratings = serializers.IntegerField()
    simulated_ratings = serializers.IntegerField()
    share_complete = serializers.FloatField(help_text="Share of the plans that are completed, 0 to 1.")


def session_state(session: Session) -> dict[str, Any]:
    """A session as its page needs it; tells neither clips nor conditions."""
    token = session.token
    participant = session.participant
    trials = in_order(session)
    numbers = numbers_of(trials)
    clips = clips_of(session, trials)
    screen = screen_of(session)
    return {
        "token": token,
        "api_url": reverse("api-session", args=[token]),
        "n_trials": sum(trial.role != Role.TRAINING for trial in trials),
        "break_every": session.study.break_every,
        "enter_url": reverse("enter", args=[token]),
        "recheck_in_s": seconds_to_recheck(session),
        "next_position": next_position(session),
        "simulated": bool(participant and participant.simulated),
        "preview": session.preview,
        "minimum_heard_share": session.study.minimum_heard_share,
        "max_plays": session.study.max_plays,
        "done_url": reverse("done", args=[token]),
        "trials": [
            {
                "position": trial.position,
                **_clip_state(trial, 1, clips[trial.position][0]),
                "second": _clip_state(trial, 2, clips[trial.position][1]) if len(clips[trial.position]) > 1 else None,
                "answered": trial.answered_at is not None,
                "practice": trial.role == Role.TRAINING,
                "number": numbers[trial.position][0],
                "of": numbers[trial.position][1],
                "feedback": feedback(trial),
            }
            for trial in trials
        ],
        "scales": [question for task in study_tasks(session.study) for question in task.questions(screen)],
    }


def _clip_state(trial: Trial, place: int, stimulus: Stimulus) -> dict[str, Any]:
    """One of a trial's clips. Its address tells whether it is heard first or second, and not which is the reference."""
    address = reverse("trial-audio", args=[trial.ticket])
    return {
        "audio_url": address if place == 1 else f"{address}?clip={place}",
        "sha256": stimulus.audio_sha256,
        "duration_s": stimulus.duration_s,
    }


class RaterView(APIView):
    """Open to whoever holds a session's token."""

    authentication_classes = ()
    permission_classes = ()
    throttle_classes = (RaterThrottle,)

    def session(self, token: str, *fields: str) -> Session:
        try:
            return Session.from_token(token, *fields)
        except Session.DoesNotExist as error:
            raise NotFound(_("There is no such session. Please open the study from Prolific again.")) from error


class SessionView(RaterView):
    @extend_schema(responses={200: SessionStateSerializer, **_PROBLEMS})
    def get(self, request: Request, token: str) -> Response:
        """The session's trials, and which of them the server holds answers for."""
        session = self.session(token)
        with translation.override(session.study.language):
            return Response(session_state(session))


class RatingsView(RaterView):
    @extend_schema(request=RatingsSerializer, responses={**_STORED, **_POST_PROBLEMS, 409: ProblemSerializer})
    def post(self, request: Request, token: str, position: int) -> Response:
        """Store the answers of one trial. The same answers again get the same receipt, with status 200."""
        session = self.session(token, *_ANSWERING)
        with translation.override(session.study.language):
            return self._store(request, session, position)

    def _store(self, request: Request, session: Session, position: int) -> Response:
        try:
            body = _RATINGS.run_validation(request.data)
        except serializers.ValidationError as error:
            return _problem(_("The request is not complete:") + " " + _first_error(error.detail), status.HTTP_400_BAD_REQUEST)
        answers, errors = clean_answers(session, position, body["answers"])
        if errors:
            return _problem(next(iter(errors.values())), status.HTTP_400_BAD_REQUEST, errors=errors)
        try:
            receipt = record_ratings(
                session,
                position,
                answers,
                idempotency_key=body["idempotency_key"],
                listening=_LISTENING.to_representation(body["listening"]),
                client_time=body.get("client_time"),
            )
        except Trial.DoesNotExist:
            return _problem(_("This session has no trial {position}.").format(position=position), status.HTTP_404_NOT_FOUND)
        except NotHeardError as error:
            return _problem(str(error), status.HTTP_403_FORBIDDEN)
        except ConflictError as error:
            return _problem(str(error), status.HTTP_409_CONFLICT, next_position=next_position(session))
        return _receipt(session, receipt)


class SkipView(RaterView):
    @extend_schema(request=SkipSerializer, responses={**_STORED, **_POST_PROBLEMS})
    def post(self, request: Request, token: str, position: int) -> Response:
        """Go on without one clip that could not be heard. The same report again gets the same receipt, with status 200."""
        session = self.session(token)
        with translation.override(session.study.language):
            return self._skip(request, session, position)

    def _skip(self, request: Request, session: Session, position: int) -> Response:
        body = SkipSerializer(data=request.data)
        if not body.is_valid():
            return _problem(_("The request is not complete:") + " " + _first_error(body.errors), status.HTTP_400_BAD_REQUEST)
        listening = ListeningSerializer(body.validated_data["listening"]).data
        try:
            receipt = skip_trial(session, position, body.validated_data["reason"], listening=listening)
        except Trial.DoesNotExist:
            return _problem(_("This session has no trial {position}.").format(position=position), status.HTTP_404_NOT_FOUND)
        except TooManySkippedError as error:
            return _problem(str(error), status.HTTP_403_FORBIDDEN)
        return _receipt(session, receipt)


def _receipt(session: Session, receipt: Receipt) -> Response:
    return Response(
        {
            "position": receipt.position,
            "stored": True,
            "next_position": receipt.next_position,
            "done_url": reverse("done", args=[session.token]),
        },
        status=status.HTTP_200_OK if receipt.repeated else status.HTTP_201_CREATED,
    )


def _problem(detail: str, code: int, **more: Any) -> Response:
    return Response({"detail": detail, **more}, status=code)


def _first_error(errors: Any, path: str = "") -> str:
    """The first complaint of a serializer with the name of its field."""
    if isinstance(errors, dict):
        key, value = next(iter(errors.items()))
        return _first_error(value, f"{path}.{key}" if path else str(key))
    return f"{path}: {errors[0]}" if path else str(errors[0])


class ProgressView(APIView):
    @extend_schema(responses={200: ProgressSerializer, **_RESEARCHERS_PROBLEMS})
    def get(self, request: Request, slug: str) -> Response:
        """How far a study is."""
        return Response(study_progress(get_object_or_404(studies_of(request.user), slug=slug)))


class ExportView(APIView):
    @extend_schema(
        parameters=[
            OpenApiParameter("as", enum=list(EXPORTS), description="The form of the file; tidy is CSV, one rating in a row."),
            OpenApiParameter("scale", str, description="For sureal, which holds one scale."),
        ],
        responses={
            (200, "text/csv"): OpenApiTypes.STR,
            (200, "application/octet-stream"): OpenApiTypes.BINARY,
            400: ProblemSerializer,
            **_RESEARCHERS_PROBLEMS,
        },
    )
    def get(self, request: Request, slug: str) -> HttpResponse:
        """All ratings of a study: tidy by default, or as Parquet, sureal, P.808 toolkit columns or a data package."""
        study = get_object_or_404(studies_of(request.user), slug=slug)
        form = request.query_params.get("as", "tidy")
        try:
            content, _ = export_content(study, form, request.query_params.get("scale", ""))
        except ServiceError as error:
            return _problem(str(error), status.HTTP_400_BAD_REQUEST)
        assert isinstance(request.user, User)  # the permission classes let nobody else in
        note(request.user, study, f"Exported the ratings as {form}.")
        ending = EXPORTS[form]
        response = HttpResponse(content, content_type="text/csv" if ending == ".csv" else "application/octet-stream")
        name = "ratings" if form in ("tidy", "parquet") else form
        response["Content-Disposition"] = f'attachment; filename="{study.slug}-{name}{ending}"'
        return response
