"""The page of a company, for its compliance officers: who acts for it, and its projects."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.forms import ModelForm
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.http import ActorRequest
from accounts.roles import Role
from companies.models import Company, Membership, Project
from interface.asking import asks


@asks(code=_("Enter the code of the project."), name=_("Enter the name of the project."))
class ProjectForm(ModelForm[Project]):
    """A project, as its company names it."""

    class Meta:
        model = Project
        fields = ("code", "name", "is_active")

    def clean_code(self) -> str:
        """Refuse a code that another project of the company has. The company is given by the page."""
        code: str = self.cleaned_data["code"]
        if self.instance.company.projects.exclude(pk=self.instance.pk).filter(code=code).exists():
            raise ValidationError(_("Another project of the company has this code."))
        return code


def _company(request: ActorRequest, pk: int) -> Company:
    """The company with this key, for its officers, auditors and administrators; Http404 for everybody else."""
    may_read = request.actor.holds(Role.OFFICER, pk) or {Role.AUDITOR, Role.ADMINISTRATOR} & request.actor.roles
    found = Company.objects.select_related("office").filter(pk=pk).first() if may_read else None
    if found is None:
        raise Http404
    return found


@require_http_methods(["GET", "POST"])
@login_required
def company(request: ActorRequest, pk: int, project_pk: int | None = None) -> HttpResponse:
    """A company; its officers add a project here, or change the one named by `project_pk`."""
    found = _company(request, pk)
    may_write = request.actor.holds(Role.OFFICER, pk)
    project = Project(company=found)
    if project_pk is not None:
        stored = Project.objects.filter(company=found, pk=project_pk).first()
        if stored is None or not may_write:
            raise Http404
        project = stored
    form = ProjectForm(request.POST or None, instance=project)
    if request.method == "POST":
        if not may_write:
            raise Http404
        if form.is_valid():
            form.save()
            messages.success(request, _("Saved."))
            return redirect("company", pk=pk)
    context = {
        "company": found,
        "officers": Membership.objects.in_force(timezone.now()).filter(company=found).select_related("user"),
        "projects": found.projects.order_by("code"),
        "form": form if may_write else None,
        "project": project if project_pk is not None else None,
    }
    return render(request, "companies/company.html", context)
