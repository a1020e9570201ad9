"""What holds everywhere. local, test and production only say where they differ."""

from pathlib import Path
from typing import Any

import django_stubs_ext
import environ
from csp.constants import NONE, SELF
from django.templatetags.static import static
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _

from config import logs

# Lets annotations such as ModelForm[User] be evaluated at run time.
django_stubs_ext.monkeypatch()

env = environ.Env()

BASE_DIR = Path(__file__).resolve().parent.parent.parent
DATA_DIR = Path(env.str("DATA_DIR", default=str(BASE_DIR / ".data")))

DEBUG = False
SECRET_KEY = env.str("SECRET_KEY", default="")
ALLOWED_HOSTS: list[str] = []

INSTALLED_APPS = [
    "unfold.apps.BasicAppConfig",
    "unfold.contrib.filters",
    "unfold.contrib.import_export",
    "accounts.apps.BackOfficeConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.staticfiles",
    "django.forms",
    "allauth",
    "allauth.account",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "allauth.mfa",
    "crispy_forms",
    "crispy_bootstrap5",
    "csp",
    "django_countries",
    "django_filters",
    "django_fsm",
    "django_htmx",
    "django_tables2",
    "drf_spectacular",
    "import_export",
    "rest_framework",
    "interface",
    "config",
    "audit",
    "accounts",
    "documents",
    "jobs",
    "authorities",
    "companies",
    "employees",
    "sensitivity",
    "notifications",
    "approvals",
    "openness",
    "figures",
]

MIDDLEWARE = [
    "config.logs.RequestLog",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "accounts.middleware.ActorMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "notifications.context_processors.bell",
            ],
            "builtins": [
                "django.templatetags.i18n",
                "django.templatetags.static",
                "interface.templatetags.interface",
            ],
        },
    },
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

# The product connects as a role that owns nothing; migrations connect as the owner of the schema.
DATABASES = {
    "default": env.db_url("DATABASE_URL"),
    "owner": env.db_url("DATABASE_OWNER_URL", default=env.str("DATABASE_URL")),
}
for _database in DATABASES.values():
    _database["ENGINE"] = "django.db.backends.postgresql"
    _database["CONN_MAX_AGE"] = env.int("CONN_MAX_AGE", default=60)
    _database["CONN_HEALTH_CHECKS"] = True
DATABASES["owner"]["CONN_MAX_AGE"] = 0
# Behind a pooler that gives a connection to somebody else after each transaction this has to be off.
PREPARE_STATEMENTS = env.bool("PREPARE_STATEMENTS", default=True)
DATABASE_ROUTERS = ["config.routers.OneDatabase"]

REDIS_URL = env.str("REDIS_URL")
CACHES = {"default": {"BACKEND": "config.caching.Cache", "LOCATION": REDIS_URL}}

CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TIMEZONE = "Asia/Shanghai"
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {"socket_timeout": 5, "socket_connect_timeout": 2}
CELERY_TASK_PUBLISH_RETRY = False

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# People sign in by e-mail; accounts are made by administrators and officers, not by strangers.
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "allauth.account.auth_backends.AuthenticationBackend",
    "accounts.backoffice.BackOfficePermissions",
]
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_ADAPTER = "accounts.adapters.AccountAdapter"
ACCOUNT_FORMS = {
    "login": "accounts.forms.LoginForm",
    "reset_password": "accounts.forms.ResetPasswordForm",
    "reset_password_from_key": "accounts.forms.ResetPasswordKeyForm",
    "change_password": "accounts.forms.ChangePasswordForm",
    "set_password": "accounts.forms.SetPasswordForm",
    "add_email": "accounts.forms.AddEmailForm",
    "change_email": "accounts.forms.ChangeEmailForm",
    "reauthenticate": "accounts.forms.ReauthenticateForm",
}
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_LOGOUT_ON_GET = False
# Accounts are made for people, under the address that their administrator knows them by: it needs no second proof.
MFA_ALLOW_UNVERIFIED_EMAIL = True
MFA_PASSKEY_LOGIN_ENABLED = True
ACCOUNT_MAX_EMAIL_ADDRESSES = 1
MFA_FORMS = {
    "authenticate": "accounts.forms.SecondStepForm",
    "reauthenticate": "accounts.forms.SecondStepAgainForm",
    "activate_totp": "accounts.forms.ActivateAppForm",
    "add_webauthn": "accounts.forms.AddKeyForm",
    "edit_webauthn": "accounts.forms.RenameKeyForm",
}
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes", "webauthn"]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
SESSION_ENGINE = "django.contrib.sessions.backends.cached_db"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_AGE = 12 * 60 * 60

LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", _("Simplified Chinese")), ("en", _("English"))]
FORMAT_MODULE_PATH = ["config.formats"]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "Asia/Shanghai"
USE_I18N = True
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = DATA_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES: dict[str, dict[str, Any]] = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
    "attachments": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": DATA_DIR / "attachments", "base_url": None, "file_permissions_mode": 0o600},
    },
    "papers": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": DATA_DIR / "papers", "base_url": None, "file_permissions_mode": 0o600},
    },
}
ATTACHMENT_MAX_BYTES = 20 * 1024 * 1024
# Files that are taken over into lists: rows, bytes, and bytes once unpacked. Beyond these they are refused unread.
LIST_FILE_MAX_ROWS = env.int("LIST_FILE_MAX_ROWS", default=200_000)
LIST_FILE_MAX_BYTES = env.int("LIST_FILE_MAX_BYTES", default=64 * 1024 * 1024)
LIST_FILE_MAX_UNPACKED_BYTES = env.int("LIST_FILE_MAX_UNPACKED_BYTES", default=300 * 1024 * 1024)
# What a request of each tier costs an office, in days of one reviewer: for rehearsals of lists. Any part can be set.
REVIEWER_DAYS = {"fast": 0.1, "standard": 0.3, "heightened": 1.0, "restricted": 2.5} | env.dict(
    "REVIEWER_DAYS", cast={"value": float}, default={}
)
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "manifest-src": [SELF],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"

CRISPY_ALLOWED_TEMPLATE_PACKS = "bootstrap5"
CRISPY_TEMPLATE_PACK = "bootstrap5"
CRISPY_FAIL_SILENTLY = False
DJANGO_TABLES2_TEMPLATE = "django_tables2/bootstrap5.html"


def _page(title: Any, icon: str, model: str) -> dict[str, Any]:
    """A line of the back office's navigation: the list of `model`, for those who may look at it."""
    app, _dot, name = model.partition(".")
    return {
        "title": title,
        "icon": icon,
        "link": reverse_lazy(f"admin:{app}_{name}_changelist"),
        "permission": lambda request: request.user.has_perm(f"{app}.view_{name}"),
    }


UNFOLD = {
    "SITE_TITLE": _("Exit approvals: back office"),
    "SITE_HEADER": _("Back office"),
    "SITE_SUBHEADER": _("Exit approvals"),
    "SITE_URL": "/",
    "SITE_SYMBOL": "settings",
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "BORDER_RADIUS": "4px",
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("img/favicon.svg")}],
    "STYLES": [lambda request: static("css/back_office.css")],
    # The blue of the pages, as unfold wants its shades: lightness, chroma and hue.
    "COLORS": {
        "primary": {
            "50": "oklch(97% .013 245)",
            "100": "oklch(93% .03 245)",
            "200": "oklch(88% .055 245)",
            "300": "oklch(80% .09 245)",
            "400": "oklch(68% .12 245)",
            "500": "oklch(61% .12 245)",
            "600": "oklch(46% .1 245)",
            "700": "oklch(40% .09 245)",
            "800": "oklch(34% .07 245)",
            "900": "oklch(29% .06 245)",
            "950": "oklch(21% .05 245)",
        }
    },
    "SIDEBAR": {
        "show_search": True,
        "show_all_applications": False,
        "navigation": [
            {
                "title": _("People"),
                "items": [
                    _page(_("Accounts"), "person", "accounts.user"),
                    _page(_("Role assignments"), "badge", "accounts.roleassignment"),
                    _page(_("Postings"), "assignment_ind", "authorities.posting"),
                    _page(_("Compliance officers"), "verified_user", "companies.membership"),
                    _page(_("Employees"), "groups", "employees.employee"),
                ],
            },
            {
                "title": _("Authority"),
                "items": [
                    _page(_("Offices"), "account_balance", "authorities.office"),
                    _page(_("Hearing offices"), "balance", "approvals.hearingoffice"),
                    _page(_("Legal instruments"), "gavel", "authorities.legalinstrument"),
                    _page(_("Reason codes"), "rule", "authorities.reasoncode"),
                    _page(_("Calendar years"), "calendar_month", "authorities.calendaryear"),
                    _page(_("Clock policies"), "timer", "authorities.clockpolicy"),
                ],
            },
            {
                "title": _("Companies"),
                "items": [
                    _page(_("Companies"), "domain", "companies.company"),
                    _page(_("Projects"), "folder", "companies.project"),
                ],
            },
            {
                "title": _("Sensitivity lists"),
                "items": [
                    _page(_("Lists"), "list", "sensitivity.sensitivitylist"),
                    _page(_("List versions"), "history", "sensitivity.listversion"),
                ],
            },
            {
                "title": _("To look at"),
                "items": [
                    _page(_("Travel requests"), "flight_takeoff", "approvals.travelrequest"),
                    _page(_("Access log"), "visibility", "accounts.accessentry"),
                    _page(_("Keys of clearances"), "key", "documents.signingkey"),
                ],
            },
        ],
    },
}

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.SessionAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "approvals.api.problems.problem_document",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Exit approvals",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.IsAuthenticated"],
    "ENUM_NAME_OVERRIDES": {
        "RequestState": "approvals.states.State.choices",
        "ConditionState": "approvals.models.conditions.ConditionState.choices",
    },
}

DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="Exit approvals <noreply@exit-approvals.example>")
# The address that links in mail begin with.
PUBLIC_URL = env.str("PUBLIC_URL", default="http://localhost:8000")
# Ed25519 private key (base64 of the 32 raw bytes) that signs the daily audit checkpoint.
AUDIT_SIGNING_KEY = env.str("AUDIT_SIGNING_KEY", default="")

# Public figures of a quarter come out so many days after its end, and do not change from then on.
FIGURES_DELAY_DAYS = env.int("FIGURES_DELAY_DAYS", default=15)

# The key and certificate (a PKCS#12 file) that sign papers. None is issued without; a checkout makes one for tests.
PAPER_CERTIFICATE = env.str("PAPER_CERTIFICATE", default="")
PAPER_CERTIFICATE_PASSWORD = env.str("PAPER_CERTIFICATE_PASSWORD", default="")
PAPER_CERTIFICATE_MADE = ""
# Folders with more fonts, for characters that those of set-up do not have.
PAPER_FONTS = env.list("PAPER_FONTS", default=[])
# Seals the private halves of the keys that sign clearances (32 bytes in base64).
CLEARANCE_KEY_SECRET = env.str("CLEARANCE_KEY_SECRET", default="")

# Who shows this may read /metrics/; empty: nobody may, and the address does not exist.
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")

LOG_LEVEL = env.str("LOG_LEVEL", default="INFO")
LOGGING = logs.configuration(level=LOG_LEVEL, as_json=False)
