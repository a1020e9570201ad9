from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ApprovalsConfig(AppConfig):
    name = "approvals"
    verbose_name = _("Travel requests")

    def ready(self) -> None:
        from approvals import feeds, notices, papers, rehearsal, settling

        feeds.register()
        notices.register()
        papers.register()
        rehearsal.register()
        settling.register()
