"""The pages of this app."""

from django.urls import path

from openness import views

urlpatterns = [
    path("my-data/", views.my_data, name="my_data"),
    path("my-data/<uuid:pk>/", views.my_data_file, name="my_data_file"),
    path("corrections/", views.correction_list, name="corrections"),
    path("corrections/new/", views.correction_new, name="correction_new"),
    path("corrections/<uuid:pk>/", views.correction_page, name="correction"),
    path("retention/", views.retention_page, name="retention"),
    path("retention/<int:version>/publish/", views.retention_publish, name="retention_publish"),
]
