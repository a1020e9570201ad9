"""Who is told what about what is held: a file that will be deleted, a download that is ready, a correction."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from approvals.models import TravelRequest
from audit import verbs
from notifications.models import OutboxEvent
from notifications.registry import Kind, Notice, register_kind
from notifications.registry import register as register_notice
from openness import corrections
from openness.models import Correction, DataDownload

VERBS: Mapping[str, str | Promise] = {
    "erase": _("The file was deleted: its time was over"),
    "ask_correction": _("The applicant asked for a correction"),
    "answer_correction": _("The correction request was answered"),
}

KIND = Kind(
    key="held",
    label=_("What is held about you"),
    examples=_("A file that will be deleted, your download, and answers to correction requests."),
    why_always=_("What is deleted cannot be brought back."),
)


def _day(moment: datetime) -> str:
    return date_format(timezone.localtime(moment), "DATE_FORMAT")


def _traveller(event: OutboxEvent) -> Iterable[int]:
    found = TravelRequest.unscoped.filter(pk=event.subject, applicant__user__isnull=False)
    return [user_id for user_id in found.values_list("applicant__user_id", flat=True) if user_id]


def _soon(event: OutboxEvent) -> Mapping[str, object]:
    return {"number": event.data["number"], "day": _day(datetime.fromisoformat(event.data["on"]))}


def _correction(event: OutboxEvent) -> Correction:
    return Correction.unscoped.select_related("employee", "request").get(pk=event.subject)


def _keepers(event: OutboxEvent) -> Iterable[int]:
    return corrections.keepers(_correction(event), at=event.at)


def _asker(event: OutboxEvent) -> Iterable[int]:
    return [_correction(event).user_id]


def _correcting(event: OutboxEvent) -> Mapping[str, object]:
    row = _correction(event)
    about = row.request.reference if row.request else Correction.About(row.about).label
    outcome = Correction.Outcome(row.outcome).label if row.outcome else ""
    return {"about": about, "what": row.what, "due": date_format(row.due_on), "outcome": outcome, "why": row.reasons}


def _correction_page(event: OutboxEvent) -> str:
    return reverse("correction", args=[event.subject])


def _downloader(event: OutboxEvent) -> Iterable[int]:
    return [DataDownload.objects.get(pk=event.subject).user_id]


def _ready(event: OutboxEvent) -> Mapping[str, object]:
    until = DataDownload.objects.get(pk=event.subject).expires_at
    return {"day": _day(until) if until else ""}


def _my_data(event: OutboxEvent) -> str:
    return reverse("my_data")


Row = tuple[
    str,
    str,
    Callable[[OutboxEvent], Iterable[int]],
    Callable[[OutboxEvent], Mapping[str, object]],
    Callable[[OutboxEvent], str],
    str | Promise,
    str | Promise,
]
NOTICES: list[Row] = [
    (
        "retention.soon",
        "applicant",
        _traveller,
        _soon,
        _my_data,
        _("%(number)s: the file will be deleted on %(day)s"),
        _(
            "The time for which the file of your request %(number)s is kept is over. It is deleted on %(day)s or soon "
            "after, with everything in it.\n\nUntil then you can read it, and download everything held about you."
        ),
    ),
    (
        "download.ready",
        "person",
        _downloader,
        _ready,
        _my_data,
        _("Your download is ready"),
        _(
            "Everything held about you is ready as one archive. It is kept until %(day)s and can be fetched by you "
            "alone."
        ),
    ),
    (
        "correction.asked",
        "keepers",
        _keepers,
        _correcting,
        _correction_page,
        _("%(about)s: a correction is asked for"),
        _("What is said to be wrong: “%(what)s”.\n\nPlease answer with reasons by %(due)s."),
    ),
    (
        "correction.due",
        "keepers",
        _keepers,
        _correcting,
        _correction_page,
        _("%(about)s: an answer to a correction request is due by %(due)s"),
        _("What is said to be wrong: “%(what)s”.\n\nPlease answer with reasons."),
    ),
    (
        "correction.answered",
        "person",
        _asker,
        _correcting,
        _correction_page,
        _("%(about)s: your correction request was answered"),
        _("%(outcome)s: “%(what)s”.\n\n%(why)s"),
    ),
]


def register() -> None:
    """Make the verbs recordable and the events tellable. Called once, when the app is ready."""
    for verb, words in VERBS.items():
        verbs.register(verb, words)
    register_kind(KIND)
    for event, audience, recipients, context, url, subject, body in NOTICES:
        register_notice(
            Notice(
                event=event,
                audience=audience,
                recipients=recipients,
                context=context,
                url=url,
                subject=subject,
                body=body,
                kind=KIND.key,
            )
        )
