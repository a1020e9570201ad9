"""The pages of this app. Applicants' pages and staff's pages each have their list."""

from django.urls import path  # noqa: F401

urlpatterns: list[object] = [
    # ── applicant ──
    # ── verbs ──
    # ── staff ──
]
