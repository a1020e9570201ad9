"""What every row of a request's history has in common."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from uuid_utils.compat import uuid7

from audit.models import AppendOnly


class Step(AppendOnly):
    """Something that happened to a request: when, by whom. Never changed afterwards; the database refuses it too.

    The key is made here and not by the database, so that all rows of one step are written by one statement.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    request = models.ForeignKey("approvals.TravelRequest", models.PROTECT, related_name="%(class)ss")
    at = models.DateTimeField(_("at"))
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("by"))

    class Meta:
        abstract = True
        ordering: ClassVar = ["at", "id"]
