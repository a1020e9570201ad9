"""Celery: the application and the beat schedule, as code.

The broker carries hints, never facts: every task here says "look now" and may be lost or doubled
without harm, because what is due is a row in PostgreSQL. No task has a countdown or an eta.
"""

import os

from celery import Celery
from celery.schedules import crontab

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.local")

app = Celery("exit_approvals")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

app.conf.beat_schedule = {
    "sweep-clocks": {"task": "approvals.tasks.sweep_clocks", "schedule": 60.0},
    "settle-clocks": {"task": "approvals.tasks.settle_clocks", "schedule": 60.0},
    "return-cases": {"task": "approvals.tasks.return_cases", "schedule": 60.0},
    # One look is one query of an empty index: so a letter is there when somebody comes for it.
    "make-papers": {"task": "approvals.tasks.make_papers", "schedule": 15.0},
    "run-jobs": {"task": "jobs.tasks.run_jobs", "schedule": 60.0},
    "deliver-notifications": {"task": "notifications.tasks.deliver", "schedule": 60.0},
    "remind-of-list-ends": {"task": "sensitivity.tasks.remind_of_ends", "schedule": crontab(minute=15)},
    # Every hour: a quarter is published once, however often it is asked for.
    "publish-figures": {"task": "figures.tasks.publish_figures", "schedule": crontab(minute=25)},
    # Every hour, and only the first of a day begins a run.
    "keep-to-the-time": {"task": "openness.tasks.keep_to_the_time", "schedule": crontab(minute=35)},
    # Every hour, and only the first of a day signs: so a tick that was missed is made up.
    "sign-audit-checkpoint": {"task": "audit.tasks.sign_checkpoint", "schedule": crontab(minute=5)},
}
