from django.apps import AppConfig
from django.contrib.admin import apps as admin
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = _("Accounts")
    default = True

    def ready(self) -> None:
        from accounts import actors, models

        actors.grants_from(models.RoleAssignment.grants)


class BackOfficeConfig(admin.AdminConfig):
    """Django's admin, with our site as the one that everything registers at."""

    default = False
    default_site = "accounts.backoffice.BackOffice"
