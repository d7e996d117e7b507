"""Jobs of the installation itself: the queue's own upkeep and staff's sessions."""

from importlib import import_module

from django.conf import settings
from procrastinate.contrib.django import app

from config.kernel import jobs


@app.periodic(cron="* * * * *")
@app.task(queueing_lock="stalled_jobs_retry")
def stalled_jobs_retry(timestamp: int) -> None:
    """Every minute: jobs of workers that died are queued again."""
    jobs.stalled_retry()


@app.periodic(cron="11 3 * * *")
@app.task(queueing_lock="finished_jobs_remove")
def finished_jobs_remove(timestamp: int) -> None:
    """Every night: jobs that ended days ago are forgotten."""
    jobs.finished_remove()


@app.periodic(cron="21 3 * * *")
@app.task(queueing_lock="sessions_clear")
def sessions_clear(timestamp: int) -> None:
    """Every night: sessions of the back office that are over."""
    import_module(settings.SESSION_ENGINE).SessionStore.clear_expired()
