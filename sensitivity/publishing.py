"""How a version of a list comes into force, and a new one begins."""

from datetime import date

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Max, Q
from django.utils.translation import gettext as _

from accounts.models import User
from sensitivity.models import ListEntry, ListVersion, SensitivityList

State = ListVersion.State


def draft(of: SensitivityList, *, author: User) -> ListVersion:
    """The next version of a list, by `author`: it begins as a copy of the latest one."""
    with transaction.atomic():
        SensitivityList.objects.select_for_update(no_key=True).get(pk=of.pk)
        latest = of.versions.order_by("-number").first()
        last = of.versions.aggregate(last=Max("number"))["last"] or 0
        made = ListVersion.objects.create(list=of, number=last + 1, author=author)
        if latest is not None:
            copies = list(latest.entries.all())
            for entry in copies:
                entry.pk, entry.version = None, made
            ListEntry.objects.bulk_create(copies)
    return made


def publish(version_id: int, *, publisher: User, on: date) -> ListVersion:
    """Bring a draft into force from the start of `on`; the version before holds until then.

    ValidationError when it is published already, is empty, its author would publish it, or when it would begin before
    the version that is in force: what was assessed with that one stays assessed with it.
    """
    with transaction.atomic():
        row = ListVersion.objects.select_for_update(of=("self",)).select_related("list").get(pk=version_id)
        if row.state not in (State.DRAFT, State.IN_REVIEW):
            raise ValidationError(_("This version is published already."))
        if row.author_id == publisher.pk:
            raise ValidationError(_("The publisher must be another person than the author."))
        if not row.entries.exists():
            raise ValidationError(_("A version without entries cannot be published."))
        others = row.list.versions.filter(state=State.PUBLISHED)
        if others.filter(published_from__gte=on).exists():
            raise ValidationError(_("A version that begins on that day or later is published already."))
        others.filter(Q(published_until=None) | Q(published_until__gt=on)).update(published_until=on)
        others.filter(published_until__lt=on).update(state=State.SUPERSEDED)
        row.state, row.publisher, row.published_from = State.PUBLISHED, publisher, on
        row.save()
    return row
