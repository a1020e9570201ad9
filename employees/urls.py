from django.urls import path

from employees import views

urlpatterns = [
    path("employees/", views.employee_list, name="employees"),
    path("employees/new/", views.employee_new, name="employee_new"),
    path("employees/<int:pk>/", views.employee_edit, name="employee"),
]
