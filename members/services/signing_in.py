"""Sign-in without a partner: a one-use link, sent to an address that may or may not be a member's."""

from datetime import datetime, timedelta
from uuid import UUID

from django.core.mail import EmailMessage
from django.db import transaction as db_transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation

from members.models import Member, MemberSession, Programme, SignInRequest
from members.selectors import language_for
from members.services.identification import email_session_open

LINKS_PER_ADDRESS = 5
"""Within an hour; what is asked for beyond is taken and not answered."""


def sign_in_request(
    *, programme: Programme, email: str, site: str, device: str, now: datetime
) -> SignInRequest | None:
    """Note that someone wants a link sent to this address; None when it had too many within the hour.

    Known and unknown addresses are treated alike up to here, and in the same time: whether a member has it
    is looked up by the job that sends the mail. `site` is this installation as the browser reached it.
    """
    hour_ago = now - timedelta(hours=1)
    recent = SignInRequest.objects.filter(programme=programme, email__iexact=email, requested_at__gt=hour_ago)
    if recent.count() >= LINKS_PER_ADDRESS:
        return None
    return SignInRequest.objects.create(
        programme=programme, email=email, site=site, device=device, requested_at=now
    )


def sign_in_answer(*, request_id: UUID, now: datetime) -> int:
    """Send the links, one mail for each active member with this address; returns how many went out.

    Answering a request twice sends nothing the second time, unless a mail could not be sent. Nobody is locked
    while mails go out.
    """
    mails = _answer(request_id, now)
    try:
        for mail in mails:
            mail.send()
    except Exception:
        SignInRequest.objects.filter(pk=request_id).update(answered_at=None)
        raise
    return len(mails)


@db_transaction.atomic
def _answer(request_id: UUID, now: datetime) -> list[EmailMessage]:
    asked = (
        SignInRequest.objects.select_for_update(of=("self",))
        .select_related("programme")
        .filter(pk=request_id, answered_at=None)
        .first()
    )
    if asked is None or asked.programme.status != Programme.Status.ACTIVE:
        return []
    asked.answered_at = now
    asked.save(update_fields=["answered_at"])
    members = Member.objects.filter(
        programme=asked.programme, email__iexact=asked.email, status=Member.Status.ACTIVE
    ).select_related("programme")
    # Members are locked by id, as everywhere.
    return [_mail(asked, member, now) for member in members.order_by("pk")]


def _mail(asked: SignInRequest, member: Member, now: datetime) -> EmailMessage:
    token = email_session_open(member=member, device=asked.device, now=now)
    words = {
        "member": member,
        "programme": asked.programme,
        "url": asked.site.rstrip("/") + reverse("member-enter-by-email", args=[token]),
    }
    with translation.override(language_for(member.language)):
        subject = render_to_string("members/mail/sign_in_subject.txt", words).strip()
        return EmailMessage(subject, render_to_string("members/mail/sign_in.txt", words), to=[member.email])


def sessions_clean(*, now: datetime, keep: timedelta = timedelta(days=1)) -> int:
    """Delete sign-in requests and sessions that ended `keep` ago; returns how many rows went."""
    requests = SignInRequest.objects.filter(requested_at__lt=now - keep).delete()[0]
    return requests + MemberSession.objects.filter(expires_at__lt=now - keep).delete()[0]
