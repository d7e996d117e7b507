"""Jobs of rewards."""

from django.utils import timezone
from procrastinate.contrib.django import app

from rewards.services import deliveries_forget, reservations_lapse


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
