"""Production: nothing has a default that would be unsafe; a missing setting stops the start."""

from config import logs
from config.settings.base import *  # noqa: F403
from config.settings.base import BASE_DIR, LOG_LEVEL, env

DEBUG = False
DEMO_ALLOWED = False
SECRET_KEY = env.str("SECRET_KEY")
# Keys of before, separated by commas: what they signed (sessions, links in mails) holds until they are taken out.
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
AUDIT_SIGNING_KEY = env.str("AUDIT_SIGNING_KEY")
PAPER_CERTIFICATE = env.str("PAPER_CERTIFICATE")
CLEARANCE_KEY_SECRET = env.str("CLEARANCE_KEY_SECRET")
PUBLIC_URL = env.str("PUBLIC_URL")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS")
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]

# Made when the image is built; not in DATA_DIR, whose files outlive a release.
STATIC_ROOT = env.str("STATIC_ROOT", default=str(BASE_DIR / "staticfiles"))

SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=True)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_REDIRECT_EXEMPT = [r"^health/"]
SECURE_HSTS_SECONDS = 365 * 24 * 60 * 60
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True

EMAIL_CONFIG = env.email_url("EMAIL_URL")
vars().update(EMAIL_CONFIG)

LOGGING = logs.configuration(level=LOG_LEVEL, as_json=True)
