"""Development: embedded servers, mail on the console, demonstration accounts allowed."""

from config.secrets import kept
from config.settings.base import *  # noqa: F403
from config.settings.base import DATA_DIR, env

# Off, so that the demonstration shows the pages that people see; on, errors say where they come from.
DEBUG = env.bool("DEBUG", default=False)
DEMO_ALLOWED = True
SECRET_KEY = env.str("SECRET_KEY", default="") or kept(DATA_DIR, "secret_key")
AUDIT_SIGNING_KEY = env.str("AUDIT_SIGNING_KEY", default="") or kept(DATA_DIR, "audit_signing_key")
CLEARANCE_KEY_SECRET = env.str("CLEARANCE_KEY_SECRET", default="") or kept(DATA_DIR, "clearance_key_secret")
PAPER_CERTIFICATE_MADE = str(DATA_DIR / "secrets" / "papers-test.p12")
ALLOWED_HOSTS = ["*"]
EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
