"""The accounts of the demonstration that a person signs in with: one for each role, one password for all."""

from dataclasses import dataclass

from accounts.models import User
from accounts.roles import Role

PASSWORD = "exit-approvals-demo"  # noqa: S105 known to everybody; the demonstration is refused outside development
DOMAIN = "demo.example"


@dataclass(frozen=True, slots=True)
class Account:
    """One line of the table that is printed at every start."""

    role: Role
    email: str
    name_zh: str
    name_en: str
    look_at: str

    @property
    def name(self) -> str:
        return f"{self.name_zh} {self.name_en}"


def _account(role: Role, local: str, name_zh: str, name_en: str, look_at: str) -> Account:
    return Account(role, f"{local}@{DOMAIN}", name_zh, name_en, look_at)


SPECIALIST = _account(
    Role.REVIEWER, "specialist", "江研", "Jiang Yan", "cases on which other offices ask for an expert's opinion"
)

ACCOUNTS = (
    _account(
        Role.APPLICANT, "applicant", "林䶮", "Lin Yan", "a draft, a question to answer, a proposed denial to reply to"
    ),
    _account(Role.OFFICER, "officer", "周敏", "Zhou Min", "the inbox of a company, its employees"),
    _account(Role.REVIEWER, "reviewer", "何卫", "He Wei", "the inbox of the Haidian office; take a case, decide"),
    SPECIALIST,
    _account(Role.SENIOR, "senior", "秦岚", "Qin Lan", "proposals to confirm, late cases, what new lists change"),
    _account(Role.HEAD, "head", "郭正", "Guo Zheng", "overdue cases of the office"),
    _account(Role.APPEAL_REVIEWER, "appeal", "沈思", "Shen Si", "appeals against decisions of the other offices"),
    _account(
        Role.LIST_MANAGER,
        "lists",
        "唐韵",
        "Tang Yun",
        "sensitivity lists: a draft, a renewal, a version that ends soon",
    ),
    _account(Role.LIST_MANAGER, "publisher", "方宁", "Fang Ning", "a version in review, to publish or to send back"),
    _account(Role.ADMINISTRATOR, "admin", "许安", "Xu An", "offices, accounts, calendars, clock policies (/admin/)"),
    _account(Role.AUDITOR, "auditor", "贺明", "He Ming", "everything, to read"),
)


def is_loaded() -> bool:
    """Whether this installation holds the demonstration."""
    return User.objects.filter(email=ACCOUNTS[0].email).exists()


def accounts() -> tuple[Account, ...]:
    """The accounts to sign in with, in the order of the rule book; none where the demonstration was not loaded."""
    return ACCOUNTS if is_loaded() else ()
