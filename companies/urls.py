from django.urls import path

from companies import views

urlpatterns = [
    path("companies/<int:pk>/", views.company, name="company"),
    path("companies/<int:pk>/projects/<int:project_pk>/", views.company, name="project"),
]
