"""The pages of this app. Applicants' pages and staff's pages each have their list."""

from django.urls import URLPattern, path

from approvals.views import actions

urlpatterns: list[URLPattern] = [
    # ── applicant ──
    # ── verbs ──
    path("requests/<str:reference>/do/<slug:verb>/", actions.request_do, name="request_do"),
    # ── staff ──
]
