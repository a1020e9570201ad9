"""A large office for the benches: many requests, copied in one INSERT from one that went through the workflow."""

from datetime import UTC, date, datetime
from typing import Any

from django.core.handlers.wsgi import WSGIHandler
from django.core.management import call_command
from django.db import connection, connections, transaction
from django.test import Client, override_settings
from django.utils import timezone

from accounts.models import User
from accounts.roles import Role
from approvals.models import Leg, TravelRequest
from authorities.models import Office, Posting
from bench import Say
from bench.lifecycle import Setting
from companies.models import Company, Membership
from employees.models import Employee

REVIEWERS = 10
TRIPS_EACH = 20
SINCE = datetime(2021, 1, 1, tzinfo=UTC)

# Of a hundred requests at the office: 62 wait for a reviewer or are with one, 4 are proposed, 4 wait for the applicant,
# the other 30 are over. One in twenty is urgent, one in five has a reviewer. Due dates end a day, as in life.
_STATE = """CASE WHEN n %% 100 < 62 THEN 'authority_review' WHEN n %% 100 < 66 THEN 'decision_proposed'
            WHEN n %% 100 < 70 THEN 'information_requested' ELSE 'closed' END"""
_VALUES = {
    "id": "gen_random_uuid()",
    "reference": "%(code)s || n",
    "applicant_id": "%(employee)s + n %% %(staff)s",
    "company_id": "%(company)s",
    "office_id": "%(office)s",
    "state": _STATE,
    "title": "'ICLR in San Francisco ' || n",
    "urgent": "n %% 20 = 0",
    "departs_on": "%(first)s::date + (n / %(staff)s) * 10",
    "returns_on": "%(first)s::date + (n / %(staff)s) * 10 + 6",
    "tier": "CASE n %% 4 WHEN 0 THEN 'fast' WHEN 1 THEN 'heightened' ELSE 'standard' END",
    "submitted_at": "%(now)s::timestamptz - n * interval '1 minute'",
    "reached_authority_at": "%(now)s::timestamptz - n * interval '1 minute' + interval '30 seconds'",
    "due_at": (
        "date_trunc('day', %(now)s::timestamptz, 'Asia/Shanghai')"
        " + CASE WHEN n %% 50 = 0 THEN -1 ELSE n::bigint * 7919 %% 30 END * interval '1 day'"
    ),
    "assigned_reviewer_id": "CASE WHEN n %% 5 = 0 THEN %(reviewer)s + n / 5 %% %(reviewers)s END",
    "assigned_number": "CASE WHEN n %% 5 = 0 THEN '0417' ELSE '' END",
    "proposed_by_id": f"CASE WHEN {_STATE} = 'decision_proposed' THEN %(reviewer)s END",
    "proposed_outcome": f"CASE WHEN {_STATE} = 'decision_proposed' THEN 'approved' ELSE '' END",
}


class Crowd:
    """An office with `rows` requests and the people who work on them. Made once; found again by later runs."""

    def __init__(self, rows: int, say: Say, *, name: str = "CROWD") -> None:
        self.rows = rows
        code = f"{name}-{rows}"
        found = Office.objects.filter(code=code).first()
        if found is None:
            say(f"making {rows:,} requests …\n")
            with transaction.atomic():
                found = self._make(code)
            _vacuum()
        self.office = found
        reviewers = Posting.objects.filter(office=found, role=Role.REVIEWER).order_by("user_id")
        self.reviewer = reviewers[0].user
        self.senior = Posting.objects.get(office=found, role=Role.SENIOR).user
        self.officer = Membership.objects.get(company__office=found).user

    def _make(self, code: str) -> Office:
        setting = Setting()
        [case] = setting.cases(1)
        case.run()
        office = Office.objects.create(code=code, name_zh="测", name_en="Crowd", city="B")
        company = Company.objects.create(
            uscc=f"{timezone.now():%H%M%S%f}"[:18], name_zh="测试公司", name_en="Crowd Research", office=office
        )
        users = [
            User.objects.create(
                email=f"{setting.name}.{number}@bench.example", name=f"Reviewer {number}", language="en"
            )
            for number in range(REVIEWERS + 2)
        ]
        for number, user in enumerate(users[:REVIEWERS]):
            Posting.objects.create(
                user=user, office=office, role=Role.REVIEWER, number=f"{number:04d}", starts_at=SINCE
            )
        Posting.objects.create(user=users[-2], office=office, role=Role.SENIOR, number="5000", starts_at=SINCE)
        Membership.objects.create(user=users[-1], company=company, starts_at=SINCE)
        staff = max(1, -(-self.rows // TRIPS_EACH))
        employees = Employee.unscoped.bulk_create(
            (
                Employee(
                    company=company,
                    number=f"{number}",
                    name_zh="王爱丽",
                    name_en=f"Employee {number}",
                    employed_from=date(2021, 1, 1),
                )
                for number in range(staff)
            ),
            batch_size=5000,
        )
        values: dict[str, Any] = {
            "template": case.request_id,
            "rows": self.rows,
            "code": f"{office.pk}-",
            "employee": employees[0].pk,
            "staff": staff,
            "company": company.pk,
            "office": office.pk,
            "first": date(2030, 1, 1),
            "now": timezone.now(),
            "reviewer": users[0].pk,
            "reviewers": REVIEWERS,
        }
        columns = [str(field.column) for field in TravelRequest._meta.concrete_fields]
        chosen = ", ".join(_VALUES.get(column, f"t.{column}") for column in columns)
        with connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO approvals_travelrequest ({', '.join(columns)}) SELECT {chosen}"
                " FROM approvals_travelrequest t, generate_series(0, %(rows)s - 1) n WHERE t.id = %(template)s",
                values,
            )
            cursor.execute(
                "INSERT INTO approvals_leg"
                " (id, request_id, position, country, subdivision, city, arrives_on, leaves_on, host)"
                " SELECT gen_random_uuid(), id, 0, CASE WHEN urgent THEN 'JP' ELSE 'US' END, '', 'San Francisco',"
                " departs_on, returns_on, 'ICLR Foundation' FROM approvals_travelrequest WHERE office_id = %(office)s",
                values,
            )
        return office


def _vacuum() -> None:
    with connections["owner"].cursor() as cursor:
        for model in (TravelRequest, Leg, Employee):
            cursor.execute(f"VACUUM ANALYZE {model._meta.db_table}")
    connections["owner"].close()


class Reader:
    """Somebody who is signed in and opens pages, through everything that the web server would call."""

    def __init__(self, user: User) -> None:
        call_command("collectstatic", interactive=False, verbosity=0)  # names of static files come from its manifest
        client = Client()
        client.force_login(user)
        self.cookie = f"sessionid={client.cookies['sessionid'].value}"
        self.handler = WSGIHandler()

    def get(self, address: str) -> bytes:
        """The page at `address`. RuntimeError when it is not shown."""
        path, _mark, query = address.partition("?")
        status: list[str] = []

        def start_response(line: str, headers: Any, exc_info: Any = None) -> Any:
            status.append(line)

        client: Any = Client()
        environ = client._base_environ(PATH_INFO=path, QUERY_STRING=query, HTTP_COOKIE=self.cookie)
        environ["HTTP_HOST"] = "localhost"
        response = self.handler(environ, start_response)
        body = b"".join(response)
        response.close()
        if status[0] != "200 OK":
            raise RuntimeError(f"{address}: {status[0]}")
        return body


def captured(call: Any) -> list[tuple[str, Any]]:
    """The SQL statements that `call()` makes, with their values, as they are before the server keeps any of them."""
    seen: list[tuple[str, Any]] = []

    def keep(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        seen.append((sql, params))
        return execute(sql, params, many, context)

    with override_settings(PREPARE_STATEMENTS=False), connection.execute_wrapper(keep):
        call()
    return seen


def statements(call: Any) -> list[str]:
    """The SQL statements that `call()` makes, and leaves on this connection."""
    return [sql for sql, _values in captured(call)]
