from django.urls import path

from figures import views

urlpatterns = [
    path("figures/", views.figures, name="figures"),
    path("figures/<str:quarter>.csv", views.figures_file, name="figures_file"),
    path("consistency/", views.consistency_page, name="consistency"),
]
