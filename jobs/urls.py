from django.urls import path

from jobs import views

urlpatterns = [
    path("jobs/", views.jobs_page, name="jobs"),
    path("jobs/<uuid:pk>/", views.job_page, name="job"),
]
