"""What was published, as it was published."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from audit.models import AppendOnly


class QuarterFigures(AppendOnly):
    """The public figures of one quarter. Never changed: a correction is the next version, shown beside the first.

    `data` is what is public and nothing else: a suppressed cell is null, its value is not kept here (see
    `publishing.measure`). Version 1 has no reasons, every later one says why in both languages.
    """

    id = models.BigAutoField(primary_key=True)
    quarter = models.CharField(_("quarter"), max_length=6)
    version = models.PositiveSmallIntegerField(_("version"), default=1)
    published_at = models.DateTimeField(_("published"))
    reason_zh = models.TextField(_("why it was corrected, in Chinese"), blank=True)
    reason_en = models.TextField(_("why it was corrected, in English"), blank=True)
    data = models.JSONField(_("figures"))

    class Meta:
        verbose_name = _("figures of a quarter")
        verbose_name_plural = _("figures of quarters")
        ordering = ["-quarter", "-version"]
        constraints = [
            models.UniqueConstraint(fields=["quarter", "version"], name="figures_quarter_version"),
            models.CheckConstraint(name="figures_quarter_name", condition=Q(quarter__regex=r"^[0-9]{4}Q[1-4]$")),
            models.CheckConstraint(
                name="figures_correction_says_why",
                condition=(Q(version=1) | (~Q(reason_zh="") & ~Q(reason_en=""))) & Q(version__gte=1),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quarter} v{self.version}"
