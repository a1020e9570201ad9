"""Tests: real servers, fast password hashing, mail kept in memory."""

from config.settings.base import *  # noqa: F403
from config.settings.base import REST_FRAMEWORK, STORAGES, env

SECRET_KEY = "only-for-tests-" + "x" * 50
AUDIT_SIGNING_KEY = "qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqo="
DEMO_ALLOWED = True
ALLOWED_HOSTS = ["*"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
CELERY_TASK_ALWAYS_EAGER = env.bool("CELERY_EAGER", default=False)
STORAGES = STORAGES | {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
