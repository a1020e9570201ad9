from django.urls import path

from interface import views

urlpatterns = [
    path("language/", views.set_language, name="choose_language"),
    path("styleguide/", views.styleguide_page, name="styleguide"),
]
