"""The installation as an app: its commands, and what it remembers of its own running."""

from django.apps import AppConfig


class InstallationConfig(AppConfig):
    name = "config"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from config import ticks  # noqa: F401 - listens from now on
