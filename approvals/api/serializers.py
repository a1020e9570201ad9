"""What the API takes and gives. Shape only: rules are in `rules.py`."""

from collections.abc import Collection
from typing import Any, cast

from django.utils.translation import gettext as _
from django_countries import countries
from rest_framework import serializers

from approvals.forms.applicant import subdivision_problem
from approvals.models import Assessment, Condition, Conflict, Leg, Opinion, TravelRequest
from approvals.models.conditions import ConditionState
from approvals.models.information import Item, ItemKind
from approvals.models.travel_request import Device, Purpose
from approvals.rules import DECLARATIONS, EXTENSION_WORKING_DAYS, MAX_LEGS
from approvals.states import Route, State, Tier
from approvals.workflow.conditions import (
    DAYS_AFTER_RETURN,
    MOST_CONDITIONS,
    MOST_DAYS_AFTER_RETURN,
    Due,
    Obligation,
)
from approvals.workflow.information import MOST_ITEMS, Answer
from sensitivity import picking
from sensitivity.models import CODE_LENGTH


class LegSerializer(serializers.ModelSerializer[Leg]):
    """One place of a trip. Days are days at the place, first and last included."""

    country = serializers.ChoiceField(choices=list(countries))
    subdivision = serializers.CharField(
        max_length=6,
        allow_blank=True,
        default="",
        help_text="ISO 3166-2. Required for countries of which a list in force names a part, refused for others.",
    )
    host = serializers.CharField(max_length=200, allow_blank=True, default="")

    class Meta:
        model = Leg
        fields = ("country", "subdivision", "city", "arrives_on", "leaves_on", "host")

    def validate(self, leg: dict[str, Any]) -> dict[str, Any]:
        """Whole, though a part of the request is sent; the state or province is of the country, where a list asks."""
        fields = self.fields.items()
        missing = {name: [field.error_messages["required"]] for name, field in fields if field.required}
        if missing := {name: words for name, words in missing.items() if name not in leg}:
            raise serializers.ValidationError(missing)
        if wrong := subdivision_problem(leg["country"], leg.get("subdivision", ""), self._subdivided()):
            raise serializers.ValidationError({"subdivision": [str(wrong)]})
        return leg

    def _subdivided(self) -> picking.Subdivided:
        """Read once for all legs of what was sent."""
        given: dict[str, Any] = self.context  # type: ignore[assignment]
        if "subdivided" not in given:
            given["subdivided"] = picking.subdivided(given["trip"].today)
        return cast(picking.Subdivided, given["subdivided"])

    def to_representation(self, leg: Leg) -> dict[str, Any]:
        return {
            "country": str(leg.country.code),
            "subdivision": leg.subdivision,
            "city": leg.city,
            "arrives_on": leg.arrives_on.isoformat(),
            "leaves_on": leg.leaves_on.isoformat(),
            "host": leg.host,
        }


class SummarySerializer(serializers.Serializer[dict[str, Any]]):
    """A request in a list."""

    reference = serializers.CharField()
    title = serializers.CharField()
    applicant = serializers.CharField()
    company = serializers.CharField()
    state = serializers.ChoiceField(choices=State.choices)
    state_since = serializers.DateTimeField()
    purpose = serializers.ChoiceField(choices=Purpose.choices)
    urgent = serializers.BooleanField()
    tier = serializers.ChoiceField(choices=Tier.choices, allow_blank=True)
    departs_on = serializers.DateField(allow_null=True)
    returns_on = serializers.DateField(allow_null=True)
    due_at = serializers.DateTimeField(allow_null=True)
    due_is_provisional = serializers.BooleanField()


class LegalBasisSerializer(serializers.Serializer[Any]):
    """A published instrument, and where it can be read."""

    words = serializers.CharField()
    url = serializers.CharField(allow_blank=True)


class HitSerializer(serializers.Serializer[Any]):
    """An entry that counted, as far as who asks may know (fair process, 7). What is masked is empty."""

    kind = serializers.CharField(allow_blank=True)
    list = serializers.CharField()
    version = serializers.IntegerField()
    code = serializers.CharField(allow_blank=True)
    label = serializers.CharField(allow_blank=True)  # type: ignore[assignment]
    level = serializers.IntegerField()
    effect = serializers.CharField()
    reason = serializers.CharField(allow_blank=True)
    touched_by = serializers.ListField(child=serializers.CharField())
    confirmed = serializers.BooleanField()
    is_confidential = serializers.BooleanField()
    is_masked = serializers.BooleanField()
    basis = LegalBasisSerializer()
    secrecy = LegalBasisSerializer(allow_null=True)
    reviewed_by = serializers.CharField(allow_blank=True)
    reviewed_on = serializers.DateField(allow_null=True)


class PossibleSerializer(serializers.Serializer[Any]):
    """A name that resembles a listed one. It counts for nothing until a person has said that it is the same."""

    key = serializers.CharField(allow_blank=True, help_text="What `judge_match` takes.")
    words = serializers.CharField()
    written = serializers.CharField(allow_blank=True)
    name = serializers.CharField(allow_blank=True)
    label = serializers.CharField(allow_blank=True)  # type: ignore[assignment]
    percent = serializers.IntegerField()
    is_masked = serializers.BooleanField()


class AssessmentSerializer(serializers.Serializer[Any]):
    """The assessment in force: what of the trip touches which published entries, and the route that follows."""

    at = serializers.DateTimeField()
    cause = serializers.ChoiceField(choices=Assessment.Cause.choices)
    tier = serializers.ChoiceField(choices=Tier.choices)
    route = serializers.ChoiceField(choices=Route.choices, allow_blank=True)
    days = serializers.IntegerField()
    reason = serializers.CharField(allow_blank=True)
    took_us = serializers.IntegerField(allow_null=True)
    hits = HitSerializer(many=True)
    possible = PossibleSerializer(many=True)


class PickedSerializer(serializers.Serializer[Any]):
    """Something that was picked: its code, and what it is called in the language of who asks."""

    code = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]


class ItemSerializer(serializers.Serializer[Any]):
    """One thing that the office asks for; `options` are what can be chosen, of a choice."""

    question = serializers.CharField(max_length=1000)
    kind = serializers.ChoiceField(choices=ItemKind.choices, default=ItemKind.TEXT.value)
    options = serializers.ListField(child=serializers.CharField(max_length=500), default=list, max_length=20)

    def to_internal_value(self, data: Any) -> Any:
        given = super().to_internal_value(data)
        return Item(question=given["question"], kind=given["kind"], options=tuple(given["options"]))


class ConditionSerializer(serializers.Serializer[Any]):
    """A condition as it is now: what, who has to meet it, by when, and where it is."""

    id = serializers.UUIDField(source="condition.pk")
    text = serializers.CharField()
    owner = serializers.ChoiceField(source="condition.owner", choices=Condition.Owner.choices)
    due_on = serializers.DateField(allow_null=True)
    needs_evidence = serializers.BooleanField(source="condition.needs_evidence")
    state = serializers.ChoiceField(choices=ConditionState.choices)


class AskedSerializer(serializers.Serializer[Any]):
    """What the office waits for: why, and the items in the order in which they are answered."""

    at = serializers.DateTimeField()
    reason = serializers.CharField()
    items = ItemSerializer(many=True)


class ClearedSerializer(serializers.Serializer[dict[str, Any]]):
    """A place that is cleared, and the days: fewer than asked for where a part of the trip was refused."""

    country = serializers.CharField()
    subdivision = serializers.CharField(allow_blank=True)
    city = serializers.CharField()
    arrives_on = serializers.DateField()
    leaves_on = serializers.DateField()
    host = serializers.CharField(allow_blank=True)

    def to_representation(self, leg: dict[str, Any]) -> dict[str, Any]:
        # Revisions from before states were asked for do not say any; the days are ISO dates already.
        return {"subdivision": ""} | leg


class RequestSerializer(serializers.ModelSerializer[TravelRequest]):
    """A request in full, with the verbs that are open to who asks."""

    applicant = serializers.CharField(source="applicant.name")
    company = serializers.CharField(source="company.name")
    office = serializers.CharField(source="office.name")
    legs = LegSerializer(source="itinerary", many=True)
    subjects = PickedSerializer(many=True, help_text="The topics in words.")
    assessment = AssessmentSerializer(allow_null=True)
    cleared = ClearedSerializer(
        many=True, allow_null=True, help_text="What the clearance in force covers; null while there is none."
    )
    conditions = ConditionSerializer(
        many=True, help_text="Of the clearance in force, while any of them is not released."
    )
    asked = AskedSerializer(allow_null=True, help_text="While information is requested; not for the company.")
    actions = serializers.ListField(child=serializers.CharField(), read_only=True)

    class Meta:
        model = TravelRequest
        fields = (
            "reference",
            "title",
            "applicant",
            "company",
            "office",
            "state",
            "state_since",
            "purpose",
            "description",
            "event_name",
            "event_url",
            "topics",
            "subjects",
            "projects",
            "materials",
            "devices",
            "declarations",
            "legs",
            "urgent",
            "tier",
            "assessment",
            "cleared",
            "departs_on",
            "returns_on",
            "submitted_at",
            "due_at",
            "due_is_provisional",
            "assigned_number",
            "asked",
            "conditions",
            "actions",
        )


class StartSerializer(serializers.Serializer[Any]):
    """For whom a draft is begun: one of the actor's own employments."""

    employee_id = serializers.IntegerField()


class DraftSerializer(serializers.Serializer[Any]):
    """What the applicant writes; any part of it. `legs`, where given, replaces the itinerary."""

    title = serializers.CharField(max_length=200, required=False, allow_blank=True)
    purpose = serializers.ChoiceField(choices=Purpose.choices, required=False, allow_blank=True)
    description = serializers.CharField(max_length=4000, required=False, allow_blank=True)
    event_name = serializers.CharField(max_length=200, required=False, allow_blank=True)
    event_url = serializers.URLField(max_length=300, required=False, allow_blank=True)
    topics = serializers.ListField(child=serializers.CharField(max_length=CODE_LENGTH), required=False, max_length=200)
    projects = serializers.ListField(child=serializers.CharField(max_length=40), required=False, max_length=200)
    materials = serializers.CharField(max_length=4000, required=False, allow_blank=True)
    devices = serializers.ListField(child=serializers.ChoiceField(choices=Device.choices), required=False)
    declarations = serializers.ListField(child=serializers.ChoiceField(choices=DECLARATIONS), required=False)
    legs = serializers.ListField(child=LegSerializer(), required=False, max_length=MAX_LEGS)

    def validate_topics(self, codes: list[str]) -> list[str]:
        """Subjects of the tree of today, or what the request holds already."""
        trip: TravelRequest = self.context["trip"]
        known = picking.known_subjects(codes, on=trip.today) | set(trip.topics)
        return self._known(codes, known, _("“%(code)s” is no subject that can be picked today."))

    def validate_projects(self, codes: list[str]) -> list[str]:
        """Active projects of the company, or what the request holds already."""
        trip: TravelRequest = self.context["trip"]
        active = picking.projects(company_id=trip.company_id, employee_id=trip.applicant_id, at=trip.now)
        known = {code for code, _name in active} | set(trip.projects)
        return self._known(codes, known, _("“%(code)s” is no active project of the company."))

    def _known(self, codes: list[str], known: Collection[str], sentence: str) -> list[str]:
        wrong: dict[Any, Any] = {
            place: [sentence % {"code": code}] for place, code in enumerate(codes) if code not in known
        }
        if wrong:
            raise serializers.ValidationError(wrong)
        return list(dict.fromkeys(codes))


class NoInput(serializers.Serializer[Any]):
    """For verbs that take nothing."""


class CommentInput(serializers.Serializer[Any]):
    """What a company's officer says."""

    comment = serializers.CharField(max_length=4000, allow_blank=True, default="")


class TakeInput(serializers.Serializer[Any]):
    """The declaration without which no case is taken."""

    no_conflict = serializers.BooleanField()


class ReasonInput(serializers.Serializer[Any]):
    """Why."""

    reason = serializers.CharField(max_length=4000, allow_blank=True, default="")


class RecuseInput(ReasonInput):
    """Which conflict of interest, and in general words why."""

    conflict = serializers.ChoiceField(choices=[one for one in Conflict.choices if one[0] != Conflict.NONE])


class HearingInput(serializers.Serializer[Any]):
    """What was said at a hearing of an appeal, on which day, and who was heard."""

    held_on = serializers.DateField()
    heard = serializers.CharField(max_length=300)
    text = serializers.CharField(max_length=8000)


class HandOverInput(ReasonInput):
    """To whom, by the id of the account; null: back to the office's queue."""

    reviewer_id = serializers.IntegerField(allow_null=True)


class AskInput(ReasonInput):
    """Everything that is missing, in one list. `working_days`: to answer in; null: those of the office's policy."""

    items = serializers.ListField(child=ItemSerializer(), max_length=MOST_ITEMS)
    working_days = serializers.IntegerField(min_value=1, allow_null=True, default=None)


class AnswerSerializer(serializers.Serializer[Any]):
    """An answer to one item: a text (of a choice: the option), documents of the request, or why it cannot be given."""

    text = serializers.CharField(max_length=4000, allow_blank=True, default="")
    cannot = serializers.CharField(max_length=4000, allow_blank=True, default="")
    documents = serializers.ListField(child=serializers.UUIDField(), default=list, max_length=10)

    def to_internal_value(self, data: Any) -> Any:
        return Answer(**super().to_internal_value(data))


class AnswerInput(serializers.Serializer[Any]):
    """One answer for each item, in order. Null: what was written item by item on the pages."""

    answers = serializers.ListField(child=AnswerSerializer(), max_length=MOST_ITEMS, allow_null=True, default=None)


class ObligationSerializer(serializers.Serializer[Any]):
    """A condition to be imposed: who has to meet it and by when. A text alone is owed by the applicant."""

    text = serializers.CharField(max_length=1000)
    owner = serializers.ChoiceField(choices=Condition.Owner.choices, default=Condition.Owner.APPLICANT.value)
    due = serializers.ChoiceField(choices=Due.choices, default=Due.RETURN.value)
    days = serializers.IntegerField(
        min_value=0, max_value=MOST_DAYS_AFTER_RETURN, default=DAYS_AFTER_RETURN, help_text="Days after the return."
    )
    due_on = serializers.DateField(allow_null=True, default=None, help_text="For a condition that is due on a day.")
    needs_evidence = serializers.BooleanField(default=False)

    def to_internal_value(self, data: Any) -> Any:
        return Obligation(**super().to_internal_value({"text": data} if isinstance(data, str) else data))


class ConditionInput(serializers.Serializer[Any]):
    """Which condition, by its id, and what is said about it."""

    condition = serializers.UUIDField()
    text = serializers.CharField(max_length=4000, allow_blank=True, default="")


class ReportInput(ConditionInput):
    """What was done, and the documents of the request that show it."""

    documents = serializers.ListField(child=serializers.UUIDField(), default=list, max_length=10)


class SendBackInput(ConditionInput):
    """What is missing, and by when it is to be met now; null: the day stays."""

    due_on = serializers.DateField(allow_null=True, default=None)


class ApproveInput(serializers.Serializer[Any]):
    """Reasons and conditions, if there are any."""

    text = serializers.CharField(max_length=4000, allow_blank=True, default="")
    conditions = serializers.ListField(child=ObligationSerializer(), default=list, max_length=MOST_CONDITIONS)


class PlaceInput(serializers.Serializer[Any]):
    """A place to be cleared: as the request has it in `legs`, on all of its days or on fewer."""

    country = serializers.ChoiceField(choices=list(countries))
    subdivision = serializers.CharField(max_length=6, allow_blank=True, default="")
    city = serializers.CharField(max_length=100)
    arrives_on = serializers.DateField()
    leaves_on = serializers.DateField()
    host = serializers.CharField(max_length=200, allow_blank=True, default="")

    def to_internal_value(self, data: Any) -> Any:
        # In the shape of a revision, where days are text.
        days = ("arrives_on", "leaves_on")
        place = super().to_internal_value(data)
        return {name: value.isoformat() if name in days else value for name, value in place.items()}


class OverturnInput(ApproveInput):
    """What replaces the decision that was appealed against: a clearance of the trip or of a part of it, perhaps with
    conditions, and the reasons, which the applicant reads. Of what is not cleared the refusal stays."""

    text = serializers.CharField(max_length=8000, allow_blank=True, default="", help_text="The reasons.")
    cleared = serializers.ListField(
        child=PlaceInput(),
        allow_null=True,
        default=None,
        max_length=MAX_LEGS,
        help_text=(
            "These places and days only, in the order of `legs`; null: all of the trip. Every place and day that the "
            "decision appealed against has cleared is among them."
        ),
    )


class TextInput(serializers.Serializer[Any]):
    """A text: what is appealed and why, asked, answered or commented."""

    text = serializers.CharField(max_length=8000, allow_blank=True, default="")


class ReplyInput(TextInput):
    """What the applicant says to a proposed refusal, and who helped; documents are sent on the page."""

    helper_name = serializers.CharField(max_length=100, allow_blank=True, default="")
    helper_relation = serializers.CharField(max_length=100, allow_blank=True, default="")
    helper_agrees = serializers.BooleanField(default=False)


class ConsultInput(serializers.Serializer[Any]):
    """Which specialist office is asked, by its id, and what."""

    office_id = serializers.IntegerField()
    question = serializers.CharField(max_length=4000, allow_blank=True, default="")


class OpinionInput(serializers.Serializer[Any]):
    """The opinion of the specialist office that was asked."""

    outcome = serializers.ChoiceField(choices=Opinion.Outcome.choices)
    reasons = serializers.CharField(max_length=4000, allow_blank=True, default="")
    confidential = serializers.CharField(max_length=4000, allow_blank=True, default="")


class JudgeMatchInput(ReasonInput):
    """Whether a name that was written is that of a listed organisation; `key` is that of the possible match."""

    key = serializers.CharField(max_length=300)
    confirmed = serializers.BooleanField()


class ChangeTierInput(ReasonInput):
    """Another tier, and why."""

    tier = serializers.ChoiceField(choices=Tier.choices)

    def validate_tier(self, tier: str) -> Tier:
        return Tier(tier)


class NoteInput(serializers.Serializer[Any]):
    """What the reviewer should look at again."""

    note = serializers.CharField(max_length=4000, allow_blank=True, default="")


class ExtendInput(ReasonInput):
    """By how many working days, and why."""

    working_days = serializers.IntegerField(min_value=1, max_value=EXTENSION_WORKING_DAYS)
