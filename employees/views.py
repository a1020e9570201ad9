"""The roster of a company: list, new employee, change."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Q
from django.forms import BaseForm
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from accounts.http import ActorRequest
from accounts.roles import Role
from companies.models import Company
from employees import roster
from employees.forms import EmployeeForm, NewEmployeeForm, SearchForm
from employees.models import Employee

PAGE = 50
READERS = frozenset({Role.OFFICER, Role.AUDITOR, Role.ADMINISTRATOR})


def _add_errors(form: BaseForm, error: ValidationError) -> None:
    """Show what the roster refused at the fields of the form; what concerns none of them, above it."""
    for field, sentences in error.message_dict.items():
        for sentence in sentences:
            form.add_error(field if field in form.fields else None, sentence)


@require_GET
@login_required
def employee_list(request: ActorRequest) -> HttpResponse:
    """The employees whom the reader may see, by staff number; `after` is the last one of the page before."""
    if not READERS & request.actor.roles:
        raise PermissionDenied
    form = SearchForm(request.GET)
    wanted = form.cleaned_data if form.is_valid() else {}
    today = timezone.localdate()
    rows = Employee.objects.visible_to(request.actor).select_related("company", "user").order_by("number", "id")
    if Role.OFFICER in request.actor.roles:
        rows = rows.filter(company_id__in=request.actor.scopes(Role.OFFICER))
    if not wanted.get("former"):
        rows = rows.filter(Q(employed_until=None) | Q(employed_until__gte=today))
    if q := wanted.get("q", "").strip():
        rows = rows.filter(Q(name_zh__icontains=q) | Q(name_en__icontains=q) | Q(number__istartswith=q))
    number, _comma, key = request.GET.get("after", "").rpartition(",")
    if key.isdecimal():
        rows = rows.filter(Q(number__gt=number) | Q(number=number, id__gt=int(key)))
    shown = list(rows[: PAGE + 1])
    more = len(shown) > PAGE
    shown = shown[:PAGE]
    query = {name: str(value) for name, value in request.GET.items() if name != "after"}
    context = {
        "employees": shown,
        "today": today,
        "form": form,
        "filtered": any(wanted.values()),
        "companies": Company.objects.filter(pk__in=request.actor.scopes(Role.OFFICER)),
        "first_url": f"?{urlencode(query)}" if key else "",
        "next_url": f"?{urlencode(query | {'after': f'{shown[-1].number},{shown[-1].pk}'})}" if more else "",
    }
    return render(request, "employees/list.html", context)


@require_http_methods(["GET", "POST"])
@login_required
def employee_new(request: ActorRequest) -> HttpResponse:
    """Add somebody to the roster of a company that the reader is an officer of."""
    companies = Company.objects.filter(pk__in=request.actor.scopes(Role.OFFICER), is_active=True)
    if not companies:
        raise PermissionDenied
    form = NewEmployeeForm(request.POST or None, companies=companies)
    if request.method == "POST" and form.is_valid():
        values: dict[str, Any] = dict(form.cleaned_data)
        company, email = values.pop("company"), values.pop("email")
        try:
            employee = roster.admit(actor=request.actor, company_id=company.pk, email=email, **values)
        except ValidationError as error:
            _add_errors(form, error)
        else:
            messages.success(request, _("%(name)s is on the roster.") % {"name": employee.name})
            return redirect("employees")
    return render(request, "employees/form.html", {"form": form, "heading": _("New employee")})


@require_http_methods(["GET", "POST"])
@login_required
def employee_edit(request: ActorRequest, pk: int) -> HttpResponse:
    """Change what the roster says of an employee, or end the employment."""
    employee = (
        Employee.objects.visible_to(request.actor)
        .filter(company_id__in=request.actor.scopes(Role.OFFICER))
        .select_related("company", "user")
        .prefetch_related("documents", "assignments__project")
        .filter(pk=pk)
        .first()
    )
    if employee is None:
        raise Http404
    name = employee.name
    form = EmployeeForm(request.POST or None, instance=employee)
    if request.method == "POST" and form.is_valid():
        try:
            roster.change(pk, actor=request.actor, **form.cleaned_data)
        except ValidationError as error:
            _add_errors(form, error)
        else:
            messages.success(request, _("Saved."))
            return redirect("employees")
    context = {"form": form, "heading": name, "employee": employee, "back_url": reverse("employees")}
    return render(request, "employees/form.html", context)
