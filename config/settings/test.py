"""Tests: real servers, fast password hashing, mail kept in memory."""

import os

from config import embedded

# Before the base settings are read, because they say where the servers are.
TEST_SLOT = embedded.named_for_tests()
os.environ["REDIS_URL"] = f"{os.environ['REDIS_URL'].rpartition('/')[0]}/{TEST_SLOT}"

from config.settings.base import *  # noqa: E402 F403
from config.settings.base import BASE_DIR, DATA_DIR, STORAGES, env  # noqa: E402

SECRET_KEY = "only-for-tests-" + "x" * 50
AUDIT_SIGNING_KEY = "qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqo="
CLEARANCE_KEY_SECRET = "u7u7u7u7u7u7u7u7u7u7u7u7u7u7u7u7u7u7u7u7u7s="
PAPER_CERTIFICATE = ""
PAPER_CERTIFICATE_MADE = str(DATA_DIR / "test" / f"papers-{TEST_SLOT}.p12")
DEMO_ALLOWED = True
ALLOWED_HOSTS = ["*"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
CELERY_TASK_ALWAYS_EAGER = env.bool("CELERY_EAGER", default=False)
STATIC_ROOT = BASE_DIR / "static"  # nothing is collected
STORAGES = STORAGES | {
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    "attachments": {
        **STORAGES["attachments"],
        "OPTIONS": {**STORAGES["attachments"]["OPTIONS"], "location": DATA_DIR / "test" / f"attachments-{TEST_SLOT}"},
    },
    "papers": {
        **STORAGES["papers"],
        "OPTIONS": {**STORAGES["papers"]["OPTIONS"], "location": DATA_DIR / "test" / f"papers-{TEST_SLOT}"},
    },
}
# Tests look at SQL, which a kept statement hides; accounts' tests switch it on.
PREPARE_STATEMENTS = env.bool("PREPARE_STATEMENTS", default=False)
