"""The addresses of the API of all apps, and its schema."""

from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView

urlpatterns = [
    path("", include("approvals.api.urls")),
    path("schema/", SpectacularAPIView.as_view(), name="api_schema"),
]
