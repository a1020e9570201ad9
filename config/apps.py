"""The installation as an app: its commands, and what it remembers of its own running."""

from django.apps import AppConfig


class InstallationConfig(AppConfig):
    name = "config"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from config import logs, ticks  # noqa: F401 - ticks listens from now on

        logs.listen_to_celery()
