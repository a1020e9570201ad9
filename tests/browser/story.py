"""One company, its office and another, with a request in every state, told by the verbs: for the pages to show.

`PAGES` are all pages of the product, each with who opens it. A new page is one line here; then it is looked at by axe,
on a desk and on a phone, in the light and in the dark, and read in Chinese.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from accounts.models import User
from accounts.roles import Role
from approvals import clearances, rehearsal, workflow
from approvals.models import Attachment, Condition, TravelRequest
from approvals.states import State, Tier
from authorities.models import Absence
from companies.models import Project
from employees.models import Employee
from figures.models import QuarterFigures
from jobs import work
from jobs.models import Job
from notifications import addresses, tokens
from notifications.delivery import deliver
from notifications.models import Channel, Notification
from openness import corrections, download
from sensitivity import drafting, importing, publishing
from sensitivity.models import ListKind, SensitivityList
from tests.factories import (
    DENIAL,
    CompanyFactory,
    OfficeFactory,
    UserFactory,
    actor,
    draft,
    drafted,
    employ,
    entry_of,
    entry_values,
    fill,
    in_state,
    list_in_force,
    list_manager,
    officer_of,
    posted,
    rehearsed,
    sensitivity_list,
    with_role,
)
from tests.factories.requests import Cast
from tests.figures.numbers import large, published_by

PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<<>>\nendobj\n%%EOF\n"

# What people of the story write; the test of untranslated words leaves it out.
TITLE = "ICLR in Rio de Janeiro"
WRITTEN = (
    TITLE,
    "I present our paper on retrieval.",
    "Rio de Janeiro",
    "ICLR Foundation",
    "ICLR",
    "Add the programme.",
    "The programme is attached.",
    "No budget.",
    "Who pays?",
    "To see who the host is.",
    "My company.",
    "The host was asked.",
    "Please reconsider.",
    "The session is not the purpose of my trip.",
    "The session was cancelled.",
    "On the second day, not on the first.",
    "Who cancelled it?",
    "Please leave it in force.",
    "We were rivals for the same post.",
    "programme.pdf",
    "Slides as submitted.",
    "Send the programme.",
    "No laptop.",
    "Sent on Monday.",
    "The talk needs it.",
    "The organisers moved the last day.",
    "A guest of the faculty.",
    "Zeta Laboratory",
    "I am in hospital.",
    "Please leave it in force.",
    "The programme names a closed session.",
    "Is the method of the list?",
    "All of it is published.",
    "Entry 7.",
    "Who cancelled it?",
    "The session was cancelled.",
    "On the second day, not on the first.",
    "We were rivals for the same post.",
    "programme.pdf",
    "invitation.pdf",
    "entries.csv",
    "Evolution",
    "San Jose",
    "Northwind Compute Laboratories",
    "Northwind Compute Laboratory",
    "northwind compute laboratory",
    "South Bay Photonics Institute",
    DENIAL.text,
    "Is the method of the list?",
    "The programme names a closed session.",
    "All of it is published.",
    "Entry 7.",
    *(one.fact for one in DENIAL.relied_on),
    *(one.why for one in DENIAL.measures),
)


@dataclass
class Story:
    """Who is in it, the requests by what has become of them, and other rows that pages are about."""

    people: dict[str, User] = field(default_factory=dict)
    casts: dict[str, Cast] = field(default_factory=dict)
    paths: dict[str, str] = field(default_factory=dict)

    def reference(self, case: str) -> str:
        """The number of the request `case`."""
        return self.casts[case].request.reference


def tell() -> Story:
    """The story, as of now: every request is submitted yesterday, for a trip in six weeks."""
    story = Story()
    office = OfficeFactory.create()
    other = OfficeFactory.create(code="PD", name_en="Pudong office", name_zh="浦东办公室", city="Shanghai")
    company = CompanyFactory.create(office=office)
    list_in_force(
        ListKind.TECHNOLOGY,
        entry_values("cs.IR", label_zh="大规模检索", label_en="Retrieval at scale"),
        at=timezone.now() - timedelta(days=30),
    )
    story.people["appeal"] = posted(other, Role.APPEAL_REVIEWER, "7001", "Ping Appeals")
    for state in State:
        story.casts[state] = _cast(state, company)
    _tell_of_special_cases(story, company)
    list_in_force(
        ListKind.ORGANISATION,
        entry_values("ZETA", 2, label_zh="泽塔实验室", label_en="Zeta Laboratory"),
        at=timezone.now() - timedelta(days=30),
    )
    _tell_of_changes(story, company)
    _tell_of_people(story, company, office)
    _tell_of_matches(story, company)
    _tell_of_rehearsals(story, other)
    _tell_of_lists(story)
    _tell_of_files(story)
    _tell_of_what_is_held(story)
    deliver(at=timezone.now(), mails=False)
    _give_up_a_mail()
    _have_an_address_fail(story)
    _publish_figures()
    return story


def _cast(state: State, company: Any, *, days_ago: int = 1, **values: Any) -> Cast:
    first = timezone.localdate() + timedelta(days=42)
    legs = [{"country": "BR", "city": "Rio de Janeiro", "arrives_on": first, "leaves_on": first + timedelta(days=6)}]
    legs[0]["host"] = "ICLR Foundation"
    employee = employ("Alice Wang", company)
    at = timezone.now() - timedelta(days=days_ago)
    return in_state(state, employee=employee, at=at, title=TITLE, legs=legs, **values)


def _tell_of_conditions(story: Story, cast: Cast) -> None:
    """One to be met, one reported, one that cannot be met."""
    conditions = [
        "Slides as submitted.",
        workflow.Obligation(text="Send the programme.", due="departure"),
        "No laptop.",
    ]
    _act(cast, "approve", cast.reviewer, conditions=conditions)
    first, second, third = Condition.objects.filter(request=cast.request).order_by("id")
    story.paths["condition"] = f"/requests/{cast.request.reference}/conditions/{first.pk}/"
    _act(cast, "report_condition", cast.applicant.user, condition=second.pk, text="Sent on Monday.")
    _act(cast, "cannot_comply", cast.applicant.user, condition=third.pk, text="The talk needs it.")


def _tell_of_changes(story: Story, company: Any) -> None:
    """A change that is being written, one that waits for the office, one that waits for a second person, a report."""
    casts = story.casts
    for name in ("changing", "changed", "heightened", "recommended"):
        casts[name] = _cast(State.APPROVED, company)
        me, at = casts[name].applicant.user, timezone.now()
        assert me is not None
        pk, legs = casts[name].request.pk, _legs_of(casts[name].request)
        workflow.begin_amendment(pk, actor=actor(me, at), at=at)
        legs[0]["leaves_on"] -= timedelta(days=1)
        legs[0]["host"] = "Zeta Laboratory" if name in ("heightened", "recommended") else legs[0]["host"]
        workflow.save_amendment(pk, actor=actor(me, at), at=at, section="itinerary", legs=legs)
        if name != "changing":
            _act(casts[name], "file_amendment", me, reason="The organisers moved the last day.")
    _act(casts["recommended"], "recommend_amendment", casts["recommended"].reviewer, text="A guest of the faculty.")
    first = timezone.localdate() - timedelta(days=2)
    leg = {"country": "BR", "city": "Rio de Janeiro", "host": "ICLR Foundation"}
    legs = [leg | {"arrives_on": first, "leaves_on": first + timedelta(days=6)}]
    for name in ("away", "reported"):
        employee, at = employ("Alice Wang", company), timezone.now() - timedelta(days=20)
        casts[name] = in_state(State.APPROVED, employee=employee, at=at, title=TITLE, legs=legs)
    me, at, pk = casts["reported"].applicant.user, timezone.now(), casts["reported"].request.pk
    assert me is not None
    workflow.begin_amendment(pk, actor=actor(me, at), at=at)
    longer = [legs[0] | {"leaves_on": legs[0]["leaves_on"] + timedelta(days=2)}]
    workflow.save_amendment(pk, actor=actor(me, at), at=at, section="itinerary", legs=longer)
    _act(casts["reported"], "report_change", me, reason="I am in hospital.")


def _act(cast: Cast, verb: str, user: User | None, **more: Any) -> None:
    at = timezone.now()
    assert user is not None
    getattr(workflow, verb)(cast.request.pk, actor=actor(user, at), at=at, **more)


def _tell_of_special_cases(story: Story, company: Any) -> None:
    casts = story.casts

    casts["ready"] = _cast(State.DRAFT, company)
    me = casts["ready"].applicant.user
    assert me is not None
    at = timezone.now()
    file = SimpleUploadedFile("invitation.pdf", PDF)
    workflow.attach(casts["ready"].request.pk, actor=actor(me, at), at=at, file=file, kind="invitation")
    fill(casts["ready"].request, at=at, legs=_legs_of(casts["ready"].request), title=TITLE, materials="PDF")
    story.paths["token"] = _token(casts["approved"])
    story.paths["attachment"] = str(Attachment.unscoped.get(request=casts["ready"].request).pk)

    casts["counted"] = _cast(State.INFORMATION_REQUESTED, company, days_ago=6)
    _act(casts["counted"], "answer", casts["counted"].applicant.user, answers=["My company."])
    _act(casts["counted"], "extend", casts["counted"].senior, working_days=5, reason="The host was asked.")

    newcomer = employ("Bai Newcomer", company)
    assert newcomer.user is not None
    story.people["newcomer"] = newcomer.user
    beginner = employ("Bo Beginner", company)
    assert beginner.user is not None
    story.people["beginner"] = beginner.user
    begun = draft(beginner, at=at)
    story.paths["begun"] = begun.reference
    workflow.keep_as_typed(
        begun.pk,
        actor=actor(beginner.user, at),
        at=at,
        section="itinerary",
        data={"legs-TOTAL_FORMS": ["2"], "legs-INITIAL_FORMS": ["0"], "legs-0-country": ["BR"], "legs-1-city": ["Rio"]},
    )

    casts["untaken"] = _cast(State.COMPANY_REVIEW, company)
    _act(casts["untaken"], "endorse", casts["untaken"].officer)
    casts["urgent"] = _cast(State.COMPANY_REVIEW, company, purpose="personal")
    casts["late"] = _cast(State.AUTHORITY_REVIEW, company, days_ago=40)
    casts["resubmitted"] = _cast(State.RETURNED, company)
    returned = casts["resubmitted"]
    fill(
        returned.request, at=at, legs=_legs_of(returned.request), title=TITLE, description="The programme is attached."
    )
    _act(returned, "submit", returned.applicant.user)
    _act(returned, "endorse", returned.officer)
    _act(returned, "take", returned.reviewer, no_conflict=True)
    casts["replied"] = _cast(State.DECISION_PROPOSED, company)
    _act(casts["replied"], "reply", casts["replied"].applicant.user, text="Please reconsider.")
    _tell_of_parts_and_specialists(story, company)
    casts["conditions"] = _cast(State.AUTHORITY_REVIEW, company)
    _tell_of_conditions(story, casts["conditions"])
    casts["revocation"] = _cast(State.APPROVED, company)
    _act(casts["revocation"], "propose_revocation", casts["revocation"].senior, grounds=DENIAL)
    for name in ("appealed", "heard", "questioned"):
        casts[name] = _cast(State.DENIED, company)
        text = "The session is not the purpose of my trip."
        _act(casts[name], "file_appeal", casts[name].applicant.user, text=text)
    _tell_of_a_hearing(casts["heard"], story.people["appeal"])
    _act(casts["questioned"], "hear_appeal", story.people["appeal"], no_conflict=True)
    _act(casts["questioned"], "ask_in_appeal", story.people["appeal"], text="Who cancelled it?")
    casts["revoking"] = _cast(State.APPROVED, company)
    _act(casts["revoking"], "propose_revocation", casts["revoking"].senior, grounds=DENIAL)
    _act(casts["revocation"], "reply", casts["revocation"].applicant.user, text="Please leave it in force.")
    casts["asked_other"] = _cast(State.AUTHORITY_REVIEW, company)
    me = casts["asked_other"].applicant.user
    _act(casts["asked_other"], "ask_other_reviewer", me, reason="We were rivals for the same post.")


def _tell_of_parts_and_specialists(story: Story, company: Any) -> None:
    """A part that is proposed; a specialist office that is asked, and one that has answered."""
    casts = story.casts
    casts["part"] = _cast(State.AUTHORITY_REVIEW, company)
    asked = casts["part"].request.revision
    assert asked is not None
    leg = asked.content["legs"][0]
    cleared = [leg | {"leaves_on": leg["arrives_on"]}]
    _act(casts["part"], "propose", casts["part"].reviewer, outcome="approved", grounds=DENIAL, cleared=cleared)
    office = OfficeFactory.create(
        code="ZJ",
        name_zh="专业审查办公室",
        name_en="Specialist review office",
        is_specialist=True,
        expertise_zh="大规模训练",
        expertise_en="Large-scale training",
    )
    story.people["specialist"] = posted(office, Role.REVIEWER, "0801", "Eva Expert")
    for name in ("restricted", "consulted", "advised"):
        cast = casts[name] = _cast(State.AUTHORITY_REVIEW, company)
        _act(cast, "change_tier", cast.reviewer, tier=Tier.RESTRICTED, reason="The programme names a closed session.")
        if name != "restricted":
            question = {"office_id": office.pk, "question": "Is the method of the list?"}
            _act(cast, "consult", cast.reviewer, **question)
    said = {"outcome": "favourable", "reasons": "All of it is published.", "confidential": "Entry 7."}
    _act(casts["advised"], "give_opinion", story.people["specialist"], **said)


def _tell_of_a_hearing(cast: Cast, ping: User) -> None:
    """An appeal with what is said and brought while it is heard."""
    me = cast.applicant.user
    _act(cast, "hear_appeal", ping, no_conflict=True)
    _act(cast, "add_to_appeal", me, files=[SimpleUploadedFile("programme.pdf", PDF)])
    today = timezone.localdate()
    _act(cast, "note_hearing", ping, held_on=today, heard="Alice Wang", text="The session was cancelled.")
    _act(cast, "comment_on_hearing", me, text="On the second day, not on the first.")


def _legs_of(request: TravelRequest) -> list[dict[str, Any]]:
    fields = ("country", "city", "arrives_on", "leaves_on", "host")
    return [{name: getattr(leg, name) for name in fields} for leg in request.itinerary]


def _tell_of_people(story: Story, company: Any, office: Any) -> None:
    people = story.people
    people["officer"] = officer_of(company, "Olivia Officer")
    people["reviewer"] = posted(office, Role.REVIEWER, "4100", "Rui Reviewer")
    people["senior"] = posted(office, Role.SENIOR, "5100", "Shan Senior")
    Absence.objects.create(
        user=posted(office, Role.REVIEWER, "4200", "Ren Reviewer"),
        office=office,
        deputy=people["reviewer"],
        starts_at=timezone.now() - timedelta(days=1),
        ends_at=timezone.now() + timedelta(days=13),
    )
    people["administrator"] = with_role(Role.ADMINISTRATOR, "Ada Admin")
    people["auditor"] = with_role(Role.AUDITOR, "Aurel Auditor")
    people["list_manager"] = with_role(Role.LIST_MANAGER, "Lin Lists")
    people["stranger"] = UserFactory.create(name="Stella Stranger")
    for name in ("administrator", "list_manager"):
        people[name].is_staff = True
        people[name].save()
    assert company.pk
    story.paths["company"] = str(company.pk)
    story.paths["project"] = str(Project.objects.create(company=company, code="P1", name="检索 Retrieval").pk)
    story.paths["employee"] = str(Employee.unscoped.order_by("pk").first().pk)  # type: ignore[union-attr]
    # Signing in would make the link worthless, so it is somebody who does not.
    forgetful = UserFactory.create(name="Fay Forgetful")
    story.paths["reset_key"] = f"{user_pk_to_url_str(forgetful)}-{default_token_generator.make_token(forgetful)}"


def _tell_of_lists(story: Story) -> None:
    """A list in force with a draft, one in review that others wrote, one that is confidential, one without versions."""
    now = timezone.now()
    mine, other = actor(story.people["list_manager"], now), list_manager("Pan Publisher", at=now)
    technologies = SensitivityList.objects.get(kind=ListKind.TECHNOLOGY)
    below = entry_values("cs.IR.RAG", 3, parent="cs.IR", label_zh="检索增强", label_en="Augmented", aliases=["RAG"])
    drafted_list = drafted(technologies, [below, entry_values("cs.RO", valid_until="2024-12-31")], by=mine, at=now)
    entry = entry_of(drafted_list, "cs.IR")
    drafting.change(drafted_list.pk, entry.lineage, actor=mine, at=now, edit=entry.edit, values={"level": 2})
    events = sensitivity_list(ListKind.EVENT, owner=other, at=now)
    reviewed = drafted(events, [entry_values("ICLR", 2, country="BR")], by=other, at=now)
    publishing.submit_for_review(reviewed.pk, actor=other, at=now)
    rehearsed(reviewed, by=other, at=now)
    secret = entry_values("P1", company_id=int(story.paths["company"]))
    list_in_force(ListKind.PROJECT, secret, at=now - timedelta(days=20), confidential=True)
    sensitivity_list(ListKind.DESTINATION, owner=mine, at=now)
    story.paths |= {
        "list": str(technologies.pk),
        "lineage": str(entry.lineage),
        "list_reviewed": str(events.pk),
        "lineage_reviewed": str(entry_of(reviewed, "ICLR").lineage),
    }


_SENT = {
    "changing": "code,level,label_zh,label_en,reason_zh,reason_en,parent,misspelt\n"
    "cs.IR,3,大规模检索,Retrieval at scale,需要评估。,Needs a look.,,x\n"
    "cs.NE,2,神经与进化计算,Evolution,需要评估。,Needs a look.,cs.IR,x\n",
    "mistaken": "code,level,parent\ncs.IR,7,cs.IR\ncs.NE,,\n",
    "unreadable": "name,price\nx,1\n",
    "same": "code\ncs.IR\n",
    "waiting": "code\ncs.IR\n",
}


def _tell_of_files(story: Story) -> None:
    """Files for the draft: one that changes it, one with mistakes, one that is no list, one that is being read; and
    one that the worker could not read."""
    now = timezone.now()
    mine = actor(story.people["list_manager"], now)
    draft = SensitivityList.objects.get(pk=story.paths["list"]).versions.get(number=2)
    for name, text in _SENT.items():
        file = SimpleUploadedFile("entries.csv", text.encode())
        run = importing.receive(draft.pk, actor=mine, at=now, file=file, mode="replace" if name == "same" else "merge")
        assert run.job_id is not None
        while name != "waiting" and work.run_batch(run.job_id, at=now):
            pass
        story.paths |= {f"file_{name}": str(run.pk), f"job_{name}": str(run.job_id)}
    failed = {"state": Job.State.FAILED, "last_error": "OSError: No space left on device", "ended_at": now}
    Job.objects.create(kind=importing.READ, by_id=mine.user_id, at=now, **failed)


def _token(cast: Cast) -> str:
    """What the holder of this clearance shows."""
    assert cast.request.decision is not None
    clearance = clearances.issue(cast.request, cast.request.decision, at=timezone.now())
    assert clearance is not None
    return clearance.token


def _tell_of_what_is_held(story: Story) -> None:
    cast = story.casts["approved"]
    assert cast.applicant.user is not None
    at = timezone.now()
    me = actor(cast.applicant.user, at)
    row = corrections.ask(
        actor=me,
        at=at,
        about="request",
        subject=cast.request.reference,
        what="ICLR Foundation",
        should_be="ICLR",
        why="ICLR",
    )
    story.paths["correction"] = str(row.pk)
    download.ask(actor=me, at=at)


def _tell_of_matches(story: Story, company: Any) -> None:
    """Of names that resemble listed ones, one open and one of a confidential list; of one that was answered, and a tier
    that was changed. A list asks for states of the United States."""
    at = timezone.now() - timedelta(days=29)
    list_in_force(ListKind.DESTINATION, entry_values("US-CA", 1, label_zh="加利福尼亚州", label_en="California"), at=at)
    names = {"label_zh": "北风计算实验室", "label_en": "Northwind Compute Laboratory", "country": "NO"}
    list_in_force(ListKind.ORGANISATION, entry_values("NWC", 2, **names), at=at)
    names = {"label_zh": "南湾光子学研究所", "label_en": "South Bay Photonics Institute", "country": "CA"}
    list_in_force(ListKind.ORGANISATION, entry_values("SBP", 2, **names), at=at, confidential=True)
    for name, host in (("resembling", "Northwind Compute Laboratories"), ("secret", "South Bay Photonics Institute")):
        first = timezone.localdate() + timedelta(days=42)
        leg = {"country": "US", "subdivision": "US-CA", "city": "San Jose", "host": host, "arrives_on": first}
        legs = [leg | {"leaves_on": first + timedelta(days=6)}]
        employee = employ("Alice Wang", company)
        yesterday = timezone.now() - timedelta(days=1)
        story.casts[name] = in_state(State.AUTHORITY_REVIEW, employee=employee, at=yesterday, title=TITLE, legs=legs)
    secret = story.casts["secret"]
    _act(secret, "change_tier", secret.senior, tier=Tier.STANDARD, reason="To see who the host is.")


def _tell_of_rehearsals(story: Story, elsewhere: Any) -> None:
    """Of one draft: a rehearsal that is done, one that waits, one that ended early. And a list that came into force
    after cases were assessed."""
    now = timezone.now()
    mine = list_manager("Rita Rehearser", at=now)
    name = {"label_zh": "国际学习表征会议基金会", "label_en": "ICLR Foundation"}
    draft = drafted(
        sensitivity_list(ListKind.EVENT, owner=mine, at=now, name_zh="活动清单", name_en="Sensitive events"),
        [entry_values("E-1", 3, label_zh="ICLR", label_en="ICLR")],
        by=mine,
        at=now,
    )
    runs = []
    for days in (30, 60, 90):
        run = rehearsal.start(draft.pk, actor=mine, at=now, days=days)
        assert run.job_id is not None
        if days == 60:
            drafting.add(draft.pk, actor=mine, at=now, values=entry_values("E-2", label_zh="会议", label_en="Meeting"))
        while days != 90 and work.run_batch(run.job_id, at=now):
            pass
        runs.append(run)
    list_in_force(ListKind.ORGANISATION, entry_values("O-1", 2, **name), at=now)
    story.people["senior_elsewhere"] = posted(elsewhere, Role.SENIOR, "7002", "Song Senior")
    story.paths |= {
        "rehearsed_list": str(draft.list_id),
        "rehearsal_done": str(runs[0].pk),
        "rehearsal_ended": str(runs[1].pk),
        "rehearsal_waits": str(runs[2].pk),
    }


def _give_up_a_mail() -> None:
    mail = Notification.objects.filter(channel=Channel.MAIL).first()
    assert mail is not None, "nobody was told anything"
    Notification.objects.filter(pk=mail.pk).update(next_attempt_at=None, done_at=None, last_error="550 no such mailbox")


def _publish_figures() -> None:
    """A quarter of large offices, published and corrected."""
    at = timezone.now()
    QuarterFigures.objects.create(quarter="2025Q4", version=1, published_at=at, data=published_by(large(1)))
    QuarterFigures.objects.create(
        quarter="2025Q4",
        version=2,
        published_at=at,
        reason_zh="补充了一个办公室的数据。",
        reason_en="An office was missing.",
        data=published_by(large(2)),
    )


def _have_an_address_fail(story: Story) -> None:
    somebody = story.people["newcomer"]
    for days in range(addresses.REFUSALS, 0, -1):
        addresses.refused(somebody, said="550 no such mailbox", at=timezone.now() - timedelta(days=days))
    story.paths["address"] = tokens.address_path(somebody.pk, somebody.email)
    story.paths["unsubscribe"] = urlsplit(tokens.unsubscribe_url(somebody.pk, ["progress", "cases"])).path


# ── pages ───────────────────────────────────────────────────────────────────────────────────────────────────────────

Who = Callable[[Story], User | None]


@dataclass(frozen=True, slots=True)
class Visit:
    """Somebody opens a page; `send` then presses its last button, so that its mistakes are shown."""

    who: Who
    path: Callable[[Story], str]
    send: bool = False


def nobody(story: Story) -> User | None:
    return None


def person(name: str) -> Who:
    return lambda story: story.people[name]


def of(case: str, part: str) -> Who:
    """Somebody of a cast: applicant, officer, reviewer, senior, second_senior."""

    def found(story: Story) -> User | None:
        somebody = getattr(story.casts[case], part)
        return somebody.user if isinstance(somebody, Employee) else somebody  # type: ignore[no-any-return]

    return found


def at(path: str) -> Callable[[Story], str]:
    """A path, with {names} of `Story.paths`."""
    return lambda story: path.format(**story.paths)


def on(case: str, path: str) -> Callable[[Story], str]:
    """A path about the request `case`, whose number stands for {}."""
    return lambda story: path.format(story.reference(case))


def verb(case: str, name: str, who: Who, *, send: bool = False) -> Visit:
    """The page of a verb."""
    return Visit(who, on(case, f"/requests/{{}}/do/{name}/"), send)


def _bulk(story: Story) -> str:
    where = {"desk": f"office-{story.casts['untaken'].request.office_id}", "tab": "unassigned"}
    return "/inbox/bulk/?" + urlencode({"from": urlencode(where), "do": "take", "r": story.reference("untaken")})


def _desk(kind: str, tab: str) -> Callable[[Story], str]:
    def path(story: Story) -> str:
        request = story.casts["untaken"].request
        scope = request.company_id if kind == "company" else request.office_id
        return "/inbox/?" + urlencode({"desk": f"{kind}-{scope}", "tab": tab})

    return path


ME = {state: of(state, "applicant") for state in State}
OPEN_DRAFT = of("ready", "applicant")
SECTIONS = ("trip", "itinerary", "topics", "documents", "declarations")

PAGES: Mapping[str, Visit] = {
    # ── anybody ──
    "criteria": Visit(nobody, at("/criteria/")),
    "criteria-entries": Visit(nobody, at("/criteria/?list={list}")),
    "grounds": Visit(nobody, at("/grounds/")),
    "ground": Visit(nobody, at("/grounds/T1/")),
    "figures": Visit(nobody, at("/figures/")),
    "figures-corrected": Visit(nobody, at("/figures/?quarter=2025Q4&version=1")),
    "criteria-what-if": Visit(nobody, at("/criteria/what-if/")),
    "criteria-what-if-mistaken": Visit(nobody, at("/criteria/what-if/"), send=True),
    "verify": Visit(nobody, at("/verify/")),
    "verify-empty": Visit(nobody, at("/verify/"), send=True),
    "verify-unknown": Visit(nobody, at("/verify/of-nobody/")),
    "verify-valid": Visit(nobody, at("/verify/{token}/")),
    # ── the account ──
    "sign-in": Visit(nobody, at("/accounts/login/")),
    "sign-in-mistaken": Visit(nobody, at("/accounts/login/"), send=True),
    "sign-up-closed": Visit(nobody, at("/accounts/signup/")),
    "reset": Visit(nobody, at("/accounts/password/reset/")),
    "reset-sent": Visit(nobody, at("/accounts/password/reset/done/")),
    "reset-key": Visit(nobody, at("/accounts/password/reset/key/{reset_key}/")),
    "reset-key-used": Visit(nobody, at("/accounts/password/reset/key/1-used/")),
    "reset-done": Visit(nobody, at("/accounts/password/reset/key/done/")),
    "inactive": Visit(nobody, at("/accounts/inactive/")),
    "not-found": Visit(nobody, at("/no/such/page/")),
    "cut-off-link": Visit(nobody, at("/notifications/unsubscribe/nonsense/")),
    "password": Visit(person("officer"), at("/accounts/password/change/")),
    "password-mistaken": Visit(person("officer"), at("/accounts/password/change/"), send=True),
    "email": Visit(person("officer"), at("/accounts/email/")),
    "two-step": Visit(person("officer"), at("/accounts/2fa/")),
    "sign-out": Visit(person("officer"), at("/accounts/logout/")),
    "reauthenticate": Visit(person("officer"), at("/accounts/reauthenticate/")),
    "no-role": Visit(person("stranger"), at("/")),
    "forbidden": Visit(person("stranger"), at("/inbox/")),
    "notifications": Visit(ME[State.APPROVED], at("/notifications/")),
    "preferences": Visit(ME[State.APPROVED], at("/notifications/preferences/")),
    "preferences-reviewer": Visit(person("reviewer"), at("/notifications/preferences/")),
    "preferences-failing": Visit(person("newcomer"), at("/notifications/preferences/")),
    "calendar-address": Visit(person("officer"), at("/notifications/preferences/"), send=True),
    "unsubscribe": Visit(nobody, at("{unsubscribe}")),
    "unsubscribed": Visit(nobody, at("{unsubscribe}"), send=True),
    "address": Visit(nobody, at("{address}")),
    "notifications-failing": Visit(person("newcomer"), at("/notifications/")),
    "notifications-none": Visit(person("stranger"), at("/notifications/")),
    # ── the applicant ──
    "home-applicant": Visit(ME[State.INFORMATION_REQUESTED], at("/")),
    "home-newcomer": Visit(person("newcomer"), at("/")),
    "requests": Visit(ME[State.DECISION_PROPOSED], at("/requests/")),
    "requests-none": Visit(person("newcomer"), at("/requests/")),
    "request-new": Visit(person("newcomer"), at("/requests/new/")),
    "tasks-begun": Visit(person("beginner"), at("/requests/{begun}/edit/")),
    "tasks-ready": Visit(OPEN_DRAFT, on("ready", "/requests/{}/edit/")),
    "tasks-returned": Visit(ME[State.RETURNED], on("returned", "/requests/{}/edit/")),
    **{f"section-{name}": Visit(OPEN_DRAFT, on("ready", f"/requests/{{}}/edit/{name}/")) for name in SECTIONS},
    **{
        f"section-{name}-begun": Visit(person("beginner"), at(f"/requests/{{begun}}/edit/{name}/?check=1"))
        for name in SECTIONS
    },
    "attachment-remove": Visit(OPEN_DRAFT, lambda story: _removal(story)),
    "check-begun": Visit(person("beginner"), at("/requests/{begun}/check/")),
    "check-ready": Visit(OPEN_DRAFT, on("ready", "/requests/{}/check/")),
    "submitted": Visit(ME[State.COMPANY_REVIEW], on("company_review", "/requests/{}/submitted/")),
    **{
        f"request-{state}": Visit(ME[state], on(state, "/requests/{}/"))
        for state in State
        if state not in (State.DRAFT,)
    },
    "request-conditions": Visit(of("conditions", "applicant"), on("conditions", "/requests/{}/")),
    "request-replied": Visit(of("replied", "applicant"), on("replied", "/requests/{}/")),
    "request-resubmitted": Visit(of("resubmitted", "applicant"), on("resubmitted", "/requests/{}/")),
    "request-appealed": Visit(of("appealed", "applicant"), on("appealed", "/requests/{}/")),
    "do-withdraw": verb("company_review", "withdraw", ME[State.COMPANY_REVIEW]),
    "do-answer": verb("information_requested", "answer", ME[State.INFORMATION_REQUESTED]),
    **{
        f"answer-{name}": Visit(
            ME[State.INFORMATION_REQUESTED], on("information_requested", f"/requests/{{}}/answer/{path}")
        )
        for name, path in (("list", ""), ("item", "1/"), ("check", "check/"))
    },
    "answer-item-mistaken": Visit(
        ME[State.INFORMATION_REQUESTED], on("information_requested", "/requests/{}/answer/1/"), send=True
    ),
    "conditions": Visit(of("conditions", "applicant"), on("conditions", "/requests/{}/conditions/")),
    "condition": Visit(of("conditions", "applicant"), at("{condition}")),
    "condition-mistaken": Visit(of("conditions", "applicant"), at("{condition}"), send=True),
    "do-cannot_comply": verb("conditions", "cannot_comply", of("conditions", "applicant")),
    "do-report_condition": verb("conditions", "report_condition", of("conditions", "applicant")),
    "do-release_condition": verb("conditions", "release_condition", of("conditions", "reviewer")),
    "do-send_back_condition": verb("conditions", "send_back_condition", of("conditions", "reviewer"), send=True),
    "do-answer_condition": verb("conditions", "answer_condition", of("conditions", "reviewer"), send=True),
    "case-conditions": Visit(of("conditions", "reviewer"), on("conditions", "/cases/{}/")),
    "amendment": Visit(ME[State.APPROVED], on("approved", "/requests/{}/change/")),
    "amendment-written": Visit(of("changing", "applicant"), on("changing", "/requests/{}/change/")),
    "amendment-mistaken": Visit(of("changing", "applicant"), on("changing", "/requests/{}/change/"), send=True),
    **{
        f"amendment-{section}": Visit(of("changing", "applicant"), on("changing", f"/requests/{{}}/change/{section}/"))
        for section in ("itinerary", "change", "topics")
    },
    "request-changed": Visit(of("changed", "applicant"), on("changed", "/requests/{}/")),
    "case-recommended": Visit(of("recommended", "senior"), on("recommended", "/cases/{}/")),
    "do-amend": verb("company_review", "amend", ME[State.COMPANY_REVIEW]),
    "do-file_amendment": verb("approved", "file_amendment", ME[State.APPROVED]),
    "do-report_change": verb("away", "report_change", of("away", "applicant")),
    "do-note_report": verb("reported", "note_report", of("reported", "reviewer")),
    "case-reported": Visit(of("reported", "reviewer"), on("reported", "/cases/{}/")),
    "do-recommend_amendment": verb("heightened", "recommend_amendment", of("heightened", "reviewer")),
    "do-withdraw_amendment": verb("changed", "withdraw_amendment", of("changed", "applicant")),
    "do-accept_amendment": verb("recommended", "accept_amendment", of("recommended", "senior")),
    "do-return_amendment": verb("changed", "return_amendment", of("changed", "reviewer"), send=True),
    "do-propose_part": verb("authority_review", "propose_part", of("authority_review", "reviewer")),
    "do-propose_part-mistaken": verb("authority_review", "propose_part", of("authority_review", "reviewer"), send=True),
    "do-consult": verb("restricted", "consult", of("restricted", "reviewer")),
    "do-give_opinion": verb("consulted", "give_opinion", person("specialist")),
    "request-part": Visit(of("part", "applicant"), on("part", "/requests/{}/")),
    "case-part": Visit(of("part", "senior"), on("part", "/cases/{}/")),
    "case-consulted": Visit(person("specialist"), on("consulted", "/cases/{}/")),
    "case-advised": Visit(of("advised", "reviewer"), on("advised", "/cases/{}/")),
    "request-advised": Visit(of("advised", "applicant"), on("advised", "/requests/{}/")),
    "inbox-consulted": Visit(person("specialist"), at("/inbox/?tab=consulted")),
    "do-reply": verb("decision_proposed", "reply", ME[State.DECISION_PROPOSED]),
    "do-refer": verb("company_declined", "refer", ME[State.COMPANY_DECLINED]),
    "do-reopen": verb("lapsed", "reopen", ME[State.LAPSED]),
    "request-heard": Visit(of("heard", "applicant"), on("heard", "/requests/{}/")),
    "request-revocation": Visit(of("revoking", "applicant"), on("revoking", "/requests/{}/")),
    "do-reply-revocation": verb("revoking", "reply", of("revoking", "applicant")),
    "do-ask_other_reviewer": verb("authority_review", "ask_other_reviewer", ME[State.AUTHORITY_REVIEW], send=True),
    "do-answer_in_appeal": verb("questioned", "answer_in_appeal", of("questioned", "applicant"), send=True),
    "do-comment_on_hearing": verb("heard", "comment_on_hearing", of("heard", "applicant")),
    "do-add_to_appeal": verb("heard", "add_to_appeal", of("heard", "applicant"), send=True),
    "do-withdraw_appeal": verb("appealed", "withdraw_appeal", of("appealed", "applicant")),
    "do-file_appeal": verb("denied", "file_appeal", ME[State.DENIED]),
    "do-close": verb("approved", "close", ME[State.APPROVED]),
    "do-too-late": verb("withdrawn", "withdraw", ME[State.WITHDRAWN]),
    # ── the company ──
    "home-officer": Visit(person("officer"), at("/")),
    "inbox-officer": Visit(person("officer"), at("/inbox/")),
    "inbox-officer-all": Visit(person("officer"), _desk("company", "all")),
    "inbox-officer-nothing": Visit(person("officer"), at("/inbox/?q=nobody")),
    "request-officer": Visit(of("company_review", "officer"), on("company_review", "/requests/{}/")),
    "do-endorse": verb("company_review", "endorse", of("company_review", "officer")),
    "do-return": verb("company_review", "return_for_changes", of("company_review", "officer"), send=True),
    "do-decline": verb("company_review", "decline", of("company_review", "officer")),
    "do-object": verb("urgent", "object", of("urgent", "officer")),
    "employees": Visit(person("officer"), at("/employees/")),
    "employee-new": Visit(person("officer"), at("/employees/new/")),
    "employee-new-mistaken": Visit(person("officer"), at("/employees/new/"), send=True),
    "employee": Visit(person("officer"), at("/employees/{employee}/")),
    "company": Visit(person("officer"), at("/companies/{company}/")),
    "project": Visit(person("officer"), at("/companies/{company}/projects/{project}/")),
    # ── the office ──
    "home-reviewer": Visit(person("reviewer"), at("/")),
    "inbox-reviewer": Visit(person("reviewer"), at("/inbox/")),
    "inbox-reviewer-mine": Visit(person("reviewer"), _desk("office", "mine")),
    "inbox-reviewer-all": Visit(person("reviewer"), _desk("office", "all")),
    "inbox-bulk": Visit(person("reviewer"), _bulk),
    "request-counted": Visit(of("counted", "applicant"), on("counted", "/requests/{}/")),
    "consistency": Visit(person("senior"), at("/consistency/")),
    "appeals": Visit(person("senior"), at("/appeals/")),
    "do-keep_reviewer": verb("asked_other", "keep_reviewer", of("asked_other", "senior")),
    "do-reject_revocation": verb("revocation", "reject_revocation", of("revocation", "second_senior"), send=True),
    "do-ask_in_appeal": verb("heard", "ask_in_appeal", person("appeal"), send=True),
    "do-note_hearing": verb("heard", "note_hearing", person("appeal"), send=True),
    "case-heard": Visit(person("appeal"), on("heard", "/cases/{}/")),
    "caseload": Visit(person("senior"), at("/caseload/")),
    "absences": Visit(person("senior"), at("/absences/")),
    "absences-mistaken": Visit(person("senior"), at("/absences/"), send=True),
    "absences-alone": Visit(person("appeal"), at("/absences/")),
    "case-untaken": Visit(person("reviewer"), on("untaken", "/cases/{}/")),
    "case-mine": Visit(of("authority_review", "reviewer"), on("authority_review", "/cases/{}/")),
    "case-late": Visit(of("late", "reviewer"), on("late", "/cases/{}/")),
    "case-resubmitted": Visit(of("resubmitted", "reviewer"), on("resubmitted", "/cases/{}/")),
    "case-denied": Visit(of("denied", "reviewer"), on("denied", "/cases/{}/")),
    "case-resembling": Visit(of("resembling", "reviewer"), on("resembling", "/cases/{}/")),
    "case-secret": Visit(of("secret", "reviewer"), on("secret", "/cases/{}/")),
    "request-resembling": Visit(of("resembling", "applicant"), on("resembling", "/requests/{}/")),
    "request-secret": Visit(of("secret", "applicant"), on("secret", "/requests/{}/")),
    "do-judge_match": verb("resembling", "judge_match", of("resembling", "reviewer")),
    "do-judge_match-mistaken": verb("resembling", "judge_match", of("resembling", "reviewer"), send=True),
    "do-change_tier": verb("resembling", "change_tier", of("resembling", "senior")),
    "do-reassess": verb("authority_review", "reassess", of("authority_review", "senior")),
    "do-take": verb("untaken", "take", person("reviewer")),
    "do-approve": verb("authority_review", "approve", of("authority_review", "reviewer")),
    "do-propose": verb("authority_review", "propose", of("authority_review", "reviewer")),
    "do-propose_denial": verb("authority_review", "propose_denial", of("authority_review", "reviewer")),
    "do-propose_denial-mistaken": verb(
        "authority_review", "propose_denial", of("authority_review", "reviewer"), send=True
    ),
    "do-ask_information": verb("authority_review", "ask_information", of("authority_review", "reviewer")),
    "do-recuse": verb("authority_review", "recuse", of("authority_review", "reviewer")),
    "home-senior": Visit(person("senior"), at("/")),
    "inbox-senior-confirm": Visit(person("senior"), _desk("office", "confirm")),
    "case-proposed": Visit(of("replied", "senior"), on("replied", "/cases/{}/")),
    "do-confirm": verb("replied", "confirm", of("replied", "senior")),
    "do-reject_proposal": verb("replied", "reject_proposal", of("replied", "senior")),
    "do-extend": verb("authority_review", "extend", of("authority_review", "senior")),
    "do-hand_over": verb("authority_review", "hand_over", of("authority_review", "senior")),
    "do-propose_revocation": verb("approved", "propose_revocation", of("approved", "senior")),
    "do-revoke": verb("revocation", "revoke", of("revocation", "second_senior")),
    # ── the appeal ──
    "home-appeal": Visit(person("appeal"), at("/")),
    "inbox-appeal": Visit(person("appeal"), at("/inbox/")),
    "case-appealed": Visit(person("appeal"), on("appealed", "/cases/{}/")),
    "do-hear_appeal": verb("appealed", "hear_appeal", person("appeal")),
    "do-overturn": verb("heard", "overturn", person("appeal")),
    "do-uphold": verb("heard", "uphold", person("appeal")),
    # ── the installation ──
    "home-administrator": Visit(person("administrator"), at("/")),
    "overview": Visit(person("administrator"), at("/overview/")),
    "operations": Visit(person("administrator"), at("/operations/")),
    "failures": Visit(person("administrator"), at("/notifications/failures/")),
    "styleguide": Visit(person("administrator"), at("/styleguide/")),
    "home-auditor": Visit(person("auditor"), at("/")),
    "overview-auditor": Visit(person("auditor"), at("/overview/")),
    "request-auditor": Visit(person("auditor"), on("denied", "/requests/{}/")),
    "home-list-manager": Visit(person("list_manager"), at("/")),
    # ── lists ──
    "lists": Visit(person("list_manager"), at("/lists/")),
    "lists-auditor": Visit(person("auditor"), at("/lists/")),
    "list-new": Visit(person("list_manager"), at("/lists/new/")),
    "list-new-mistaken": Visit(person("list_manager"), at("/lists/new/"), send=True),
    "list": Visit(person("list_manager"), at("/lists/{list}/")),
    "list-settings": Visit(person("list_manager"), at("/lists/{list}/settings/")),
    "version-tree": Visit(person("list_manager"), at("/lists/{list}/versions/2/")),
    "version-table": Visit(person("list_manager"), at("/lists/{list}/versions/2/?view=table")),
    "version-nothing": Visit(person("list_manager"), at("/lists/{list}/versions/2/?q=nothing")),
    "version-reviewed": Visit(person("list_manager"), at("/lists/{list_reviewed}/versions/1/")),
    "version-auditor": Visit(person("auditor"), at("/lists/{list}/versions/1/")),
    "version-diff": Visit(person("list_manager"), at("/lists/{list}/diff/1/2/")),
    "entry": Visit(person("list_manager"), at("/lists/{list}/versions/2/entries/{lineage}/")),
    "entry-remove": Visit(person("list_manager"), at("/lists/{list}/versions/2/entries/{lineage}/?remove=1")),
    "entry-read": Visit(person("auditor"), at("/lists/{list_reviewed}/versions/1/entries/{lineage_reviewed}/")),
    "entry-new": Visit(person("list_manager"), at("/lists/{list}/versions/2/entries/new/")),
    "entry-new-mistaken": Visit(person("list_manager"), at("/lists/{list}/versions/2/entries/new/"), send=True),
    **{
        f"version-do-{name}": Visit(person("list_manager"), at(f"/lists/{{{of}}}/versions/{number}/do/{name}/"))
        for name, of, number in (
            ("submit_for_review", "list", 2),
            ("discard", "list", 2),
            ("publish", "list_reviewed", 1),
            ("send_back", "list_reviewed", 1),
            ("renew", "list", 1),
        )
    },
    "version-do-refused": Visit(person("list_manager"), at("/lists/{list}/versions/2/do/publish/")),
    # ── lists, from files ──
    "import-new": Visit(person("list_manager"), at("/lists/{list}/versions/2/import/")),
    "import-new-mistaken": Visit(person("list_manager"), at("/lists/{list}/versions/2/import/"), send=True),
    "import-not-now": Visit(person("list_manager"), at("/lists/{list}/versions/1/import/")),
    "import": Visit(person("list_manager"), at("/lists/imports/{file_changing}/")),
    "import-changed": Visit(person("list_manager"), at("/lists/imports/{file_changing}/?verdict=changed")),
    "import-removed": Visit(person("list_manager"), at("/lists/imports/{file_same}/?verdict=removed")),
    "import-errors": Visit(person("list_manager"), at("/lists/imports/{file_mistaken}/")),
    "import-refused": Visit(person("list_manager"), at("/lists/imports/{file_unreadable}/")),
    "import-waits": Visit(person("list_manager"), at("/lists/imports/{file_waiting}/")),
    "import-auditor": Visit(person("auditor"), at("/lists/imports/{file_changing}/")),
    "job": Visit(person("list_manager"), at("/jobs/{job_waiting}/")),
    "job-done": Visit(person("list_manager"), at("/jobs/{job_changing}/")),
    "my-data": Visit(of("approved", "applicant"), at("/my-data/")),
    "corrections": Visit(of("approved", "applicant"), at("/corrections/")),
    "corrections-none": Visit(person("newcomer"), at("/corrections/")),
    "correction": Visit(of("approved", "applicant"), at("/corrections/{correction}/")),
    "correction-to-answer": Visit(of("approved", "senior"), at("/corrections/{correction}/")),
    "correction-new": Visit(of("approved", "applicant"), at("/corrections/new/")),
    "correction-new-mistaken": Visit(of("approved", "applicant"), at("/corrections/new/"), send=True),
    "retention": Visit(person("administrator"), at("/retention/")),
    "retention-auditor": Visit(person("auditor"), at("/retention/")),
    "jobs": Visit(person("administrator"), at("/jobs/")),
    "jobs-auditor": Visit(person("auditor"), at("/jobs/")),
    # ── lists, in terms of requests ──
    "rehearsals": Visit(person("list_manager"), at("/lists/{rehearsed_list}/versions/1/rehearsals/")),
    "rehearsals-none": Visit(person("auditor"), at("/lists/{list}/versions/1/rehearsals/")),
    "rehearsal": Visit(person("list_manager"), at("/lists/rehearsals/{rehearsal_done}/")),
    "rehearsal-waits": Visit(person("list_manager"), at("/lists/rehearsals/{rehearsal_waits}/")),
    "rehearsal-ended": Visit(person("list_manager"), at("/lists/rehearsals/{rehearsal_ended}/")),
    "effects": Visit(person("senior"), at("/inbox/lists/")),
    "effects-none": Visit(person("senior_elsewhere"), at("/inbox/lists/")),
}


def _removal(story: Story) -> str:
    return f"/requests/{story.reference('ready')}/documents/{story.paths['attachment']}/remove/"
