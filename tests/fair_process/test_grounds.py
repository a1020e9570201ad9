"""Grounds (fair process, 1 to 4), and the words of a decision (25): what the pages, the verbs and the database hold."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse
from uuid_utils.compat import uuid7

from accounts.models import User
from accounts.refusals import Invalid
from approvals import snapshots
from approvals.founding import unfounded
from approvals.models import Decision, Proposal, TravelRequest
from approvals.states import State
from approvals.views import parts
from authorities import grounds
from authorities.grounds import Part
from authorities.models import ReasonCode
from tests.approvals.calls import call
from tests.asserting import nothing_moved
from tests.factories import DENIAL, NOW, OfficeFactory, actor, in_state, reason_code
from tests.factories.law import administrator, drafted_code, drafted_instrument, enacted_code, enacted_instrument
from tests.factories.requests import LEGS as LEGS_OF_TRIP
from tests.factories.requests import Cast

pytestmark = pytest.mark.django_db

TODAY = NOW.date()
WHITE = " \t\n\u3000\u00a0"


def insert(row: Any) -> None:
    """The row by a statement of the product's own role, past the models, the verbs and their checks."""
    fields = row._meta.concrete_fields
    values = [field.get_db_prep_save(field.pre_save(row, True), connection) for field in fields]
    columns = ", ".join(f'"{field.column}"' for field in fields)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        assert cursor.fetchone() == ("exit_app",)
        marks = ", ".join(["%s"] * len(fields))
        cursor.execute(f"INSERT INTO {row._meta.db_table} ({columns}) VALUES ({marks})", values)


@pytest.fixture
def cast(db: None) -> Cast:
    """Rui proposed to deny Alice's trip, and she replied."""
    cast = in_state(State.DECISION_PROPOSED)
    assert cast.applicant.user is not None
    call("reply", cast.request.pk, actor(cast.applicant.user, NOW), cast.request.state_since + timedelta(minutes=5))
    return cast


def decision(cast: Cast, **values: Any) -> Decision:
    """The denial that confirms the proposal of the story; `values` put a flaw into it."""
    proposal = Proposal.objects.filter(request=cast.request).earliest("at")
    names = ("outcome", "text", "reason_codes", "facts", "milder_measures", "relied_on", "measures")
    sound = {name: getattr(proposal, name) for name in names} | {
        "request": cast.request,
        "at": NOW + timedelta(hours=8),
        "by": cast.reviewer,
        "confirmed_by": cast.senior,
        "revision_id": proposal.revision_id,
        "assessment_id": proposal.assessment_id,
        "proposal": proposal,
        "appeal_until": TODAY + timedelta(days=60),
    }
    return Decision(**(sound | values))


def proposal(cast: Cast, **values: Any) -> Proposal:
    """A second proposal like the one of the story."""
    row = Proposal.objects.filter(request=cast.request).earliest("at")
    row.pk, row.at = uuid7(), NOW + timedelta(hours=8)
    row._state.adding = True
    for name, value in values.items():
        setattr(row, name, value)
    return row


# ── 1: a published instrument ───────────────────────────────────────────────────────────────────────────────────────


def test_01_a_code_rests_on_a_published_instrument_that_says_where_it_can_be_read(cast: Cast) -> None:
    for missing in ("title_zh", "title_en", "article_zh", "article_en", "url"):
        with pytest.raises(Invalid) as caught:
            drafted_instrument(**{missing: ""})
        assert {problem.field for problem in caught.value.problems} == {missing}
    with pytest.raises(Invalid, match="not published"):
        drafted_code("X", instrument=drafted_instrument(published_on=None))
    assert not ReasonCode.objects.filter(code="X").exists()


def test_01_the_database_brings_no_code_into_force_without_its_instrument() -> None:
    ezra = administrator("Ezra")
    code = drafted_code("X", instrument=drafted_instrument())
    statement = "UPDATE authorities_reasoncode SET activated_at = %s, activated_by_id = %s WHERE id = %s"
    with pytest.raises(IntegrityError, match="code_rests"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, [NOW, ezra.user_id, code.pk])
    grounds.activate(code.instrument, actor=ezra, at=NOW)
    with connection.cursor() as cursor:
        cursor.execute(statement, [NOW, ezra.user_id, code.pk])


@pytest.mark.parametrize(
    "flaw", ["draft", "draft of its instrument", "not yet", "over", "instrument over", "never was"]
)
def test_01_the_database_takes_no_refusal_on_a_code_that_is_not_in_force(cast: Cast, flaw: str) -> None:
    match flaw:
        case "draft":
            drafted_code("X")
        case "draft of its instrument":
            drafted_code("X", instrument=drafted_instrument())
        case "not yet":
            enacted_code("X", active_from=TODAY + timedelta(days=1))
        case "over":
            enacted_code("X", active_until=TODAY - timedelta(days=1))
        case "instrument over":
            enacted_code("X", instrument=enacted_instrument(effective_until=TODAY - timedelta(days=1)))
    for make in (proposal, decision):
        for codes in (["X"], ["T1", "X"]):
            with nothing_moved(), pytest.raises(IntegrityError, match="lacks codes that are in force"):
                insert(make(cast, reason_codes=codes))
    insert(proposal(cast))
    insert(decision(cast))  # without the flaw they are taken: the test can fail


def test_01_the_day_is_that_of_the_office(cast: Cast) -> None:
    enacted_code("X", active_until=TODAY)
    late = datetime.combine(TODAY, NOW.time(), NOW.tzinfo).replace(hour=23, minute=59)
    insert(decision(cast, reason_codes=["X"], at=late))
    with pytest.raises(IntegrityError, match="lacks codes that are in force"):
        insert(decision(cast, reason_codes=["X"], at=late + timedelta(minutes=1)))


# ── 2: the competent office ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("of", ["code", "instrument"])
def test_02_the_database_takes_no_refusal_on_a_code_of_another_office(cast: Cast, of: str) -> None:
    elsewhere = OfficeFactory.create(code="PD")
    instrument = enacted_instrument(office=elsewhere if of == "instrument" else None)
    enacted_code("X", instrument=instrument, office=elsewhere if of == "code" else None)
    for make in (proposal, decision):
        with nothing_moved(), pytest.raises(IntegrityError, match="lacks codes that are in force for the office"):
            insert(make(cast, reason_codes=["X"]))


def test_02_nobody_proposes_a_denial_on_a_code_of_another_office() -> None:
    cast = in_state(State.AUTHORITY_REVIEW)
    reason_code("X", OfficeFactory.create(code="PD"))
    with nothing_moved(), pytest.raises(Invalid) as caught:
        propose(cast, "X")
    assert {problem.field for problem in caught.value.problems} == {"reason_codes"}


def propose(cast: Cast, code: str) -> TravelRequest:
    at = cast.request.state_since + timedelta(minutes=5)
    rui = actor(cast.reviewer, at)
    found: TravelRequest = call("propose", cast.request.pk, rui, at, grounds=replace(DENIAL, reason_codes=[code]))
    return found


# ── 3: words for this case, and two people ──────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("flaw", "lacks"),
    [
        ({"reason_codes": []}, "a reason code"),
        ({"reason_codes": [None]}, "codes that are in force"),
        ({"text": WHITE}, "reasons for this case"),
        ({"text": ""}, "reasons for this case"),
        ({"facts": WHITE}, "the facts relied on"),
        ({"facts": ""}, "the facts relied on"),
        ({"milder_measures": WHITE}, "the milder measures considered"),
        ({"milder_measures": ""}, "the milder measures considered"),
        ({"by": None}, "a person who decides"),
    ],
    ids=repr,
)
@pytest.mark.parametrize("make", [proposal, decision])
def test_03_the_database_takes_no_refusal_without_all_of_its_grounds(
    cast: Cast, make: Any, flaw: dict[str, Any], lacks: str
) -> None:
    with nothing_moved(), pytest.raises(IntegrityError) as caught:
        insert(make(cast, **flaw))
    # A decision of nobody confirms no proposal either, which the database may say first.
    assert lacks in str(caught.value) or (make is decision and "by" in flaw)


def test_03_the_database_takes_no_refusal_by_one_person_or_by_an_account_that_is_closed(cast: Cast) -> None:
    for confirmed_by in (None, cast.reviewer):
        with nothing_moved(), pytest.raises(IntegrityError, match="lacks another person who confirms"):
            insert(decision(cast, confirmed_by=confirmed_by))
    with nothing_moved(), pytest.raises(IntegrityError, match="lacks another person who confirms"):
        insert(decision(cast, confirmed_by=None, confirmed_by_id=10**9))
    User.objects.filter(pk=cast.senior.pk).update(is_active=False)
    with nothing_moved(), pytest.raises(IntegrityError, match="lacks another person who confirms"):
        insert(decision(cast))
    User.objects.filter(pk=cast.senior.pk).update(is_active=True)
    insert(decision(cast))


def test_03_a_revocation_takes_the_same(cast: Cast) -> None:
    for flaw in ({"facts": ""}, {"reason_codes": ["X"]}):
        with nothing_moved(), pytest.raises(IntegrityError, match="revoked of .* lacks"):
            insert(proposal(cast, outcome="revoked", **flaw))
    insert(proposal(cast, outcome="revoked"))


# ── 4: it points at this trip ───────────────────────────────────────────────────────────────────────────────────────

LEGS = [
    {"country": "BR", "city": "Rio", "arrives_on": "2026-04-22", "leaves_on": "2026-04-28", "host": "ICLR Foundation"},
    {"country": "PT", "city": "", "arrives_on": "2026-04-29", "leaves_on": "2026-04-30", "host": " "},
]
WHOLE: dict[str, Any] = {
    "event_name": "ICLR",
    "event_url": "https://iclr.example",
    "topics": ["cs.IR"],
    "projects": ["SECRET-1"],
    "materials": "Slides",
    "devices": ["laptop"],
    "legs": LEGS,
}
BARE: dict[str, Any] = {"event_name": " ", "event_url": "", "topics": [], "materials": "", "devices": [], "legs": []}


@pytest.mark.parametrize(
    ("points_at", "parts"),
    [
        ("destination", [Part("legs", 0, "Rio, BR"), Part("legs", 1, "PT")]),
        ("host", [Part("legs", 0, "ICLR Foundation")]),
        ("event", [Part("event_name", None, "ICLR"), Part("event_url", None, "https://iclr.example")]),
        ("topic", [Part("topics", 0, "cs.IR")]),
        ("material", [Part("materials", None, "Slides"), Part("devices", 0, "laptop")]),
        ("dates", [Part("legs", 0, "2026-04-22/2026-04-28"), Part("legs", 1, "2026-04-29/2026-04-30")]),
    ],
)
def test_04_a_code_points_at_a_part_of_the_trip_or_cannot_be_used(points_at: str, parts: list[Part]) -> None:
    code = enacted_code("X", points_at=points_at)
    assert grounds.pointed_at(code, WHOLE) == parts
    assert unfounded([code], WHOLE) == []
    # What somebody works on, and where, is no part of the trip.
    knows = BARE | {"projects": ["SECRET-1"], "attachments": [{"name": "cv.pdf"}], "purpose": "private"}
    assert unfounded([code], knows) == ["X"]
    assert unfounded([code], {}) == ["X"]


def test_04_every_kind_of_ground_points_at_fields_of_a_submitted_revision(cast: Cast) -> None:
    content = snapshots.content(cast.request)
    for points_at in ReasonCode.PointsAt.values:
        for part in grounds.pointed_at(ReasonCode(code="X", points_at=points_at), WHOLE):
            assert part.field in content
            assert part.field not in ("projects", "declarations", "attachments")


def test_04_the_database_knows_no_ground_that_points_elsewhere() -> None:
    code = drafted_code("X")
    for elsewhere in ("knowledge", "person", ""):
        with pytest.raises(IntegrityError, match="points_at_the_trip"), transaction.atomic():
            ReasonCode.objects.filter(pk=code.pk).update(points_at=elsewhere)


NO_HOST = {"legs": [LEGS_OF_TRIP[0] | {"host": ""}]}


@pytest.mark.parametrize(("points_at", "bare"), [("event", {"event_name": ""}), ("material", {}), ("host", NO_HOST)])
def test_04_nobody_proposes_a_denial_on_a_ground_that_points_at_nothing_here(
    points_at: str, bare: dict[str, Any]
) -> None:
    cast = in_state(State.AUTHORITY_REVIEW, **bare)
    enacted_code("X", points_at=points_at)
    with nothing_moved(), pytest.raises(Invalid) as caught:
        propose(cast, "X")
    assert {problem.field for problem in caught.value.problems} == {"reason_codes"}


# ── 25: later changes never apply backwards ─────────────────────────────────────────────────────────────────────────


def test_25_a_decision_keeps_the_words_and_the_instrument_of_its_day() -> None:
    cast = in_state(State.DENIED)
    dara, ezra, later = administrator("Dara"), administrator("Ezra"), NOW + timedelta(days=30)
    code = ReasonCode.objects.get(code="T1")
    instrument = grounds.next_version(code.instrument, actor=dara, at=later)
    instrument = grounds.change(
        instrument, actor=dara, at=later, values={"article_en": "Article 99", "url": "https://law.example/99"}
    )
    instrument = grounds.activate(instrument, actor=ezra, at=later)
    (draft,) = grounds.carry_over(instrument, actor=dara, at=later)
    draft = grounds.change(draft, actor=dara, at=later, values={"label_en": "Other words"})
    grounds.activate(draft, actor=ezra, at=later)

    much_later = later + timedelta(days=10)
    office = cast.request.office_id
    assert [row.label_en for row in grounds.codes(["T1"], office_id=office, on=much_later.date())] == ["Other words"]
    request = TravelRequest.unscoped.get(pk=cast.request.pk)
    assert cast.applicant.user is not None
    shown = parts.ruling(request, actor(cast.applicant.user, much_later), much_later)
    assert shown is not None
    (ground,) = shown.reasons
    assert ground.words == "T1 Technology of a published list"
    assert ground.instrument.endswith("Article 9")
    assert ground.url == "https://law.example/9"


def test_25_every_version_can_be_read_by_everybody_with_its_days(client: Client) -> None:
    dara, ezra = administrator("Dara"), administrator("Ezra")
    first = enacted_code("T1", label_en="First words")
    at = datetime.now(tz=NOW.tzinfo)
    draft = grounds.next_version(first, actor=dara, at=at)
    grounds.change(draft, actor=dara, at=at, values={"label_en": "Second words"})
    page = reverse("ground", args=["T1"])
    assert "Second words" not in client.get(page, {"language": "en"}).content.decode()
    grounds.activate(draft, actor=ezra, at=at)
    shown = client.get(page, {"language": "en"}).content.decode()
    assert "First words" in shown
    assert "Second words" in shown
