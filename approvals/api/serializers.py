"""What the API takes and gives. Shape only: rules are in `rules.py`."""

from typing import Any

from django_countries import countries
from rest_framework import serializers

from approvals.models import Leg, TravelRequest
from approvals.models.travel_request import Device, Purpose
from approvals.rules import DECLARATIONS, EXTENSION_WORKING_DAYS, MAX_LEGS
from approvals.states import State, Tier
from sensitivity.taxonomy import SUBJECTS


class LegSerializer(serializers.ModelSerializer[Leg]):
    """One place of a trip. Days are days at the place, first and last included."""

    country = serializers.ChoiceField(choices=list(countries))
    host = serializers.CharField(max_length=200, allow_blank=True, default="")

    class Meta:
        model = Leg
        fields = ("country", "city", "arrives_on", "leaves_on", "host")

    def to_representation(self, leg: Leg) -> dict[str, Any]:
        return {
            "country": str(leg.country.code),
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


class RequestSerializer(serializers.ModelSerializer[TravelRequest]):
    """A request in full, with the verbs that are open to who asks."""

    applicant = serializers.CharField(source="applicant.name")
    company = serializers.CharField(source="company.name")
    office = serializers.CharField(source="office.name")
    legs = LegSerializer(source="itinerary", many=True)
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
            "materials",
            "devices",
            "declarations",
            "legs",
            "urgent",
            "tier",
            "departs_on",
            "returns_on",
            "submitted_at",
            "due_at",
            "due_is_provisional",
            "assigned_number",
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
    topics = serializers.ListField(child=serializers.ChoiceField(choices=SUBJECTS), required=False)
    materials = serializers.CharField(max_length=4000, required=False, allow_blank=True)
    devices = serializers.ListField(child=serializers.ChoiceField(choices=Device.choices), required=False)
    declarations = serializers.ListField(child=serializers.ChoiceField(choices=DECLARATIONS), required=False)
    legs = serializers.ListField(child=LegSerializer(), required=False, max_length=MAX_LEGS)


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


class HandOverInput(ReasonInput):
    """To whom, by the id of the account; null: back to the office's queue."""

    reviewer_id = serializers.IntegerField(allow_null=True)


class AskInput(ReasonInput):
    """Everything that is missing, in one list."""

    items = serializers.ListField(child=serializers.CharField(max_length=1000), max_length=30)


class AnswerInput(serializers.Serializer[Any]):
    """One answer for each item, in order."""

    answers = serializers.ListField(child=serializers.CharField(max_length=4000, allow_blank=True), max_length=30)


class ApproveInput(serializers.Serializer[Any]):
    """Reasons and conditions, if there are any."""

    text = serializers.CharField(max_length=4000, allow_blank=True, default="")
    conditions = serializers.ListField(child=serializers.CharField(max_length=1000), default=list, max_length=20)


class TextInput(serializers.Serializer[Any]):
    """A text of the applicant."""

    text = serializers.CharField(max_length=8000, allow_blank=True, default="")


class NoteInput(serializers.Serializer[Any]):
    """What the reviewer should look at again."""

    note = serializers.CharField(max_length=4000, allow_blank=True, default="")


class ExtendInput(ReasonInput):
    """By how many working days, and why."""

    working_days = serializers.IntegerField(min_value=1, max_value=EXTENSION_WORKING_DAYS)
