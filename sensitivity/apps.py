from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SensitivityConfig(AppConfig):
    name = "sensitivity"
    verbose_name = _("Sensitivity lists")

    def ready(self) -> None:
        from sensitivity import importing, notices

        notices.register()
        importing.register()
