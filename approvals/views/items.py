"""The page of one item that waits for somebody: a question of the office, a condition. It saves itself as it is typed.

What is written is kept as typed, documents at once; nothing is sent from here unless the page's last button says so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.http import ActorRequest
from accounts.refusals import Invalid, NotAllowed, NotFound, NotNow
from approvals.forms.applicant import typed
from approvals.forms.information import ItemForm
from approvals.models import Attachment, ItemDraft, TravelRequest
from approvals.models.information import Item, ItemKind
from approvals.views.parts import File, file_of
from approvals.views.writing import Bounded, far_too_large, take_unsent, wrong_with
from approvals.workflow import items as written

THEN = "then"
REMOVE = "remove-"


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemPage:
    """An item as a page: what is asked, where it is kept, and what is around it.

    `finish` is called when the reader goes on and everything is saved; it gives what comes next, or a sentence that
    says what is missing. `later_url`: where the reader goes to come back another time, named `later_label`.
    """

    key: str
    item: Item
    title: str
    later_url: str
    later_label: str
    go_on_label: str
    finish: Callable[[ItemDraft], HttpResponse | str]
    template: str
    text_label: str
    may_refuse: bool = True
    with_files: bool = True
    context: Mapping[str, Any]


def item_page(http: ActorRequest, request: TravelRequest, page: ItemPage, bounded: Bounded) -> HttpResponse:
    """GET: the item as it was left. POST by htmx: an autosave, 204. Any other: saved, and then what was pressed."""
    unsent = take_unsent(http)
    if http.method == "POST":
        return _sent(http, request, page, bounded)
    if unsent:
        _save(http, request, page, unsent)
        messages.success(http, _("What you had typed when your session ended is saved."))
    return _show(http, request, page, [])


def _first(data: Mapping[str, list[str]], name: str) -> str:
    values = data.get(name) or [""]
    return values[0]


def _save(http: ActorRequest, request: TravelRequest, page: ItemPage, data: Mapping[str, list[str]]) -> ItemDraft:
    text, cannot = _first(data, "text"), _first(data, "cannot") if page.may_refuse else ""
    if page.item.kind == ItemKind.CHOICE and text not in page.item.options:
        text = ""
    return written.save_item(
        request.pk, actor=http.actor, at=timezone.now(), key=page.key, text=text[:_MOST], cannot=cannot[:_MOST]
    )


_MOST = 4000


def _sent(http: ActorRequest, request: TravelRequest, page: ItemPage, bounded: Bounded) -> HttpResponse:
    then, data = http.POST.get(THEN, ""), typed(http.POST)
    try:
        kept = _save(http, request, page, data)
        if http.headers.get("HX-Request"):
            return HttpResponse(status=204)
        if then.startswith(REMOVE):
            written.remove_from_item(
                request.pk, actor=http.actor, at=timezone.now(), key=page.key, attachment_id=_id(then)
            )
            messages.success(http, _("The document was taken out."))
            return redirect(f"{http.path}#documents")
        found = _add(http, request, page, bounded)
        if then == "upload" and not found and not http.FILES:
            found = [("file", _("Choose at least one file."))]
        if not found and then != "upload" and _first(data, "file") and not http.FILES:
            # The button that goes on sends no files, so that what was typed survives the end of a session.
            found = [("file", _("The files that you chose were not sent yet: choose them again and press “Add”."))]
        if found:
            return _show(http, request, page, found)
        if then == "upload":
            return redirect(f"{http.path}#documents")
        if then == "later":
            return redirect(page.later_url)
        finished = page.finish(kept)
    except NotFound as refusal:
        raise Http404(str(refusal)) from refusal
    except (NotNow, NotAllowed) as refusal:
        if http.headers.get("HX-Request"):
            return HttpResponse(status=409)
        messages.warning(http, str(refusal))
        return redirect("request", request.reference)
    if isinstance(finished, str):
        field = "file" if page.item.kind == ItemKind.DOCUMENT else "text"
        return _show(http, request, page, [(field, finished)])
    return finished


def _id(then: str) -> UUID:
    try:
        return UUID(then.removeprefix(REMOVE))
    except ValueError as error:
        raise NotFound(_("There is no such document, or it is not yours to see.")) from error


def _add(http: ActorRequest, request: TravelRequest, page: ItemPage, bounded: Bounded) -> list[tuple[str, str]]:
    """Add what was sent, one by one: what is wrong with one does not keep the others out. What was wrong."""
    found = [("file", words) for words in far_too_large(bounded)]
    added = 0
    for file in http.FILES.getlist("file") if page.with_files else []:
        try:
            written.attach_to_item(request.pk, actor=http.actor, at=timezone.now(), key=page.key, file=file)
            added += 1
        except Invalid as refusal:
            found += [("file", words) for words in wrong_with(file, refusal)]
    if added:
        words = ngettext("%(count)d document was added.", "%(count)d documents were added.", added)
        messages.success(http, words % {"count": added})
    return found


def _show(http: ActorRequest, request: TravelRequest, page: ItemPage, problems: list[tuple[str, str]]) -> HttpResponse:
    kept = written.drafts(request, page.key).get(page.key)
    left = {"text": kept.text, "cannot": kept.cannot} if kept else {}
    form = ItemForm(
        left if problems else None,
        initial=left,
        item=page.item,
        text_label=page.text_label,
        may_refuse=page.may_refuse,
        with_files=page.with_files,
    )
    for field, words in problems:
        form.add_error(field if field in form.fields else None, words)
    context = {
        "trip": request,
        "page": page,
        "form": form,
        "saved_at": kept.saved_at if kept else None,
        "files": files_of(request, kept.documents if kept else []),
        "with_files": "file" in form.fields,
        **page.context,
    }
    return render(http, page.template, context, status=422 if problems else 200)


def files_of(request: TravelRequest, ids: list[str]) -> list[File]:
    """These documents of `request`, in this order, those that were removed left out."""
    rows = (
        {str(row.pk): row for row in Attachment.unscoped.filter(request=request, pk__in=ids, removed_at=None)}
        if ids
        else {}
    )
    return [file_of(request, rows[one]) for one in ids if one in rows]
