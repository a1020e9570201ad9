from django.apps import AppConfig, apps
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class AuditConfig(AppConfig):
    name = "audit"
    verbose_name = _("Audit log")

    def ready(self) -> None:
        from audit import grants, setup

        setup.register()
        # The signal comes once for each app, in this order: after the last one every table exists.
        last = [config for config in apps.get_app_configs() if config.models_module][-1]
        post_migrate.connect(grants.after_migrate, sender=last, dispatch_uid="audit.grants")
