"""A list is written by one person and published by another, ends after a year, and never changes once published."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.utils import timezone

from accounts.models import User
from accounts.refusals import Invalid, NotAllowed, NotFound, NotNow, Refused
from accounts.roles import NOBODY, Actor, Role
from accounts.rules import Rule
from approvals.models import TravelRequest
from audit.models import Entry
from employees.models import Employee
from notifications.delivery import deliver
from notifications.models import Notification, OutboxEvent
from sensitivity import drafting, matching, publishing
from sensitivity.matching import Facts
from sensitivity.models import (
    ListEntry,
    ListKind,
    ListVersion,
    Renewal,
    RenewalReminder,
    SensitivityList,
    VersionState,
)
from tests.asserting import nothing_moved
from tests.factories import (
    NOW,
    actor,
    drafted,
    entry_of,
    entry_values,
    instrument,
    list_in_force,
    list_manager,
    published,
    rehearsed,
    sensitivity_list,
    with_role,
)

pytestmark = pytest.mark.django_db
TODAY = publishing.today(NOW)
DAY = timedelta(days=1)


@pytest.fixture
def lin(db: None) -> Actor:
    return list_manager("Lin Author")


@pytest.fixture
def pan(db: None) -> Actor:
    return list_manager("Pan Publisher")


@pytest.fixture
def technologies(lin: Actor) -> SensitivityList:
    return sensitivity_list(ListKind.TECHNOLOGY, owner=lin)


def levels(on: date, *subjects: str) -> list[tuple[str, int, int]]:
    """What counts on a day: code, level, number of the version."""
    found = matching.find(Facts(subjects=frozenset(subjects)), versions=matching.in_force(on), on=on)
    return [
        (hit.code, hit.level, hit.version) for hit in matching.hits(Facts(frozenset(subjects)), found.candidates, on=on)
    ]


# ── the small state machine ─────────────────────────────────────────────────────────────────────────────────────────


def test_the_states_of_a_version_are_those_of_the_rule_book() -> None:
    declared = {
        (str(source), verb, str(target))
        for verb, rows in publishing.transitions().items()
        for source, row in rows.items()
        for target in row.targets
    }
    assert declared == {
        ("draft", "submit_for_review", "in_review"),
        ("in_review", "send_back", "draft"),
        ("in_review", "publish", "published"),
        ("published", "supersede", "superseded"),
    }
    for declaration in ListVersion._meta.get_field("state").get_all_transitions(ListVersion):
        assert isinstance(declaration.permission, Rule)
        assert declaration.permission.roles, declaration.name


def test_a_version_counts_from_its_first_day_and_the_one_before_until_then(
    technologies: SensitivityList, lin: Actor, pan: Actor
) -> None:
    first = published(drafted(technologies, [entry_values("cs.CR", 2)], by=lin), author=lin, publisher=pan)
    later = NOW + timedelta(days=30)
    draft = drafted(technologies, [entry_values("cs.AR", 3)], by=lin, at=later)
    assert {one.code for one in draft.entries.all()} == {"cs.CR", "cs.AR"}
    on = TODAY + timedelta(days=40)
    second = published(draft, author=lin, publisher=pan, at=later, on=on)

    assert levels(TODAY - DAY, "cs.CR", "cs.AR") == []
    assert levels(TODAY, "cs.CR", "cs.AR") == [("cs.CR", 2, 1)]
    assert levels(on - DAY, "cs.CR", "cs.AR") == [("cs.CR", 2, 1)]
    assert levels(on, "cs.CR", "cs.AR") == [("cs.AR", 3, 2), ("cs.CR", 2, 2)]
    first = ListVersion.objects.get(pk=first.pk)
    assert (first.state, first.published_until) == (VersionState.SUPERSEDED, on)
    assert (second.state, second.published_until) == (VersionState.PUBLISHED, date(on.year + 1, on.month, on.day))


def test_an_entry_keeps_its_lineage_from_version_to_version(
    technologies: SensitivityList, lin: Actor, pan: Actor
) -> None:
    first = published(drafted(technologies, [entry_values("cs.CR", 2)], by=lin), author=lin, publisher=pan)
    second = drafted(technologies, [], by=lin, at=NOW + DAY)
    assert entry_of(second, "cs.CR").lineage == entry_of(first, "cs.CR").lineage
    assert entry_of(second, "cs.CR").pk != entry_of(first, "cs.CR").pk


def test_names_are_carried_into_the_next_version(lin: Actor, pan: Actor) -> None:
    organisations = sensitivity_list(ListKind.ORGANISATION, owner=lin)
    values = entry_values("O-1", 2, label_zh="北风计算", label_en="Northwind Compute")
    published(drafted(organisations, [values], by=lin), author=lin, publisher=pan)
    published(drafted(organisations, [], by=lin, at=NOW + DAY), author=lin, publisher=pan, at=NOW + DAY)
    facts = Facts(organisations=frozenset({"NORTHWIND  compute"}))
    found = matching.find(facts, versions=matching.in_force(TODAY + DAY), on=TODAY + DAY)
    assert [(hit.code, hit.version) for hit in matching.hits(facts, found.candidates, on=TODAY + DAY)] == [("O-1", 2)]


def test_there_is_one_draft_of_a_list_at_a_time(technologies: SensitivityList, lin: Actor, pan: Actor) -> None:
    drafted(technologies, [entry_values("cs.CR")], by=lin)
    with nothing_moved(), pytest.raises(NotNow, match="a draft of this list already"):
        publishing.draft(technologies.pk, actor=pan, at=NOW)


def test_in_review_nothing_changes_until_it_is_sent_back(technologies: SensitivityList, lin: Actor, pan: Actor) -> None:
    version = drafted(technologies, [entry_values("cs.CR")], by=lin)
    publishing.submit_for_review(version.pk, actor=lin, at=NOW)
    entry = entry_of(version, "cs.CR")
    with nothing_moved():
        for attempt in (
            lambda: drafting.add(version.pk, actor=lin, at=NOW, values=entry_values("cs.AR")),
            lambda: drafting.change(version.pk, entry.lineage, actor=lin, at=NOW, edit=0, values={"level": 3}),
            lambda: drafting.remove(version.pk, entry.lineage, actor=lin, at=NOW, edit=0),
            lambda: publishing.discard(version.pk, actor=lin, at=NOW),
        ):
            with pytest.raises(NotNow):
                attempt()
        with pytest.raises(Invalid, match="what should change"):
            publishing.send_back(version.pk, actor=pan, at=NOW, why="  ")
    publishing.send_back(version.pk, actor=pan, at=NOW, why="The reason is not one.")
    version = ListVersion.objects.get(pk=version.pk)
    assert (version.state, version.sent_back) == (VersionState.DRAFT, "The reason is not one.")
    drafting.change(version.pk, entry.lineage, actor=lin, at=NOW, edit=0, values={"reason_en": "Is examined first."})


def test_a_draft_can_be_discarded_and_its_history_stays(technologies: SensitivityList, lin: Actor) -> None:
    version = drafted(technologies, [entry_values("cs.CR")], by=lin)
    publishing.discard(version.pk, actor=lin, at=NOW)
    assert not ListVersion.objects.exists()
    log = Entry.objects.filter(chain=technologies.history_id).order_by("sequence")
    assert [entry.verb for entry in log] == ["list.found", "list.draft", "list.discard"]
    assert [entry.in_words() for entry in log][-1] == "The draft of version 1 was discarded."
    publishing.draft(technologies.pk, actor=lin, at=NOW)


# ── who publishes ───────────────────────────────────────────────────────────────────────────────────────────────────


def in_review(technologies: SensitivityList, author: Actor, rehearse: bool = True) -> ListVersion:
    version = drafted(technologies, [entry_values("cs.CR", 2)], by=author)
    publishing.submit_for_review(version.pk, actor=author, at=NOW)
    if rehearse:
        rehearsed(version, by=author)
    return version


def test_nobody_publishes_what_they_wrote(technologies: SensitivityList, lin: Actor) -> None:
    version = in_review(technologies, lin)
    with nothing_moved(), pytest.raises(NotAllowed, match="another list manager must"):
        publishing.publish(version.pk, actor=lin, at=NOW, on=TODAY)


def test_nobody_publishes_what_they_edited(technologies: SensitivityList, lin: Actor, pan: Actor) -> None:
    version = drafted(technologies, [entry_values("cs.CR", 2)], by=lin)
    entry = entry_of(version, "cs.CR")
    drafting.change(version.pk, entry.lineage, actor=pan, at=NOW, edit=0, values={"level": 3})
    publishing.submit_for_review(version.pk, actor=lin, at=NOW)
    rehearsed(version, by=lin)
    with nothing_moved(), pytest.raises(NotAllowed, match="Who wrote any of it"):
        publishing.publish(version.pk, actor=pan, at=NOW, on=TODAY)
    publishing.publish(version.pk, actor=list_manager("Qin Third"), at=NOW, on=TODAY)


@pytest.mark.parametrize("role", [Role.ADMINISTRATOR, Role.AUDITOR, None], ids=str)
def test_only_list_managers_do_anything(technologies: SensitivityList, lin: Actor, role: Role | None) -> None:
    version = drafted(technologies, [entry_values("cs.CR", 2)], by=lin)
    entry = entry_of(version, "cs.CR")
    other = actor(with_role(role, "Ann Other"), NOW) if role else NOBODY
    attempts: list[Callable[[], Any]] = [
        lambda: publishing.found(actor=other, at=NOW, values={"kind": ListKind.EVENT}),
        lambda: publishing.settle(technologies.pk, actor=other, at=NOW, values={"name_en": "Mine"}),
        lambda: publishing.draft(technologies.pk, actor=other, at=NOW),
        lambda: publishing.submit_for_review(version.pk, actor=other, at=NOW),
        lambda: publishing.discard(version.pk, actor=other, at=NOW),
        lambda: drafting.add(version.pk, actor=other, at=NOW, values=entry_values("cs.AR")),
        lambda: drafting.change(version.pk, entry.lineage, actor=other, at=NOW, edit=0, values={"level": 3}),
        lambda: drafting.remove(version.pk, entry.lineage, actor=other, at=NOW, edit=0),
    ]
    with nothing_moved():
        for attempt in attempts:
            with pytest.raises(NotAllowed, match="Only a list manager"):
                attempt()
        assert publishing.available_actions(other, version) == []


def test_publishing_without_a_rehearsal_of_this_very_draft_is_refused(
    technologies: SensitivityList, lin: Actor, pan: Actor
) -> None:
    version = in_review(technologies, lin, rehearse=False)
    with nothing_moved(), pytest.raises(NotNow, match="Rehearse this draft first"):
        publishing.publish(version.pk, actor=pan, at=NOW, on=TODAY)
    rehearsed(version, by=lin)
    publishing.send_back(version.pk, actor=pan, at=NOW, why="Add accelerators.")
    drafting.add(version.pk, actor=lin, at=NOW, values=entry_values("cs.AR", 3))
    publishing.submit_for_review(version.pk, actor=lin, at=NOW)
    with nothing_moved(), pytest.raises(NotNow, match="not rehearsed since it was last changed"):
        publishing.publish(version.pk, actor=pan, at=NOW, on=TODAY)
    rehearsed(version, by=lin)
    assert publishing.publish(version.pk, actor=pan, at=NOW, on=TODAY).state == VersionState.PUBLISHED


def test_an_unfinished_rehearsal_does_not_count(technologies: SensitivityList, lin: Actor, pan: Actor) -> None:
    version = in_review(technologies, lin)
    version.rehearsals.update(finished_at=None)
    with nothing_moved(), pytest.raises(NotNow, match="Rehearse this draft first"):
        publishing.publish(version.pk, actor=pan, at=NOW, on=TODAY)


def test_an_empty_version_cannot_be_published(technologies: SensitivityList, lin: Actor, pan: Actor) -> None:
    version = publishing.draft(technologies.pk, actor=lin, at=NOW)
    publishing.submit_for_review(version.pk, actor=lin, at=NOW)
    rehearsed(version, by=lin)
    with nothing_moved(), pytest.raises(NotNow, match="without entries"):
        publishing.publish(version.pk, actor=pan, at=NOW, on=TODAY)


@pytest.mark.parametrize(
    ("on", "until", "field"),
    [
        (TODAY - DAY, None, "on"),
        (TODAY, TODAY, "until"),
        (TODAY, TODAY - DAY, "until"),
        (TODAY, date(TODAY.year + 1, TODAY.month, TODAY.day) + DAY, "until"),
    ],
)
def test_the_days_must_fit(
    technologies: SensitivityList, lin: Actor, pan: Actor, on: date, until: date | None, field: str
) -> None:
    version = in_review(technologies, lin)
    with nothing_moved(), pytest.raises(Invalid) as refused:
        publishing.publish(version.pk, actor=pan, at=NOW, on=on, until=until)
    assert [problem.field for problem in refused.value.problems] == [field]


def test_what_begins_later_is_not_overtaken(technologies: SensitivityList, lin: Actor, pan: Actor) -> None:
    first = drafted(technologies, [entry_values("cs.CR")], by=lin)
    published(first, author=lin, publisher=pan, on=TODAY + timedelta(days=20))
    version = drafted(technologies, [], by=lin)
    publishing.submit_for_review(version.pk, actor=lin, at=NOW)
    rehearsed(version, by=lin)
    with nothing_moved(), pytest.raises(Invalid, match="begins on that day or later"):
        publishing.publish(version.pk, actor=pan, at=NOW, on=TODAY + timedelta(days=20))


def test_on_29_february_twelve_months_end_on_1_march() -> None:
    assert publishing.last_end(date(2028, 2, 29)) == date(2029, 3, 1)
    assert publishing.last_end(date(2026, 3, 3)) == date(2027, 3, 3)


def test_what_is_not_there_is_not_found(lin: Actor) -> None:
    for attempt in (
        lambda: publishing.submit_for_review(0, actor=lin, at=NOW),
        lambda: publishing.draft(0, actor=lin, at=NOW),
        lambda: drafting.add(0, actor=lin, at=NOW, values={}),
    ):
        with pytest.raises(NotFound):
            attempt()


def test_the_refusals_are_what_the_page_shows(technologies: SensitivityList, lin: Actor, pan: Actor) -> None:
    version = in_review(technologies, lin)
    version = ListVersion.objects.get(pk=version.pk)
    assert publishing.available_actions(pan, version) == ["send_back", "publish"]
    assert publishing.available_actions(lin, ListVersion.objects.get(pk=version.pk)) == ["send_back"]
    refused: Refused | None = publishing.refusal(version, "publish", lin)
    assert str(refused) == "Who wrote any of it cannot publish or renew it; another list manager must."


# ── the end, and renewal ────────────────────────────────────────────────────────────────────────────────────────────


def test_a_version_ends_after_twelve_months_unless_it_is_renewed_with_reasons(
    technologies: SensitivityList, lin: Actor, pan: Actor
) -> None:
    version = published(drafted(technologies, [entry_values("cs.CR", 2)], by=lin), author=lin, publisher=pan)
    end = date(2027, 3, 3)
    assert version.published_until == end
    assert levels(end - DAY, "cs.CR") == [("cs.CR", 2, 1)]
    assert levels(end, "cs.CR") == []
    soon = NOW + timedelta(days=350)
    with nothing_moved():
        with pytest.raises(NotAllowed, match="another list manager"):
            publishing.renew(version.pk, actor=lin, at=soon, until=end + timedelta(days=100), reason="Still needed.")
        with pytest.raises(Invalid) as refused:
            publishing.renew(version.pk, actor=pan, at=soon, until=end, reason=" ")
        assert [problem.field for problem in refused.value.problems] == ["reason", "until"]
        with pytest.raises(Invalid, match="at most twelve months from today"):
            publishing.renew(version.pk, actor=pan, at=soon, until=end + timedelta(days=400), reason="For long.")
    publishing.renew(version.pk, actor=pan, at=soon, until=end + timedelta(days=100), reason="Nothing has changed.")
    assert levels(end + timedelta(days=99), "cs.CR") == [("cs.CR", 2, 1)]
    renewal = Renewal.objects.get()
    assert (renewal.until_before, renewal.until, renewal.reason) == (
        end,
        end + timedelta(days=100),
        "Nothing has changed.",
    )


def test_the_owner_is_reminded_once_for_each_distance(technologies: SensitivityList, lin: Actor, pan: Actor) -> None:
    version = published(drafted(technologies, [entry_values("cs.CR")], by=lin), author=lin, publisher=pan)
    assert version.published_until is not None
    end = datetime.combine(version.published_until, NOW.timetz())

    def told(days: int) -> int:
        return publishing.remind(at=end - timedelta(days=days))

    assert [told(days) for days in (61, 60, 59, 30, 30, 29, 7, 1, 0)] == [0, 1, 0, 1, 0, 0, 1, 0, 0]
    assert [row.days for row in RenewalReminder.objects.order_by("pk")] == [60, 30, 7]
    deliver(at=end)
    mine = Notification.objects.filter(recipient_id=lin.user_id, channel="bell", event__event="list.ends_soon")
    assert {one.subject for one in mine} == {"List of technologies: version 1 ends on 3 March 2027"}


def test_reminders_that_were_missed_are_made_up_by_one(technologies: SensitivityList, lin: Actor, pan: Actor) -> None:
    version = published(drafted(technologies, [entry_values("cs.CR")], by=lin), author=lin, publisher=pan)
    assert version.published_until is not None
    end = datetime.combine(version.published_until, NOW.timetz())
    assert publishing.remind(at=end - timedelta(days=5)) == 1
    assert [row.days for row in RenewalReminder.objects.all()] == [7]


def test_the_others_hear_what_waits_for_them(technologies: SensitivityList, lin: Actor, pan: Actor) -> None:
    version = in_review(technologies, lin)
    publishing.publish(version.pk, actor=pan, at=NOW, on=TODAY)
    deliver(at=NOW)
    bells = Notification.objects.filter(channel="bell")
    assert [(one.recipient_id, one.event.event) for one in bells.order_by("pk")] == [
        (pan.user_id, "list.submit_for_review"),
        (lin.user_id, "list.publish"),
    ]
    assert OutboxEvent.objects.filter(done_at=None).count() == 0


# ── confidentiality ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_confidential_list_needs_a_basis_and_somebody_else_who_reviewed_it(lin: Actor, pan: Actor) -> None:
    basis = instrument()
    with nothing_moved():
        with pytest.raises(Invalid, match="legal basis of its confidentiality"):
            sensitivity_list(ListKind.EVENT, owner=lin, is_confidential=True, legal_basis=basis)
        with pytest.raises(Invalid, match="owner of a list cannot review"):
            sensitivity_list(
                ListKind.EVENT,
                owner=lin,
                legal_basis=basis,
                is_confidential=True,
                confidentiality_basis=basis,
                confidentiality_reviewed_by_id=lin.user_id,
                confidentiality_reviewed_on=TODAY,
            )
    version = list_in_force(ListKind.EVENT, entry_values("E-1", 2, label_en="Closed forum"), confidential=True)
    facts = Facts(events=frozenset({"closed forum"}))
    found = matching.find(facts, versions=matching.in_force(TODAY), on=TODAY)
    [hit] = matching.hits(facts, found.candidates, on=TODAY)
    assert (hit.confidential, hit.version_id, hit.reviewed_by) == (True, version.pk, "Pan Publisher")
    assert (hit.secret_en, hit.secret_article_en) == ("Measures on confidential lists", "Article 4")
    assert hit.basis_en == "Measures on sensitivity lists"


# ── what the database refuses ───────────────────────────────────────────────────────────────────────────────────────

FIXED = [
    "UPDATE sensitivity_listentry SET level = 1 WHERE version_id = %(id)s",
    "DELETE FROM sensitivity_listentry WHERE version_id = %(id)s",
    "INSERT INTO sensitivity_listentry (version_id, lineage, code, former_codes, parent, path, label_zh, label_en, "
    "aliases, country, level, reason_zh, reason_en, edit) VALUES (%(id)s, gen_random_uuid(), 'X', '{}', '', '{}', 'x', "
    "'x', '{}', '', 1, 'x', 'x', 0)",
    "UPDATE sensitivity_listentry SET version_id = %(other)s WHERE version_id = %(id)s",
    "DELETE FROM sensitivity_listversion WHERE id = %(id)s",
    "UPDATE sensitivity_listversion SET published_from = '2020-01-01' WHERE id = %(id)s",
    "UPDATE sensitivity_listversion SET state = 'draft' WHERE id = %(id)s",
    "UPDATE sensitivity_listversion SET publisher_id = author_id WHERE id = %(id)s",
    "UPDATE sensitivity_edit SET after = NULL WHERE version_id = %(id)s",
    "DELETE FROM sensitivity_edit WHERE version_id = %(id)s",
    "TRUNCATE sensitivity_listentry CASCADE",
]


@pytest.mark.parametrize("statement", FIXED)
def test_a_published_version_is_fixed_in_the_database(statement: str) -> None:
    version = list_in_force(ListKind.TECHNOLOGY, entry_values("cs.CR", 2))
    other = drafted(version.list, [], by=list_manager("Qin Third"))
    with nothing_moved(), pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, {"id": version.pk, "other": other.pk})


def test_the_triggers_hold_for_the_owner_of_the_schema_too() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgrelid::regclass::text, tgname, tgenabled FROM pg_trigger "
            "WHERE NOT tgisinternal AND tgrelid::regclass::text LIKE 'sensitivity_%%' ORDER BY 1, 2"
        )
        found = cursor.fetchall()
    # "A": always, also while changes are replicated.
    assert {enabled for _table, _name, enabled in found} == {"A"}
    fixed = ["fixed_delete_old", "fixed_insert_new", "fixed_truncate", "fixed_update_new", "fixed_update_old"]
    assert [(table, name) for table, name, _enabled in found] == [
        *(("sensitivity_edit", name) for name in fixed),
        *(("sensitivity_listentry", name) for name in fixed),
        ("sensitivity_listversion", "published_is_fixed"),
        ("sensitivity_renewal", "append_only"),
        ("sensitivity_renewalreminder", "append_only"),
    ]


@pytest.mark.parametrize(
    ("values", "constraint"),
    [
        ({"state": "published", "published_from": TODAY, "published_until": TODAY + DAY}, "published_by_somebody"),
        ({"state": "published", "publisher": "pan", "published_from": TODAY}, "published_by_somebody"),
        ({"publisher": "lin"}, "two_people"),
    ],
)
def test_the_database_holds_to_two_people_and_an_end(
    technologies: SensitivityList, lin: Actor, pan: Actor, values: dict[str, Any], constraint: str
) -> None:
    people = {"lin": lin.user_id, "pan": pan.user_id}
    whole = {("publisher_id" if name == "publisher" else name): people.get(str(v), v) for name, v in values.items()}
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        ListVersion.objects.create(list=technologies, number=1, author_id=lin.user_id, created_at=NOW, **whole)


# ── never persons ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_there_is_no_list_of_people() -> None:
    assert {kind.value for kind in ListKind} == {"technology", "destination", "organisation", "project", "event"}
    about_people = {Employee, User, TravelRequest}
    for model in apps.get_app_config("sensitivity").get_models():
        named = {
            field.name for field in model._meta.get_fields() if field.concrete and field.related_model in about_people
        }
        # Who keeps, edits, reviews and publishes a list, and nobody else.
        assert named <= {"owner", "author", "publisher", "by", "confidentiality_reviewed_by"}, model
    says = {field.name for field in ListEntry._meta.get_fields() if field.concrete}
    assert not says & {"person", "name", "user", "employee", "born_on", "passport", "identity_number"}


def test_the_log_of_a_list_is_a_chain_that_verifies(technologies: SensitivityList, lin: Actor, pan: Actor) -> None:
    published(drafted(technologies, [entry_values("cs.CR")], by=lin), author=lin, publisher=pan)
    call_command("audit", "verify")
    log = Entry.objects.filter(chain=technologies.history_id).order_by("sequence")
    assert [entry.verb for entry in log] == ["list.found", "list.draft", "list.submit_for_review", "list.publish"]
    assert {entry.actor_role for entry in log} == {Role.LIST_MANAGER}
    assert isinstance(technologies.history_id, UUID)
    assert timezone.is_aware(log[0].at)
