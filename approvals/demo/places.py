"""Offices, companies, people and law of the demonstration: everything that is there before the first request."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

from django.contrib.auth.hashers import make_password
from stdnum.cn import uscc

from accounts.models import RoleAssignment, User
from accounts.roles import Role
from approvals.demo import grounds, lists, names
from approvals.demo.printed import ACCOUNTS, PASSWORD, SPECIALIST, Account
from authorities.models import Office, Posting
from companies.models import Company, Membership, Project
from employees.models import Employee, ProjectAssignment, TravelDocument

EMPLOYEES = 200
SINCE = datetime(2021, 1, 4, tzinfo=UTC)

# code, name zh, name en, city, address, telephone, first officer number
_OFFICES = (
    ("BJ-HD", "海淀办公室", "Haidian office", "Beijing", "北京市海淀区示例路1号", "+86 10 5550 0101", 400),
    ("SH-PD", "浦东办公室", "Pudong office", "Shanghai", "上海市浦东新区示例路2号", "+86 21 5550 0202", 500),
    ("SZ-NS", "南山办公室", "Nanshan office", "Shenzhen", "深圳市南山区示例路3号", "+86 755 5550 0303", 600),
)
# domain, name zh, name en, office, code of the place in the unified social credit code
_COMPANIES = (
    ("tianshu", "天枢智能科技有限公司", "Tianshu Intelligence", 0, "110108"),
    ("mingyan", "明砚大模型有限公司", "Mingyan Models", 0, "110108"),
    ("lantu", "澜图视觉技术有限公司", "Lantu Vision", 1, "310115"),
    ("yunque", "云雀语音技术有限公司", "Yunque Speech", 1, "310115"),
    ("tuochuan", "拓川机器人有限公司", "Tuochuan Robotics", 2, "440305"),
    ("hengyun", "衡云算力有限公司", "Hengyun Compute", 2, "440305"),
)
_POSITIONS = (
    "算法研究员 Research scientist",
    "机器学习工程师 Machine learning engineer",
    "系统架构师 Systems architect",
    "数据工程师 Data engineer",
    "产品经理 Product manager",
    "芯片设计工程师 Chip designer",
    "安全研究员 Security researcher",
    "技术总监 Technical director",
)
_OFFICE_STAFF = ((Role.HEAD, 1), (Role.SENIOR, 2), (Role.REVIEWER, 4), (Role.APPEAL_REVIEWER, 2))


@dataclass
class Staff:
    """The people of one office."""

    office: Office
    by_role: dict[Role, list[User]] = field(default_factory=dict)


@dataclass
class Places:
    """Who can play a part in a story."""

    offices: dict[int, Staff] = field(default_factory=dict)
    officers: dict[int, list[User]] = field(default_factory=dict)
    employees: list[Employee] = field(default_factory=list)
    featured: Employee | None = None
    companies: dict[str, Company] = field(default_factory=dict)
    projects: dict[int, str] = field(default_factory=dict)
    list_managers: list[User] = field(default_factory=list)
    specialists: Staff | None = None

    def domain(self, company_id: int) -> str:
        """The domain of a company."""
        return next(domain for domain, company in self.companies.items() if company.pk == company_id)


class _Founding:
    """Lays out the places. Rows are made in bulk; the password is hashed once, not for each of 250 accounts."""

    def __init__(self, random: Random, *, today: date, language: str) -> None:
        self.random, self.today, self.language = random, today, language
        self.people = names.people(random)
        self.password = make_password(PASSWORD)
        self.places = Places()
        self.made = 0

    def user(self, name: str, email: str, language: str, **values: Any) -> User:
        return User.objects.create(
            name=name, email=email, language=language, password=self.password, date_joined=SINCE, **values
        )

    def account(self, account: Account) -> User:
        staff = account.role in (Role.ADMINISTRATOR, Role.LIST_MANAGER)
        return self.user(account.name, account.email, self.language, is_staff=staff)

    def somebody(self, domain: str) -> User:
        name_zh, name_en = next(self.people)
        self.made += 1
        return self.user(f"{name_zh} {name_en}", f"{_local(name_en)}.{self.made}@{domain}.example", "zh-hans")

    def found(self) -> Places:
        given: dict[Role, User] = {
            account.role: self.account(account)
            for account in ACCOUNTS
            if account.role is not Role.LIST_MANAGER and account != SPECIALIST
        }
        self.installation(given)
        offices = [self.office(index, given if index == 0 else {}) for index in range(len(_OFFICES))]
        companies = [self.company(index, offices, given if index == 0 else {}) for index in range(len(_COMPANIES))]
        self.roster(companies, given[Role.APPLICANT])
        self.specialists()
        self.law()
        return self.places

    def installation(self, given: dict[Role, User]) -> None:
        accounts = [self.account(a) for a in ACCOUNTS if a.role is Role.LIST_MANAGER]
        self.places.list_managers = [*accounts, self.somebody("authority")]
        held = [(user, Role.LIST_MANAGER) for user in self.places.list_managers]
        held += [(given[role], role) for role in (Role.ADMINISTRATOR, Role.AUDITOR)]
        RoleAssignment.objects.bulk_create(RoleAssignment(user=user, role=role, starts_at=SINCE) for user, role in held)

    def law(self) -> None:
        offices = {staff.office.code: staff.office for staff in self.places.offices.values()}
        grounds.enact(today=self.today, offices=offices)

    def office(self, index: int, given: dict[Role, User]) -> Office:
        code, name_zh, name_en, city, address, phone, number = _OFFICES[index]
        office = Office.objects.create(
            code=code,
            name_zh=name_zh,
            name_en=name_en,
            city=city,
            address=address,
            phone=phone,
            email=f"{code.lower()}@authority.example",
        )
        staff = Staff(office)
        for role, count in _OFFICE_STAFF:
            for place in range(count):
                number += self.random.randint(1, 9)
                user = given[role] if place == 0 and role in given else self.somebody("authority")
                Posting.objects.create(user=user, office=office, role=role, number=f"{number:04d}", starts_at=SINCE)
                staff.by_role.setdefault(role, []).append(user)
        self.places.offices[office.pk] = staff
        return office

    def specialists(self) -> None:
        """The office that the others consult. No company belongs to it."""
        office = Office.objects.create(
            code="BJ-ZJ",
            name_zh="专业审查办公室",
            name_en="Specialist review office",
            city="Beijing",
            is_specialist=True,
            expertise_zh="大规模训练与先进算力",
            expertise_en="Large-scale training and advanced computing",
            address="北京市海淀区示例路8号",
            phone="+86 10 5550 0808",
            email="bj-zj@authority.example",
        )
        staff = Staff(office)
        people = ((Role.REVIEWER, "0801", self.account(SPECIALIST)), (Role.SENIOR, "0802", self.somebody("authority")))
        for role, number, user in people:
            Posting.objects.create(user=user, office=office, role=role, number=number, starts_at=SINCE)
            staff.by_role[role] = [user]
        self.places.specialists = staff

    def company(self, index: int, offices: list[Office], given: dict[Role, User]) -> tuple[Company, str]:
        domain, name_zh, name_en, office, place = _COMPANIES[index]
        base = f"91{place}MA{self.random.randint(0, 9_999_999):07d}"
        company = Company.objects.create(
            uscc=base + uscc.calc_check_digit(base),
            name_zh=f"{name_zh}（虚构）",
            name_en=f"{name_en} (fictitious)",
            office=offices[office],
        )
        officers = [given.get(Role.OFFICER) or self.somebody(domain), self.somebody(domain)]
        Membership.objects.bulk_create(Membership(user=user, company=company, starts_at=SINCE) for user in officers)
        self.places.officers[company.pk] = officers
        Project.objects.bulk_create(
            Project(company=company, code=code, name=f"{name_zh} {name_en}")
            for of, code, name_zh, name_en in lists.projects()
            if of == domain
        )
        self.places.companies[domain] = company
        return company, domain

    def roster(self, companies: list[tuple[Company, str]], applicant: User) -> None:
        rows: list[Employee] = []
        for number in range(EMPLOYEES):
            company, domain = companies[0] if number == 0 else self.random.choice(companies)
            if number == 0:
                account = ACCOUNTS[0]
                user, name_zh, name_en = applicant, account.name_zh, account.name_en
            else:
                name_zh, name_en = next(self.people)
                email = f"{_local(name_en)}.{number}@{domain}.example"
                user = self.user(f"{name_zh} {name_en}", email, self.random.choice(("zh-hans",) * 4 + ("en",)))
            rows.append(
                Employee(
                    user=user,
                    company=company,
                    number=f"{domain[:2].upper()}{1000 + number}",
                    name_zh=name_zh,
                    name_en=name_en,
                    position=self.random.choice(_POSITIONS),
                    employed_from=SINCE.date() + timedelta(days=self.random.randint(0, 900)),
                )
            )
        Employee.unscoped.bulk_create(rows)
        self.places.employees, self.places.featured = rows, rows[0]
        passport = TravelDocument.Kind.PASSPORT
        TravelDocument.objects.bulk_create(
            TravelDocument(
                employee=row,
                kind=passport,
                issued_by="CN",
                expires_on=self.today + timedelta(days=self.random.randint(40, 3400)),
            )
            for row in rows
        )
        projects: dict[int, list[Project]] = {}
        for project in Project.objects.order_by("pk"):
            projects.setdefault(project.company_id, []).append(project)
        assigned = {row.pk: self.random.choice(projects[row.company_id]) for row in rows}
        ProjectAssignment.objects.bulk_create(
            ProjectAssignment(employee=row, project=assigned[row.pk], starts_at=SINCE) for row in rows
        )
        self.places.projects = {employee: project.code for employee, project in assigned.items()}


def found(random: Random, *, today: date, language: str) -> Places:
    """Make all of it. `today` is what documents expire after; `language` that of the printed accounts."""
    return _Founding(random, today=today, language=language).found()


def _local(name: str) -> str:
    return name.lower().replace("ü", "u").replace(" ", ".")
