"""For the processes that tests/approvals/test_survival.py starts and kills: mail goes to a real port."""

from config.settings.local import *  # noqa: F403
from config.settings.local import STORAGES, env

DEBUG = False
EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
EMAIL_HOST = "127.0.0.1"
EMAIL_PORT = env.int("MAIL_PORT")
STORAGES = STORAGES | {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
