from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class AuthoritiesConfig(AppConfig):
    name = "authorities"
    verbose_name = _("Authorities")

    def ready(self) -> None:
        from accounts import actors
        from authorities import grounds, histories, models, seeding

        actors.grants_from(models.Posting.grants)
        grounds.register()
        histories.register()
        post_migrate.connect(seeding.after_migrate, sender=self, dispatch_uid="authorities.seeding")
