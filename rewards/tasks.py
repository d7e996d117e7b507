"""Jobs of rewards."""

from django.utils import timezone
from procrastinate.contrib.django import app

from config.kernel.jobs import RETRIES
from rewards.services import (
    catalogue_upload_run,
    catalogue_uploads_forget,
    deliveries_forget,
    reservations_lapse,
)


@app.periodic(cron="* * * * *")
@app.task(queueing_lock="reservations_lapse")
def due_reservations_lapse(timestamp: int) -> None:
    """Every minute: reservations that ran out are written down, their pieces and codes are free."""
    reservations_lapse(now=timezone.now())


@app.periodic(cron="47 3 * * *")
@app.task(queueing_lock="deliveries_forget")
def old_deliveries_forget(timestamp: int) -> None:
    """Every night: where gifts went that were delivered 90 days ago."""
    deliveries_forget(now=timezone.now())


@app.task(retry=RETRIES, queue="long")
def run_catalogue_upload(upload: int) -> None:
    """Write the drafts of a file of gifts."""
    catalogue_upload_run(upload_id=upload, now=timezone.now())


@app.periodic(cron="53 3 * * *")
@app.task(queueing_lock="catalogue_uploads_forget")
def old_catalogue_uploads_forget(timestamp: int) -> None:
    """Every night: the rows and pictures of files of gifts from 30 days ago."""
    catalogue_uploads_forget(now=timezone.now())
