"""Every address of the product, and who gets what there. An address that is not here fails a test.

Alice's request is with the office of Haidian: Olivia is an officer of her company, Fei a fellow employee, Rui has the
case, Shan is a senior, Hua the head of office. Oscar is an officer of another company, Xu a reviewer of another office,
Ping an appeal reviewer there without an appeal. Lin keeps lists, Ada administers, Udo audits.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import NoReverseMatch, URLPattern, URLResolver, get_resolver, reverse
from uuid_utils.compat import uuid7

from accounts.models import AccessEntry, User
from accounts.roles import Role
from approvals import workflow
from approvals.models import Clearance, Paper, TravelRequest
from approvals.states import State
from companies.models import Project
from figures.publishing import publish_due
from notifications import delivery, feeds
from notifications.models import Notification
from openness import corrections
from sensitivity import importing
from sensitivity.models import ListKind
from tests.asserting import nothing_moved
from tests.factories import (
    CompanyFactory,
    OfficeFactory,
    actor,
    draft,
    employ,
    entry_of,
    entry_values,
    in_state,
    officer_of,
    posted,
    reason_code,
    rehearsed,
    sensitivity_list,
    with_role,
)
from tests.factories import drafted as list_draft

# GET; "/draft": of a request that is not submitted. 302 of anyone is the way to the sign-in page.
PAGES = """
                          anyone  alice    fei olivia  oscar    rui   shan    hua     xu   ping    lin    ada    udo
absence_end                  302    405    405    405    405    405    405    405    405    405    405    405    405
absences                     302    403    403    403    403    200    200    200    200    200    403    403    403
amendment                    302    200    404    404    404    404    404    404    404    404    404    404    404
amendment/draft              302    302    404    404    404    404    404    404    404    404    404    404    404
amendment_section            302    302    404    404    404    404    404    404    404    404    404    404    404
amendment_section/draft      302    302    404    404    404    404    404    404    404    404    404    404    404
answer                       302    302    404    404    404    404    404    404    404    404    404    404    404
answer/draft                 302    404    404    404    404    404    404    404    404    404    404    404    404
answer_check                 302    302    404    404    404    404    404    404    404    404    404    404    404
answer_check/draft           302    404    404    404    404    404    404    404    404    404    404    404    404
answer_item                  302    302    404    404    404    404    404    404    404    404    404    404    404
answer_item/draft            302    404    404    404    404    404    404    404    404    404    404    404    404
api_action                   403    405    405    405    405    405    405    405    405    405    405    405    405
api_action/draft             403    405    405    405    405    405    405    405    405    405    405    405    405
api_request                  403    200    404    200    404    200    200    200    404    404    404    200    200
api_request/draft            403    200    404    404    404    404    404    404    404    404    404    404    404
api_requests                 403    200    200    200    200    200    200    200    200    200    200    200    200
api_schema                   403    200    200    200    200    200    200    200    200    200    200    200    200
appeal_document              302    404    404    404    404    404    404    404    404    404    404    404    404
appeal_document/draft        302    404    404    404    404    404    404    404    404    404    404    404    404
appeal_figures               302    403    403    403    403    403    200    200    403    200    403    200    200
attachment                   302    200    404    200    404    200    200    200    404    404    404    200    200
attachment_remove            302    200    404    404    404    404    404    404    404    404    404    404    404
calendar_feed                200    200    200    200    200    200    200    200    200    200    200    200    200
calendar_feed_change         405    405    405    405    405    405    405    405    405    405    405    405    405
case                         302    302    404    302    404    200    200    200    404    404    404    302    302
case/draft                   302    302    404    404    404    404    404    404    404    404    404    404    404
choose_language              405    405    405    405    405    405    405    405    405    405    405    405    405
company                      302    404    404    200    404    404    404    404    404    404    404    200    200
condition                    302    404    404    404    404    404    404    404    404    404    404    404    404
condition/draft              302    404    404    404    404    404    404    404    404    404    404    404    404
conditions                   302    200    404    200    404    200    200    200    404    404    404    200    200
conditions/draft             302    200    404    404    404    404    404    404    404    404    404    404    404
consistency                  302    403    403    403    403    403    200    403    403    403    403    403    403
correction                   302    200    404    404    404    404    200    200    404    404    404    404    200
correction_new               302    200    200    200    200    200    200    200    200    200    200    200    200
corrections                  302    200    200    200    200    200    200    200    200    200    200    200    200
criteria                     200    200    200    200    200    200    200    200    200    200    200    200    200
employee                     302    404    404    200    404    404    404    404    404    404    404    404    404
employee_new                 302    403    403    200    200    403    403    403    403    403    403    403    403
employees                    302    403    403    200    200    403    403    403    403    403    403    200    200
figures                      200    200    200    200    200    200    200    200    200    200    200    200    200
figures_file                 200    200    200    200    200    200    200    200    200    200    200    200    200
ground                       200    200    200    200    200    200    200    200    200    200    200    200    200
grounds                      200    200    200    200    200    200    200    200    200    200    200    200    200
health_live                  200    200    200    200    200    200    200    200    200    200    200    200    200
health_ready                 200    200    200    200    200    200    200    200    200    200    200    200    200
health_work                  503    503    503    503    503    503    503    503    503    503    503    503    503
home                         302    200    200    200    200    200    200    200    200    200    200    200    200
inbox                        302    403    403    200    200    200    200    200    200    200    403    403    403
inbox_bulk                   302    404    404    404    404    404    404    404    404    404    404    404    404
job                          302    404    404    404    404    404    404    404    404    404    200    404    200
jobs                         302    403    403    403    403    403    403    403    403    403    403    200    200
list                         302    404    404    404    404    404    404    404    404    404    200    404    200
list_diff                    302    404    404    404    404    404    404    404    404    404    200    404    200
list_diff_file               302    404    404    404    404    404    404    404    404    404    200    404    200
list_effects                 302    403    403    403    403    403    200    403    403    403    403    403    403
list_entry                   302    404    404    404    404    404    404    404    404    404    200    404    200
list_entry_new               302    404    404    404    404    404    404    404    404    404    200    404    403
list_export                  302    404    404    404    404    404    404    404    404    404    200    404    200
list_import                  302    404    404    404    404    404    404    404    404    404    200    404    200
list_import_errors           302    404    404    404    404    404    404    404    404    404    200    404    200
list_import_file             302    404    404    404    404    404    404    404    404    404    200    404    200
list_import_new              302    404    404    404    404    404    404    404    404    404    200    404    403
list_new                     302    404    404    404    404    404    404    404    404    404    200    404    403
list_rehearsal               302    404    404    404    404    404    404    404    404    404    200    404    200
list_rehearsals              302    404    404    404    404    404    404    404    404    404    200    404    200
list_settings                302    404    404    404    404    404    404    404    404    404    200    404    403
list_template                302    404    404    404    404    404    404    404    404    404    200    404    200
list_version                 302    404    404    404    404    404    404    404    404    404    200    404    200
list_version_do              302    404    404    404    404    404    404    404    404    404    200    404    403
lists                        302    404    404    404    404    404    404    404    404    404    200    404    200
mail_address_check           405    405    405    405    405    405    405    405    405    405    405    405    405
mail_address_confirm         404    404    404    404    404    404    404    404    404    404    404    404    404
metrics                      404    404    404    404    404    404    404    404    404    404    404    404    404
my_data                      302    200    200    200    200    200    200    200    200    200    200    200    200
my_data_file                 302    302    302    302    302    302    302    302    302    302    302    302    302
notification                 302    302    404    404    404    404    404    404    404    404    404    404    404
notification_failures        302    403    403    403    403    403    403    403    403    403    403    200    200
notification_preferences     302    200    200    200    200    200    200    200    200    200    200    200    200
notification_read            405    405    405    405    405    405    405    405    405    405    405    405    405
notification_try_again       405    405    405    405    405    405    405    405    405    405    405    405    405
notification_unsubscribe     404    404    404    404    404    404    404    404    404    404    404    404    404
notifications                302    200    200    200    200    200    200    200    200    200    200    200    200
notifications_bell           286    200    200    200    200    200    200    200    200    200    200    200    200
notifications_read           405    405    405    405    405    405    405    405    405    405    405    405    405
office_load                  302    403    403    403    403    403    200    200    403    403    403    403    403
operations                   302    403    403    403    403    403    403    403    403    403    403    200    200
overview                     302    403    403    403    403    403    403    403    403    403    403    200    200
paper                        302    200    404    200    404    200    200    200    404    404    404    200    200
paper/draft                  302    404    404    404    404    404    404    404    404    404    404    404    404
project                      302    404    404    200    404    404    404    404    404    404    404    404    404
request                      302    200    404    200    404    302    302    302    404    404    404    200    200
request/draft                302    302    404    404    404    404    404    404    404    404    404    404    404
request_check                302    302    404    404    404    404    404    404    404    404    404    404    404
request_check/draft          302    200    404    404    404    404    404    404    404    404    404    404    404
request_do                   302    200    404    403    404    403    403    403    404    404    404    403    403
request_do/draft             302    200    404    404    404    404    404    404    404    404    404    404    404
request_documents            302    302    404    404    404    404    404    404    404    404    404    404    404
request_documents/draft      302    200    404    404    404    404    404    404    404    404    404    404    404
request_edit                 302    302    404    404    404    404    404    404    404    404    404    404    404
request_edit/draft           302    200    404    404    404    404    404    404    404    404    404    404    404
request_list                 302    200    200    200    200    200    200    200    200    200    200    200    200
request_new                  302    200    200    200    200    200    200    200    200    200    200    200    200
request_section              302    302    404    404    404    404    404    404    404    404    404    404    404
request_section/draft        302    200    404    404    404    404    404    404    404    404    404    404    404
request_submitted            302    200    404    404    404    404    404    404    404    404    404    404    404
request_submitted/draft      302    302    404    404    404    404    404    404    404    404    404    404    404
retention                    302    403    403    403    403    403    403    403    403    403    403    200    200
retention_publish            302    405    405    405    405    405    405    405    405    405    405    405    405
set_language                 302    302    302    302    302    302    302    302    302    302    302    302    302
styleguide                   403    403    403    403    403    403    403    403    403    403    200    200    403
verification_keys            200    200    200    200    200    200    200    200    200    200    200    200    200
verify                       200    200    200    200    200    200    200    200    200    200    200    200    200
verify_token                 200    200    200    200    200    200    200    200    200    200    200    200    200
what_if                      200    200    200    200    200    200    200    200    200    200    200    200    200
"""
PEOPLE = PAGES.splitlines()[1].split()

# Addresses that answer the same to everybody who is signed in, or belong to a library with rules of its own, which are
# asserted below: who is not signed in gets nowhere but to the sign-in page, and nobody but administrators and list
# managers to the back office.
OF_LIBRARIES = ("account_", "mfa_", "socialaccount_", "openid_connect_", "admin:")
UNNAMED = "accounts/social/"
"""allauth's old addresses, which lead to the new ones."""


def addresses() -> Iterator[tuple[str, str]]:
    """(name, path) of every address of the resolver."""

    def walk(resolver: URLResolver, path: str, space: str) -> Iterator[tuple[str, str]]:
        for entry in resolver.url_patterns:
            here = path + str(entry.pattern)
            if isinstance(entry, URLResolver):
                yield from walk(entry, here, f"{space}{entry.namespace}:" if entry.namespace else space)
            elif isinstance(entry, URLPattern):
                yield f"{space}{entry.name or ''}", here

    return walk(get_resolver(), "", "")


def expected() -> dict[str, dict[str, int]]:
    rows = [line.split() for line in PAGES.splitlines()[2:]]
    return {page: dict(zip(PEOPLE, (int(status) for status in statuses), strict=True)) for page, *statuses in rows}


@dataclass
class There:
    """The requests, everybody, and how each address is filled in."""

    case: TravelRequest
    drafted: TravelRequest
    users: dict[str, User | None]
    addresses: dict[str, str]

    def client(self, who: str) -> Client:
        client = Client()
        if user := self.users[who]:
            client.force_login(user)
        return client


@pytest.fixture
def there(db: None) -> There:
    cast = in_state(State.INFORMATION_REQUESTED)
    at = cast.request.state_since + timedelta(minutes=5)
    alice = cast.applicant.user
    assert alice
    me = actor(alice, at)
    document = workflow.attach(
        cast.request.pk, actor=me, at=at, file=SimpleUploadedFile("paper.pdf", b"%PDF-1.7\n"), kind="paper"
    )
    workflow.answer(cast.request.pk, actor=me, at=at, answers=["My company."])
    company, office = cast.request.company, cast.request.office
    rival = CompanyFactory.create(name_en="Other Intelligence")
    elsewhere = OfficeFactory.create(code="PD", name_en="Pudong office")
    project = Project.objects.create(company=company, code="P1", name="Retrieval")
    delivery.deliver(at=at)
    told = Notification.objects.in_bell_of(alice.pk).first()
    assert told
    users: dict[str, User | None] = {
        "anyone": None,
        "alice": alice,
        "fei": employ("Fei Fellow", company).user,
        "olivia": cast.officer,
        "oscar": officer_of(rival),
        "rui": cast.reviewer,
        "shan": cast.senior,
        "hua": posted(office, Role.HEAD, "0001"),
        "xu": posted(elsewhere, Role.REVIEWER, "0021"),
        "ping": posted(elsewhere, Role.APPEAL_REVIEWER, "0023"),
        "lin": with_role(Role.LIST_MANAGER),
        "ada": with_role(Role.ADMINISTRATOR),
        "udo": with_role(Role.AUDITOR),
    }
    for name in ("lin", "ada"):
        User.objects.filter(pk=users[name].pk).update(is_staff=True)  # type: ignore[union-attr]
        users[name].refresh_from_db()  # type: ignore[union-attr]
    drafted = draft(cast.applicant, at=at)
    lin = actor(users["lin"], at)  # type: ignore[arg-type]
    events = sensitivity_list(ListKind.EVENT, owner=lin, at=at)
    version = list_draft(events, [entry_values("ICLR")], by=lin, at=at)
    sent = importing.receive(version.pk, actor=lin, at=at, file=SimpleUploadedFile("list.csv", b"code,level"))
    in_list = {"list_id": events.pk}
    in_version = in_list | {"number": version.number}
    case = {"reference": cast.request.reference}
    asked = corrections.ask(
        actor=me, at=at, about="request", subject=cast.request.reference, what="Host", should_be="ICLR", why="So named."
    )
    (quarter,) = publish_due(at=at + timedelta(days=60))
    fills: dict[str, dict[str, Any]] = {
        **dict.fromkeys(("request", "request_edit", "request_documents", "request_check", "request_submitted"), case),
        **dict.fromkeys(("case", "api_request"), case),
        "request_section": case | {"section": "trip"},
        # Of no appeal: who reads one is held in tests/approvals/test_appeals.py.
        "appeal_document": case | {"document_id": uuid7()},
        "attachment": case | {"attachment_id": document.pk},
        "attachment_remove": case | {"attachment_id": document.pk},
        "paper": case | {"order_id": cast.request.paper_orders.get().pk, "language": "en"},
        "request_do": case | {"verb": "withdraw"},
        **dict.fromkeys(("answer", "answer_check", "amendment", "conditions"), case),
        "amendment_section": case | {"section": "itinerary"},
        "answer_item": case | {"number": 1},
        "condition": case | {"condition_id": UUID(int=0)},
        "absence_end": {"pk": 0},
        "api_action": case | {"verb": "withdraw"},
        "company": {"pk": company.pk},
        "project": {"pk": company.pk, "project_pk": project.pk},
        "employee": {"pk": cast.applicant.pk},
        **dict.fromkeys(("list", "list_settings"), in_list),
        **dict.fromkeys(("list_version", "list_entry_new"), in_version),
        "list_rehearsals": in_version,
        "list_rehearsal": {"pk": rehearsed(version, by=lin, at=at).pk},
        "list_entry": in_version | {"lineage": entry_of(version, "ICLR").lineage},
        "list_version_do": in_version | {"verb": "discard"},
        "list_diff": in_list | {"old": 0, "new": version.number},
        "list_diff_file": in_list | {"old": 0, "new": version.number, "format": "csv"},
        "list_export": in_version | {"format": "xlsx"},
        "list_template": in_list | {"format": "csv"},
        "list_import_new": in_version,
        **dict.fromkeys(("list_import", "list_import_errors", "list_import_file"), {"pk": sent.pk}),
        "ground": {"code": reason_code().code},
        "figures_file": {"quarter": quarter.quarter},
        "job": {"pk": sent.job_id},
        "correction": {"pk": asked.pk},
        "my_data_file": {"pk": UUID(int=0)},
        "retention_publish": {"version": 1},
        "notification": {"pk": told.pk},
        "notification_read": {"pk": told.pk},
        # Who has the secret has the calendar; other links of mails are secrets of their own, and this is none.
        "calendar_feed": {"token": feeds.renew(alice, at=at).rpartition("/")[2].removesuffix(".ics")},
        "verify_token": {"token": "of-nobody"},
        "notification_unsubscribe": {"token": "of-nobody"},
        "mail_address_confirm": {"token": "of-nobody"},
    }
    names = {name for name, _path in addresses() if name and not name.startswith(OF_LIBRARIES)}
    found = {name: reverse(name, kwargs=fills.get(name)) for name in names}
    by_draft = [name for name, fill in fills.items() if fill.get("reference") and "attachment" not in name]
    for name in by_draft:
        found[f"{name}/draft"] = reverse(name, kwargs=fills[name] | {"reference": drafted.reference})
    return There(TravelRequest.unscoped.get(pk=cast.request.pk), drafted, users, found)


def test_every_address_is_in_the_table(there: There) -> None:
    assert set(there.addresses) == set(expected())
    for name, path in addresses():
        assert name or path.startswith(UNNAMED), path


@pytest.mark.parametrize("who", PEOPLE)
def test_who_gets_what(there: There, who: str) -> None:
    client = there.client(who)
    # Looking is recorded, and a paper that nobody has made yet is made for who asks; nothing else changes.
    with nothing_moved(apart_from=[AccessEntry, Paper, Clearance]):
        got = {page: client.get(path).status_code for page, path in sorted(there.addresses.items())}
    assert got == {page: statuses[who] for page, statuses in expected().items()}


WRITES = ("INSERT", "UPDATE", "DELETE", "WITH")
# Being looked at leaves a trace, and signing in a session.
TRACES = ('"accounts_accessentry"', '"django_session"')
OF_THEIR_OWN = {"fei": {"request_new"}, "lin": {"list_version_do"}}
"""Fei is an employee too: she begins a request of her own. Lin discards her own draft of a list."""
OF_EVERYBODY = {"my_data"}
"""Everybody has what is held about themselves prepared."""


@pytest.mark.parametrize("who", [who for who in PEOPLE if who != "alice"])
def test_nobody_else_changes_anything_by_posting_what_the_applicant_may_post(there: There, who: str) -> None:
    client = there.client(who)
    for page, path in sorted(there.addresses.items()):
        if page in OF_THEIR_OWN.get(who, ()) or page in OF_EVERYBODY:
            continue
        with CaptureQueriesContext(connection) as asked:
            answer = client.post(path, {}, **({"content_type": "application/json"} if page.startswith("api_") else {}))
        written = [
            query["sql"]
            for query in asked.captured_queries
            if query["sql"].startswith(WRITES) and not any(trace in query["sql"] for trace in TRACES)
        ]
        assert not written, (page, written)
        if expected()[page][who] == 404:
            assert answer.status_code in (404, 405), (page, answer.status_code)


def test_the_applicant_withdraws_by_the_page_and_by_the_api(there: There) -> None:
    """The addresses of the test above do something when the right person posts to them."""
    client = there.client("alice")
    assert client.post(there.addresses["request_do"], {}).status_code == 302
    assert TravelRequest.unscoped.get(pk=there.case.pk).state == State.WITHDRAWN
    answer = client.post(there.addresses["api_action/draft"], {}, content_type="application/json")
    assert (answer.status_code, answer.json()["state"]) == (200, State.WITHDRAWN)


def test_whoever_looks_is_in_the_access_log_except_the_applicant(there: There) -> None:
    looked = ("request", "case", "attachment", "api_request")
    for who in PEOPLE:
        before = AccessEntry.objects.count()
        client = there.client(who)
        seen = [client.get(there.addresses[page], follow=False).status_code for page in looked].count(200)
        made = list(AccessEntry.objects.order_by("id")[before:])
        assert len(made) >= (0 if who == "alice" else seen), who
        assert {entry.user_id for entry in made} <= {user.pk for user in [there.users[who]] if user}
        assert {entry.subject for entry in made} <= {there.case.pk}
        assert made == [] or who in ("olivia", "rui", "shan", "hua", "ada", "udo")


# ── the back office ─────────────────────────────────────────────────────────────────────────────────────────────────


def back_office() -> list[str]:
    fills: list[dict[str, Any]] = [{}, {"object_id": "1"}, {"object_id": str(uuid7())}, {"app_label": "accounts"}]
    fills += [{"content_type_id": 1, "object_id": "1"}]
    found = []
    for name, _path in addresses():
        if not name.startswith("admin:") or name in ("admin:", "admin:login", "admin:logout"):
            continue
        for fill in fills:
            with suppress(NoReverseMatch):
                found.append(reverse(name, kwargs=fill))
    return sorted(set(found))


@pytest.mark.parametrize("who", ["anyone", "alice", "olivia", "rui", "hua", "udo"])
def test_the_back_office_is_closed(there: There, who: str) -> None:
    client = there.client(who)
    assert len(back_office()) > 100
    for path in back_office():
        for answer in (client.get(path), client.post(path, {})):
            # The back office sends to its own door, which says no to whoever is signed in.
            assert answer.status_code in (302, 403, 405), (path, answer.status_code)
            if answer.status_code == 302:
                assert answer["Location"].startswith(("/admin/login/", "/accounts/login/")), (path, answer["Location"])
    door = client.get("/admin/login/")
    assert door.status_code == (302 if who == "anyone" else 403)


def test_the_back_office_shows_requests_and_changes_none(there: There) -> None:
    client = there.client("ada")
    here = reverse("admin:approvals_travelrequest_changelist")
    assert client.get(here).status_code == 200
    change = reverse("admin:approvals_travelrequest_change", kwargs={"object_id": there.case.pk})
    drafted = reverse("admin:approvals_travelrequest_change", kwargs={"object_id": there.drafted.pk})
    with nothing_moved(apart_from=[AccessEntry]):
        assert client.get(change).status_code == 200
        assert client.get(drafted).status_code == 302  # what is not submitted is not there
        for path in (change, reverse("admin:approvals_travelrequest_add"), change.replace("change", "delete")):
            assert client.post(path, {"state": "denied", "post": "yes"}).status_code == 403
        client.post(here, {"action": "delete_selected", "_selected_action": there.case.pk})
    assert there.client("lin").get(here).status_code == 403


# ── the addresses of the sign-in library ────────────────────────────────────────────────────────────────────────────

OPEN_TO_ANYONE = {
    "account_login",
    "account_signup",
    "account_reset_password",
    "account_reset_password_done",
    "account_reset_password_from_key_done",
    "account_inactive",
    "account_email_verification_sent",
    "mfa_login_webauthn",
    "socialaccount_login_cancelled",
    "socialaccount_login_error",
}


def test_without_signing_in_only_the_way_in_is_open(there: There) -> None:
    client = there.client("anyone")
    for name, _path in addresses():
        if not name.startswith(("account_", "mfa_", "socialaccount_", "openid_connect_")):
            continue
        try:
            path = reverse(name)
        except NoReverseMatch:
            continue
        answer = client.get(path)
        assert (answer.status_code == 200) <= (name in OPEN_TO_ANYONE), (name, answer.status_code)
        if answer.status_code == 302:
            assert answer["Location"].startswith("/accounts/"), (name, answer["Location"])
