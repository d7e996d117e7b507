"""Jobs of members."""

from uuid import UUID

from django.utils import timezone
from procrastinate.contrib.django import app

from config.kernel.jobs import RETRIES
from members.services import sessions_clean, sign_in_answer, tokens_clear


@app.task(retry=RETRIES)
def answer_sign_in(request_id: str) -> None:
    """Send the sign-in links that were asked for: after the answer, so that its time tells nothing."""
    sign_in_answer(request_id=UUID(request_id), now=timezone.now())


@app.periodic(cron="31 3 * * *")
@app.task(queueing_lock="expired_tokens_clear")
def expired_tokens_clear(timestamp: int) -> None:
    """Every night: access tokens that have expired."""
    tokens_clear()


@app.periodic(cron="37 3 * * *")
@app.task(queueing_lock="ended_sessions_clean")
def ended_sessions_clean(timestamp: int) -> None:
    """Every night: members' sessions that are over, and what was asked for to sign in."""
    sessions_clean(now=timezone.now())
