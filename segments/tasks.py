"""Jobs of segments."""

from django.utils import timezone
from procrastinate.contrib.django import app

from config.kernel.jobs import RETRIES
from segments import services


@app.task(retry=RETRIES, queue="long")
def refresh_segment(refresh: int) -> None:
    """Bring a dynamic segment up to date."""
    services.refresh_run(refresh_id=refresh, now=timezone.now())


@app.task(retry=RETRIES, queue="long")
def run_upload(upload: int) -> None:
    """Put the members of a file into its segment."""
    services.upload_run(upload_id=upload, now=timezone.now())


@app.periodic(cron="7 * * * *")
@app.task(queueing_lock="refresh_segments")
def refresh_segments(timestamp: int) -> None:
    """Every hour, because days pass: all dynamic segments are asked for."""
    services.refresh_all(now=timezone.now())


@app.periodic(cron="51 3 * * *")
@app.task(queueing_lock="segments_forget")
def segments_forget(timestamp: int) -> None:
    """Every night: what became of refreshes long ago, and the rows of old files."""
    services.refreshes_forget(now=timezone.now())
    services.uploads_forget(now=timezone.now())
