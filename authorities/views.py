"""Who of my offices is away, and, for everybody, on which grounds a trip can be refused."""

from dataclasses import dataclass
from datetime import date

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.http import ActorRequest
from accounts.refusals import Invalid, NotFound, Refused
from authorities import absences, grounds
from authorities.forms import AbsenceForm
from authorities.models import POSTED_ROLES, Office, Posting, ReasonCode
from interface.spoken import alternates, in_either_language


@login_required
@require_http_methods(["GET", "POST"])
def absences_page(request: ActorRequest) -> HttpResponse:
    """Who is away now and who will be, in the reader's offices; POST enters one more."""
    actor, at = request.actor, timezone.now()
    offices = Office.objects.filter(pk__in=actor.scopes_of_any(POSTED_ROLES))
    if not offices:
        raise PermissionDenied
    # Everybody who works in these offices, under their number; each once.
    posted = Posting.objects.in_force(at).filter(office__in=offices).select_related("user").order_by("number")
    colleagues = {(one.user_id, one.office_id): one for one in posted}
    names = {str(one.user_id): f"{one.number} {one.user.name}" for one in colleagues.values()}
    enters_for = {
        str(user_id): names[str(user_id)]
        for user_id, office_id in colleagues
        if absences.may_enter_for(actor, user_id=user_id, office_id=office_id)
    }
    mine = str(actor.user_id)
    form = AbsenceForm(
        request.POST or None,
        offices=[(str(one.pk), one.name) for one in offices],
        people=sorted(enters_for.items(), key=lambda one: (one[0] != mine, one[1])),
        deputies=list(names.items()),
    )
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        try:
            absences.enter(
                actor=actor,
                at=at,
                office_id=values["office"],
                user_id=values["user"],
                first_day=values["first_day"],
                last_day=values["last_day"],
                role=values["role"],
                deputy_id=values["deputy"],
            )
        except Invalid as invalid:
            for problem in invalid.problems:
                form.add_error(problem.field, str(problem.message))
        except Refused as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, _("Saved."))
            return redirect("absences")
    shown = [row for row in absences.visible_to(actor).order_by("starts_at", "id") if row.ends_at > at]
    rows = [
        {
            "absence": row,
            "is_now": row.is_in_force(at),
            "goes_back": row.days > row.office.return_after_days and row.role in ("", "reviewer"),
            "may_end": absences.may_enter_for(actor, user_id=row.user_id, office_id=row.office_id),
        }
        for row in shown
    ]
    context = {"form": form, "rows": rows, "days": max(one.return_after_days for one in offices)}
    return render(request, "authorities/absences.html", context)


@login_required
@require_POST
def absence_end(request: ActorRequest, pk: int) -> HttpResponse:
    """Somebody is back earlier, or does not go."""
    try:
        absences.end(pk, actor=request.actor, at=timezone.now())
    except NotFound as missing:
        raise Http404(str(missing)) from missing
    except Refused as refused:
        messages.info(request, str(refused))
    else:
        messages.success(request, _("Saved."))
    return redirect("absences")


# ── grounds, for everybody ──────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Version:
    """A version of a reason code as everybody can read it, and how it stands on a day: now, past, or to come."""

    code: ReasonCode
    is_past: bool
    is_to_come: bool

    @property
    def is_now(self) -> bool:
        """Whether some office can use it on the day."""
        return not self.is_past and not self.is_to_come


def _version(code: ReasonCode, on: date) -> Version:
    until = code.usable_until
    return Version(code, is_past=until is not None and until < on, is_to_come=code.active_from > on)


@require_http_methods(["GET", "HEAD"])
@in_either_language
def grounds_page(request: HttpRequest) -> HttpResponse:
    """Every code in force today, with its law and who may use it; what comes, and what was."""
    on = timezone.localdate()
    versions = [_version(code, on) for code in grounds.known()]
    going_on = {one.code.code for one in versions if not one.is_past}
    ended: dict[str, Version] = {}
    for one in versions:
        if one.is_past and one.code.code not in going_on:
            ended.setdefault(one.code.code, one)  # the newest of them comes first
    context = {
        "on": on,
        "now": [one for one in versions if one.is_now],
        "to_come": [one for one in versions if one.is_to_come],
        "ended": list(ended.values()),
        "alternates": alternates(request),
    }
    return render(request, "authorities/grounds.html", context)


@require_http_methods(["GET", "HEAD"])
@in_either_language
def ground_page(request: HttpRequest, code: str) -> HttpResponse:
    """Every version of one code, the newest first: what it said, on which law, from when until when. 404 for others."""
    on = timezone.localdate()
    versions = [_version(row, on) for row in grounds.known(code)]
    if not versions:
        raise Http404
    context = {"on": on, "name": code, "versions": versions, "alternates": alternates(request)}
    return render(request, "authorities/ground.html", context)
