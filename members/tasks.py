"""Jobs of members."""

from procrastinate.contrib.django import app

from members.services import tokens_clear


@app.periodic(cron="31 3 * * *")
@app.task(queueing_lock="expired_tokens_clear")
def expired_tokens_clear(timestamp: int) -> None:
    """Every night: access tokens that have expired."""
    tokens_clear()
