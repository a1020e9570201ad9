"""The API: the same verbs as the pages, for programs of the people who sign in. There are no API keys.

What refuses somebody (a proposed denial, its confirmation, a revocation, an appeal dismissed, a condition upheld) is
not offered here: a person does that on a page where the grounds are read (fair process, 6).
"""

from collections.abc import Callable, Mapping
from typing import Any, cast
from uuid import UUID

from django.http import Http404
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, PolymorphicProxySerializer, extend_schema
from rest_framework import serializers as fields
from rest_framework import status
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.http import ActorRequest
from accounts.refusals import NotFound
from accounts.roles import Actor, Role
from approvals import access, disclosure, queries, references, workflow
from approvals.api import serializers
from approvals.models import TravelRequest
from approvals.models.travel_request import Purpose
from approvals.states import WITH_CONDITIONS, State, Tier
from sensitivity import picking

# Verb → what it takes. The names of the fields are those of the verb's arguments.
VERBS: Mapping[str, type[fields.Serializer[Any]]] = {
    "submit": serializers.NoInput,
    "withdraw": serializers.NoInput,
    "refer": serializers.NoInput,
    "reopen": serializers.NoInput,
    "close": serializers.NoInput,
    "answer": serializers.AnswerInput,
    "reply": serializers.ReplyInput,
    "file_appeal": serializers.TextInput,
    "withdraw_appeal": serializers.NoInput,
    "comment_on_hearing": serializers.TextInput,
    "answer_in_appeal": serializers.TextInput,
    "ask_other_reviewer": serializers.ReasonInput,
    "return_for_changes": serializers.CommentInput,
    "endorse": serializers.CommentInput,
    "object": serializers.CommentInput,
    "decline": serializers.CommentInput,
    "take": serializers.TakeInput,
    "hand_over": serializers.HandOverInput,
    "recuse": serializers.RecuseInput,
    "agree_information": serializers.NoInput,
    "ask_information": serializers.AskInput,
    "judge_match": serializers.JudgeMatchInput,
    "change_tier": serializers.ChangeTierInput,
    "reassess": serializers.ReasonInput,
    "approve": serializers.ApproveInput,
    "report_condition": serializers.ReportInput,
    "cannot_comply": serializers.ConditionInput,
    "release_condition": serializers.ConditionInput,
    "send_back_condition": serializers.SendBackInput,
    "reject_proposal": serializers.NoteInput,
    "consult": serializers.ConsultInput,
    "give_opinion": serializers.OpinionInput,
    "extend": serializers.ExtendInput,
    "reject_revocation": serializers.NoteInput,
    "hear_appeal": serializers.TakeInput,
    "note_hearing": serializers.HearingInput,
    "ask_in_appeal": serializers.TextInput,
    "overturn": serializers.OverturnInput,
}


def _actor(request: Request) -> Actor:
    return cast(ActorRequest, request._request).actor


def _id(reference: str, actor: Actor) -> UUID:
    try:
        found = queries.id_of(references.normalised(reference), actor)
    except references.NotAReference:
        found = None
    if found is None:
        raise Http404
    return found


def _full(reference: str, request: Request) -> Response:
    actor, at = _actor(request), timezone.now()
    found = access.read(reference, actor=actor, at=at, page="api")
    actions = [verb for verb in workflow.available_actions(actor, found, at=at) if verb in VERBS]
    shown: Any = _Shown(found, actions, actor)
    return Response(serializers.RequestSerializer(shown).data)


class _Shown:
    """A request as it is given out: with its subjects in words, its assessment as far as `actor` may know, and what
    they can do."""

    def __init__(self, request: TravelRequest, actions: list[str], actor: Actor) -> None:
        labels = picking.subject_labels(request.topics)
        self._request = request
        self.actions = actions
        self.subjects = [{"code": code, "label": labels[code]} for code in request.topics]
        self.assessment = _assessment(request, actor)
        self.cleared = _cleared(request)
        self.asked = _asked(request, actor)
        self.conditions = request.conditions_now if request.state in WITH_CONDITIONS else []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._request, name)


def _asked(request: TravelRequest, actor: Actor) -> dict[str, Any] | None:
    """What the office waits for; between it and the applicant."""
    if request.state != State.INFORMATION_REQUESTED or access.role_towards(request, actor) is Role.OFFICER:
        return None
    asked = queries.latest_question(request)
    return {"at": asked.at, "reason": asked.reason, "items": asked.questions} if asked else None


def _cleared(request: TravelRequest) -> list[dict[str, Any]] | None:
    """The places and days that the clearance in force covers; None while there is none."""
    decision = request.decision
    return decision.cleared_legs() if decision is not None and request.state == State.APPROVED else None


def _assessment(request: TravelRequest, actor: Actor) -> dict[str, Any] | None:
    assessed = request.assessment
    if assessed is None:
        return None
    whole = disclosure.reads_whole(request, actor)
    return {
        "at": assessed.at,
        "cause": assessed.cause,
        "tier": assessed.tier,
        "route": assessed.route,
        "days": assessed.days,
        # Between the office and the applicant: as on the pages, the company is told what it came to.
        "reason": "" if access.role_towards(request, actor) is Role.OFFICER else assessed.reason,
        "took_us": assessed.took_us,
        "hits": disclosure.hits_in_words(assessed.hits, whole=whole, company_id=request.company_id),
        "possible": disclosure.possible_in_words(assessed.possible, whole=whole),
    }


class RequestPages(CursorPagination):
    """Keyset pages, the newest first: as quick at the end as at the beginning, and without a count."""

    page_size = 50
    ordering = ("-created_at", "-id")


FILTERS = {"state": State, "purpose": Purpose, "tier": Tier}


class RequestList(APIView):
    """The requests that who asks may see."""

    @extend_schema(
        operation_id="requests_list",
        parameters=[
            *(OpenApiParameter(name, str, enum=list(choices.values)) for name, choices in FILTERS.items()),
            OpenApiParameter("cursor", str, description="From `next` or `previous` of a page."),
        ],
        responses=serializers.SummarySerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        rows = queries.summaries(_actor(request))
        for name, choices in FILTERS.items():
            if value := request.query_params.get(name):
                if value not in choices.values:
                    raise fields.ValidationError({name: [f"{', '.join(choices.values)}"]})
                rows = rows.filter(**{name: value})
        pages = RequestPages()
        page: Any = pages.paginate_queryset(rows, request, view=self)
        return pages.get_paginated_response([queries.summary(row) for row in page or []])

    @extend_schema(
        operation_id="requests_start",
        request=serializers.StartSerializer,
        responses={201: serializers.RequestSerializer},
    )
    def post(self, request: Request) -> Response:
        given = serializers.StartSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        started = workflow.start(actor=_actor(request), at=timezone.now(), **given.validated_data)
        response = _full(started.reference, request)
        response.status_code = status.HTTP_201_CREATED
        return response


class RequestDetail(APIView):
    """One request."""

    @extend_schema(operation_id="requests_read", responses=serializers.RequestSerializer)
    def get(self, request: Request, reference: str) -> Response:
        return _full(reference, request)

    @extend_schema(
        operation_id="requests_write", request=serializers.DraftSerializer, responses=serializers.RequestSerializer
    )
    def patch(self, request: Request, reference: str) -> Response:
        """Save a part of a draft, or of a request that was returned."""
        actor, at = _actor(request), timezone.now()
        trip = queries.in_full(actor).filter(pk=_id(reference, actor)).get().as_of(at)
        given = serializers.DraftSerializer(data=request.data, partial=True, context={"trip": trip})
        given.is_valid(raise_exception=True)
        values = dict(given.validated_data)
        legs = values.pop("legs", None)
        workflow.save_section(trip.pk, actor=actor, at=at, section="api", values=values, legs=legs)
        return _full(reference, request)


class RequestAction(APIView):
    """Do one verb of the rule book."""

    def verb(self) -> Callable[..., TravelRequest]:
        return cast(Callable[..., TravelRequest], getattr(workflow, self.kwargs["verb"]))

    @extend_schema(
        operation_id="requests_act",
        parameters=[OpenApiParameter("verb", str, OpenApiParameter.PATH, enum=list(VERBS))],
        request=PolymorphicProxySerializer(
            component_name="Input", serializers=sorted(set(VERBS.values()), key=str), resource_type_field_name=None
        ),
        responses=serializers.RequestSerializer,
    )
    def post(self, request: Request, reference: str, verb: str) -> Response:
        if verb not in VERBS:
            raise Http404
        given = VERBS[verb](data=request.data)
        given.is_valid(raise_exception=True)
        actor = _actor(request)
        self.verb()(_id(reference, actor), actor=actor, at=timezone.now(), **given.validated_data)
        try:
            return _full(reference, request)
        except NotFound:
            # Who declared a conflict of interest does not see the case any more.
            return Response(status=status.HTTP_204_NO_CONTENT)
