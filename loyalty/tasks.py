"""Jobs of loyalty."""

from django.utils import timezone
from procrastinate.contrib.django import app

from config.kernel.jobs import RETRIES
from loyalty.services import accounts_settle, keys_forget, replay_run, tiers_review


@app.periodic(cron="*/5 * * * *")
@app.task(queueing_lock="accounts_settle")
def idle_accounts_settle(timestamp: int) -> None:
    """Every five minutes: points of idle accounts activate, pay debt and expire."""
    accounts_settle(now=timezone.now())


@app.periodic(cron="41 3 * * *")
@app.task(queueing_lock="keys_forget")
def old_keys_forget(timestamp: int) -> None:
    """Every night: idempotency keys older than 30 days."""
    keys_forget(now=timezone.now())


@app.task(queue="long", retry=RETRIES)
def replay(replay_id: int) -> None:
    """When asked for: a draft over the stored baskets of a period."""
    replay_run(replay_id=replay_id)


@app.periodic(cron="2 * * * *")
@app.task(queueing_lock="tiers_review")
def tiers_reviewed(timestamp: int) -> None:
    """Every hour, soon after midnight wherever a programme is: periods and grants that ended, changed rules."""
    tiers_review(now=timezone.now())
