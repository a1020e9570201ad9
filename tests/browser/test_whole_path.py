"""One trip from a blank form to a decision, by four people, on real pages: in both languages, on a desk and on a phone,
without JavaScript, and with nothing but the keyboard. What the pages say is compared with the catalogue.
"""

import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.translation import gettext, ngettext, pgettext
from playwright.sync_api import Locator, Page, expect

from accounts.models import User
from accounts.roles import Role
from approvals import rules, workflow
from approvals.demo import events
from approvals.models import Decision, TravelRequest
from approvals.models.travel_request import Device, Purpose
from approvals.states import State
from companies.models import Company
from employees.models import Employee
from notifications.delivery import deliver
from sensitivity.taxonomy import SUBJECTS
from tests.browser.hands import Hands, Keyboard, Pointer, exactly
from tests.browsing import DESK, PHONE, OpenWindow, is_too_wide
from tests.factories import (
    CompanyFactory,
    OfficeFactory,
    UserFactory,
    actor,
    employ,
    in_state,
    officer_of,
    posted,
    reason_code,
    with_role,
)

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser-path")]

PASSWORD = "a long enough password"
PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<<>>\nendobj\n%%EOF\n"


@dataclass
class Way:
    """In which language, on how wide a screen, with or without JavaScript, and with which hands."""

    language: str
    width: int = DESK
    hands: Hands = Pointer()
    script: bool = True


WAYS = {
    "zh-desk": Way("zh-hans"),
    "en-phone": Way("en", PHONE),
    "en-desk-without-javascript": Way("en", script=False),
    "en-desk-keyboard": Way("en", hands=Keyboard()),
}


class Person:
    """Somebody at a page, who reads and acts in the language of `way`."""

    def __init__(self, page: Page, url: str, way: Way) -> None:
        self.page, self.url, self.way, self.hands = page, url, way, way.hands

    def words(self, text: Any) -> str:
        """`text`, an English source string or a lazy one, as this person reads it."""
        with translation.override(self.way.language):
            return gettext(text) if isinstance(text, str) else str(text)

    def day(self, day: date) -> str:
        """A day as this person reads it."""
        with translation.override(self.way.language):
            return date_format(day, "DATE_FORMAT")

    def link(self, text: Any) -> Locator:
        return self.page.get_by_role("main").get_by_role("link", name=exactly(self.words(text)))

    def button(self, text: Any) -> Locator:
        return self.page.get_by_role("main").get_by_role("button", name=exactly(self.words(text)))

    def field(self, text: Any) -> Locator:
        """The field with this label, after which may stand that it is required."""
        with translation.override(self.way.language):
            required = pgettext("field", "required")
        label = re.compile(rf"^\s*{re.escape(self.words(text))}(\s+{required})?\s*$")
        return self.page.get_by_role("main").get_by_label(label)

    def sees(self, text: Any) -> None:
        """`text` stands on the page, for the eye."""
        expect(self.page.get_by_role("main")).to_contain_text(self.words(text), use_inner_text=True)
        assert not is_too_wide(self.page), self.page.url

    def is_on(self, heading: Any) -> None:
        """The page has come whose heading contains this."""
        expect(self.page.get_by_role("heading", level=1)).to_contain_text(self.words(heading))
        assert not is_too_wide(self.page), self.page.url

    def signs_in(self, user: User) -> None:
        """From the home page, through the page that asks who is there."""
        self.page.goto(self.url)
        self.is_on("Sign in")
        self.hands.write(self.page.locator("#id_login"), user.email)
        self.hands.write(self.page.locator("#id_password"), PASSWORD)
        self.hands.press(self.button("Sign in"))
        self.is_on("Home")
        assert self.page.locator("html").get_attribute("lang") == self.way.language

    def goes_to(self, page: str) -> None:
        """By the header."""
        name = exactly(self.words(page))
        self.hands.press(self.page.get_by_role("navigation").first.get_by_role("link", name=name))
        self.is_on(page)

    def does(self, verb: str) -> None:
        """Presses the button of a verb on the page of the request, and comes to the verb's own page."""
        name = exactly(self.words(verb))
        self.hands.press(self.page.locator(".actions").get_by_role("link", name=name))
        self.is_on(verb)


@dataclass
class People:
    """The people of the path."""

    company: Company
    alice: User
    olivia: User
    rui: User
    shan: User
    ada: User


def _people(language: str) -> People:
    """A company and its office, nobody else in them. Everybody has a password and reads `language`."""
    place = Company.objects.count()
    code = f"P{place}"
    office = OfficeFactory.create(code=code, name_en=f"Office {code}", name_zh=f"{code}办公室")
    company = CompanyFactory.create(name_en=f"Company {code}", name_zh=f"{code}公司", office=office)

    def user(name: str, **more: Any) -> User:
        made: User = UserFactory.create(name=name, language=language, password=PASSWORD, **more)
        return made

    alice = user("Alice Wang")
    employ("Alice Wang", company, user=alice)
    ada = with_role(Role.ADMINISTRATOR, f"Ada {code}")
    ada.language = language
    ada.set_password(PASSWORD)
    ada.save()
    return People(
        company=company,
        alice=alice,
        olivia=officer_of(company, user=user("Olivia Officer")),
        rui=posted(office, Role.REVIEWER, f"{4100 + place}", user=user("Rui Reviewer")),
        shan=posted(office, Role.SENIOR, f"{5100 + place}", user=user("Shan Senior")),
        ada=ada,
    )


@dataclass
class Trip:
    """What Alice asks for: a real conference, if one takes place soon enough."""

    event: events.Event

    @property
    def title(self) -> str:
        return f"{self.event.name}: a paper"

    @property
    def country(self) -> str:
        from django_countries import countries

        return str(countries.name(self.event.country))


def _trip() -> Trip:
    today = timezone.localdate()
    soon = events.between(today + timedelta(days=30), today + timedelta(days=200))
    fitting = [event for event in soon if event.host and event.topics and event.country != "CN"]
    return Trip(min(fitting, key=lambda event: (not event.url, event.starts_on)))


@contextmanager
def _at_a_desk(open_window: OpenWindow, way: Way) -> Iterator[Person]:
    with open_window(
        width=way.width, language=way.language, java_script_enabled=way.script, has_touch=way.width == PHONE
    ) as window:
        yield Person(window.page, window.url, way)


@pytest.fixture
def at_a_desk(open_window: OpenWindow) -> Any:
    """`with at_a_desk(way) as person`: somebody opens a browser in which nobody is signed in."""

    def sits_down(way: Way) -> AbstractContextManager[Person]:
        return _at_a_desk(open_window, way)

    return sits_down


@pytest.fixture
def invitation(tmp_path: Path) -> Path:
    path = tmp_path / "invitation.pdf"
    path.write_bytes(PDF)
    return path


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_from_a_blank_form_to_a_clearance(at_a_desk: Any, way: Way, invitation: Path) -> None:
    people, trip = _people(way.language), _trip()

    with at_a_desk(way) as alice:
        alice.signs_in(people.alice)
        number = _asks(alice, trip, invitation)

    with at_a_desk(way) as olivia:
        olivia.signs_in(people.olivia)
        olivia.goes_to("Inbox")
        olivia.hands.press(olivia.page.locator("[data-open]", has_text=trip.title))
        olivia.is_on(trip.title)
        olivia.does("Endorse")
        olivia.hands.press(olivia.button("Endorse"))
        olivia.sees("Endorsed. The request is with the office.")

    with at_a_desk(way) as rui:
        rui.signs_in(people.rui)
        rui.goes_to("Inbox")
        _opens_from_the_inbox(rui, trip)
        rui.is_on(trip.title)
        rui.does("Take the case")
        rui.hands.press(rui.button("Take the case"))
        rui.sees(
            "Declare that you have no conflict of interest, or leave the case to others."
        )  # not without the declaration
        rui.hands.tick(rui.page.locator("[name=conflict][value=none]"))
        rui.hands.press(rui.button("Take the case"))
        rui.sees("The case is yours.")
        with at_a_desk(way) as ada:
            ada.signs_in(people.ada)
            _sees_in_the_overview(ada, people.company, cases=1)
        rui.does("Approve")
        rui.hands.write(rui.field("What has to be done or kept to"), "Slides as submitted.")
        rui.hands.write(rui.field("Note on the decision"), "Have a good trip.")
        rui.hands.press(rui.button("Approve"))
        rui.sees("Approved. The applicant was told.")

    with at_a_desk(way) as ada:
        ada.signs_in(people.ada)
        _sees_in_the_overview(ada, people.company, cases=0)

    deliver(at=timezone.now())
    with at_a_desk(way) as alice:
        alice.signs_in(people.alice)
        expect(alice.page.locator(".bell-count")).to_be_visible()
        alice.goes_to("My requests")
        alice.hands.press(alice.link(trip.title))
        alice.is_on(trip.title)
        alice.sees(State.APPROVED.label)
        alice.sees("Have a good trip.")
        alice.sees("Slides as submitted.")
        alice.sees(number)

    done = TravelRequest.unscoped.get(reference=number)
    assert (done.state, done.confirmed_by_id, done.decided_by) == (State.APPROVED, None, people.rui)
    assert done.revision.content["event_name"] == trip.event.name  # type: ignore[union-attr]


def _asks(alice: Person, trip: Trip, invitation: Path) -> str:
    """Alice writes the request, section by section, and submits it. The number that she is given."""
    event, hands = trip.event, alice.hands
    alice.goes_to("New request")
    hands.press(alice.button("Begin"))
    hands.press(alice.link("The trip"))

    alice.is_on("The trip")
    hands.write(alice.field("What the trip is for"), trip.title)
    hands.tick(alice.field(Purpose.CONFERENCE.label))
    hands.write(alice.field("What you will do there"), "I present our paper and listen to others.")
    hands.write(alice.field("Event"), event.name)
    hands.write(alice.field("Page of the event"), event.url or "https://conference.example/")
    hands.press(alice.button("Save and go on"))

    alice.is_on("Itinerary")
    with translation.override(alice.way.language):
        country = trip.country
    hands.pick(alice.field("Country or region"), country)
    hands.write(alice.field("City"), event.city)
    hands.pick_day(alice.field("First day there"), event.starts_on)
    hands.pick_day(alice.field("Last day there"), event.ends_on)
    hands.write(alice.field("Host organisation"), event.host)
    hands.press(alice.button("Save and go on"))

    alice.is_on("Topics and materials")
    for code in event.topics:
        hands.tick(alice.page.locator(f"[name=topics][value='{code}']"))
    hands.write(alice.field("Materials carried"), "Slides")
    hands.tick(alice.field(Device.TRAVEL_LAPTOP.label))
    hands.press(alice.button("Save and go on"))

    alice.is_on("Documents")
    hands.upload(alice.page.locator("[name=file]"), invitation)
    hands.press(alice.button("Add these documents"))
    with translation.override(alice.way.language):
        added = ngettext("%(count)d document was added.", "%(count)d documents were added.", 1) % {"count": 1}
    alice.sees(added)
    alice.sees(invitation.name)
    hands.press(alice.link("Go on"))

    alice.is_on("Declarations")
    for _code, text in rules.DECLARATIONS:
        hands.tick(alice.field(text))
    hands.press(alice.button("Save and go on"))

    alice.is_on("Check your answers")
    subjects = dict(SUBJECTS)
    for answer in (
        trip.title,
        Purpose.CONFERENCE.label,
        event.city,
        country,
        alice.day(event.starts_on),
        event.host,
        subjects[event.topics[0]],
        Device.TRAVEL_LAPTOP.label,
        invitation.name,
        "The decision is due before you leave.",
    ):
        alice.sees(answer)
    hands.press(alice.button("Submit the request"))

    alice.is_on("Your request was received")
    return alice.page.locator(".confirmation-number strong").inner_text()


def _opens_from_the_inbox(rui: Person, trip: Trip) -> None:
    if not isinstance(rui.hands, Keyboard):
        rui.hands.press(rui.page.locator("[data-open]", has_text=trip.title))
        return
    keyboard, row = rui.page.keyboard, rui.page.locator("[data-row]", has_text=trip.title)
    keyboard.press("j")
    expect(row).to_have_class("row-current")
    keyboard.press("x")
    expect(row.locator("[data-select]")).to_be_checked()
    expect(rui.page.locator("[data-select-count]")).to_have_text("1")
    keyboard.press("x")
    keyboard.press("Enter")


def _sees_in_the_overview(ada: Person, company: Company, *, cases: int) -> None:
    ada.goes_to("Overview")
    with translation.override(ada.way.language):
        row = ada.page.get_by_role("row").filter(has_text=company.office.name)
        expect(row.get_by_role("cell").first).to_have_text(str(cases))


@pytest.mark.parametrize("way", [Way("zh-hans", PHONE), Way("en")], ids=["zh-phone", "en-desk"])
def test_before_a_denial_the_applicant_is_heard_and_after_it_can_appeal(at_a_desk: Any, way: Way) -> None:
    people = _people(way.language)
    _hearing_office()
    first = timezone.localdate() + timedelta(days=60)
    leg = {"country": "BR", "city": "Rio", "arrives_on": first, "leaves_on": first + timedelta(days=3), "host": ""}
    cast = in_state(
        State.COMPANY_REVIEW,
        employee=Employee.unscoped.get(user=people.alice),
        at=timezone.now() - timedelta(days=1),
        title="A closed session",
        legs=[leg],
    )
    workflow.endorse(cast.request.pk, actor=actor(cast.officer, timezone.now()), at=timezone.now())
    code = reason_code()

    with at_a_desk(way) as rui:
        rui.signs_in(people.rui)
        rui.goes_to("Inbox")
        rui.hands.press(rui.page.locator("[data-open]", has_text="A closed session"))
        rui.does("Take the case")
        rui.hands.tick(rui.page.locator("[name=conflict][value=none]"))
        rui.hands.press(rui.button("Take the case"))
        rui.does("Propose a denial")
        rui.sees("First: would something milder do?")
        rui.hands.press(rui.button("Propose a denial"))
        rui.sees("Choose at least one reason code in force.")  # nothing of it can be left out
        rui.hands.write(rui.page.locator("[name=why_not_condition]"), "The session is the only purpose.")
        rui.hands.write(rui.page.locator("[name=why_not_shorter]"), "The session is on the first day.")
        rui.hands.tick(rui.page.locator(f"[name=reason_codes][value={code.code}]"))
        part = rui.page.locator("[name=part_0]")
        rui.hands.pick(part, part.locator("option[value=event]").inner_text())
        rui.hands.write(rui.page.locator("[name=fact_0]"), "The programme names the session.")
        rui.hands.write(rui.page.locator("[name=text]"), "The session concerns a listed topic.")
        rui.hands.press(rui.button("Propose a denial"))
        rui.sees("Denial proposed. The applicant is heard before a senior reviewer decides.")
        expect(rui.link("Confirm the proposal")).to_have_count(0)  # who proposed does not confirm

    with at_a_desk(way) as shan:
        shan.signs_in(people.shan)
        shan.page.goto(f"{shan.url}/cases/{cast.request.reference}/")
        expect(shan.link("Confirm the proposal")).to_have_count(0)  # not before the applicant was heard

    with at_a_desk(way) as alice:
        alice.signs_in(people.alice)
        alice.hands.press(alice.link("A closed session"))
        alice.does("Reply to the proposed decision")
        alice.sees("The session concerns a listed topic.")
        alice.hands.write(alice.field("Your reply"), "The session is open to everybody.")
        alice.hands.press(alice.button("Reply to the proposed decision"))
        alice.sees("Your reply was received. A senior reviewer reads it before deciding.")

    with at_a_desk(way) as shan:
        shan.signs_in(people.shan)
        shan.page.goto(f"{shan.url}/cases/{cast.request.reference}/")
        shan.does("Confirm the proposal")
        shan.sees("The session is open to everybody.")
        shan.hands.tick(shan.page.locator("[name=conflict][value=none]"))
        shan.hands.press(shan.button("Confirm the proposal"))
        shan.sees("Decided. The applicant was told.")

    decision = Decision.objects.get(request=cast.request)
    assert decision.appeal_until is not None
    with at_a_desk(way) as alice:
        alice.signs_in(people.alice)
        alice.goes_to("My requests")
        alice.hands.press(alice.link("A closed session"))
        for words in (State.DENIED.label, "The session concerns a listed topic.", "The session is open to everybody."):
            alice.sees(words)
        alice.sees(alice.day(decision.appeal_until))
        alice.does("Appeal")
        alice.hands.write(alice.field("Why the decision should change"), "The programme has changed.")
        alice.hands.press(alice.button("Appeal"))
        alice.sees("Your appeal was filed. Another office hears it.")


def _hearing_office() -> None:
    """An office that hears appeals against the decisions of others."""
    office = OfficeFactory.create(code="APPEAL", name_en="Appeals office", name_zh="复核办公室")
    if not office.postings.exists():
        posted(office, Role.APPEAL_REVIEWER, "9001", "Ping Appeals")
