"""Every address of the product. Each app keeps its own; this file says which apps have some."""

from django.contrib import admin
from django.urls import include, path

from config import health, metrics, views

urlpatterns = [
    path("admin/", admin.site.urls),
    path("accounts/", include("allauth.urls")),
    path("api/", include("config.api")),
    path("i18n/", include("django.conf.urls.i18n")),
    path("", include("interface.urls")),
    path("", include("approvals.urls")),
    path("", include("authorities.urls")),
    path("", include("companies.urls")),
    path("", include("employees.urls")),
    path("", include("figures.urls")),
    path("", include("jobs.urls")),
    path("", include("openness.urls")),
    path("", include("sensitivity.urls")),
    path("", include("notifications.urls")),
    path("health/live/", health.live, name="health_live"),
    path("health/ready/", health.Ready.as_view(), name="health_ready"),
    path("health/work/", health.work, name="health_work"),
    path("metrics/", metrics.metrics, name="metrics"),
    path("operations/", views.operations_page, name="operations"),
]
