"""The addresses of the API."""

from django.urls import path

from approvals.api import views

urlpatterns = [
    path("requests/", views.RequestList.as_view(), name="api_requests"),
    path("requests/<str:reference>/", views.RequestDetail.as_view(), name="api_request"),
    path("requests/<str:reference>/actions/<slug:verb>/", views.RequestAction.as_view(), name="api_action"),
]
