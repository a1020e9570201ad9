from django.urls import path

from notifications import views

urlpatterns = [
    path("notifications/", views.notification_list, name="notifications"),
    path("notifications/bell/", views.notification_bell, name="notifications_bell"),
    path("notifications/read/", views.notification_read_all, name="notifications_read"),
    path("notifications/failures/", views.notification_failures, name="notification_failures"),
    path("notifications/failures/again/", views.notification_try_again, name="notification_try_again"),
    path("notifications/preferences/", views.notification_preferences, name="notification_preferences"),
    path("notifications/calendar/", views.calendar_feed_change, name="calendar_feed_change"),
    path("notifications/address/", views.mail_address_check, name="mail_address_check"),
    # These three are secrets: see discretion.py, which keeps them out of the logs.
    path("notifications/address/<str:token>/", views.mail_address_confirm, name="mail_address_confirm"),
    path("notifications/unsubscribe/<str:token>/", views.notification_unsubscribe, name="notification_unsubscribe"),
    path("calendar/<str:token>.ics", views.calendar_feed, name="calendar_feed"),
    path("notifications/<uuid:pk>/", views.notification_open, name="notification"),
    path("notifications/<uuid:pk>/read/", views.notification_read, name="notification_read"),
]
