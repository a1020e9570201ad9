from django.urls import path

from authorities import views

urlpatterns = [
    path("absences/", views.absences_page, name="absences"),
    path("absences/<int:pk>/end/", views.absence_end, name="absence_end"),
]
