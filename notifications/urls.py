from django.urls import path

from notifications import views

urlpatterns = [
    path("notifications/", views.notification_list, name="notifications"),
    path("notifications/bell/", views.notification_bell, name="notifications_bell"),
    path("notifications/read/", views.notification_read_all, name="notifications_read"),
    path("notifications/failures/", views.notification_failures, name="notification_failures"),
    path("notifications/failures/again/", views.notification_try_again, name="notification_try_again"),
    path("notifications/<uuid:pk>/", views.notification_open, name="notification"),
    path("notifications/<uuid:pk>/read/", views.notification_read, name="notification_read"),
]
