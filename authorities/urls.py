from django.urls import path

from authorities import views

urlpatterns = [
    path("grounds/", views.grounds_page, name="grounds"),
    path("grounds/<str:code>/", views.ground_page, name="ground"),
    path("absences/", views.absences_page, name="absences"),
    path("absences/<int:pk>/end/", views.absence_end, name="absence_end"),
]
