"""Consents said on two devices at once are both kept, and who writes of one member holds nobody else up."""

from collections.abc import Callable
from functools import partial
from threading import Barrier, Event, Thread
from typing import Any

import pytest
from django.db import connections, transaction
from django.utils import timezone

from members.models import ConsentChange, ConsentPurpose, ConsentWording, Member, Programme
from members.services import Speaker, consent_purpose_save, consent_say, consents, member_update, members
from tests.factories import ApiClient
from tests.races.crowd import at_once, waiting

pytestmark = pytest.mark.django_db(transaction=True)
CODES = ["news", "sms", "post", "calls"]
HERSELF = Speaker(ConsentChange.Source.MEMBER)


@pytest.fixture
def asked(ada: Member) -> Member:
    """Ada agreed to everything."""
    Member.objects.filter(pk=ada.pk).update(consents=dict.fromkeys(CODES, True))
    ada.refresh_from_db()
    return ada


def withdraw(member: Member, code: str) -> None:
    consent_say(member=member, code=code, value=False, wording=None, speaker=HERSELF, now=timezone.now())


def withdraw_the_old_way(meet: Callable[[], Any], member: Member, code: str) -> None:
    """All consents as a page showed them, with one changed."""
    seen = Member.objects.get(pk=member.pk)
    meet()
    changed = {**seen.consents, code: False}
    member_update(member=seen, now=timezone.now(), speaker=HERSELF, consents=changed)


def test_each_is_kept(asked: Member) -> None:
    at_once([partial(withdraw, asked, code) for code in CODES], threads=len(CODES))
    asked.refresh_from_db()
    assert asked.consents == dict.fromkeys(CODES, False)
    assert ConsentChange.objects.filter(value=False).count() == len(CODES)


def test_a_form_of_all_would_lose_some(asked: Member) -> None:
    """The negative control."""
    meet = Barrier(len(CODES)).wait
    at_once([partial(withdraw_the_old_way, meet, asked, code) for code in CODES], threads=len(CODES))
    asked.refresh_from_db()
    assert asked.consents != dict.fromkeys(CODES, False)


def test_a_purpose_that_two_set_up_at_once(programme: Programme, monkeypatch: pytest.MonkeyPatch) -> None:
    """One of them makes it, and both are heard: each wrote words of its own."""
    monkeypatch.setattr(consents, "check_fields", waiting(2, consents.check_fields))
    save = partial(consent_purpose_save, programme=programme, code="news", now=timezone.now())
    at_once([partial(save, names={"fr": name}) for name in ("Lettre", "Nouvelles")])
    assert ConsentPurpose.objects.count() == 1
    assert list(ConsentWording.objects.values_list("number", flat=True)) == [2, 1]


def enrol_while_ada_is_changed(till: ApiClient, ada: Member) -> int:
    """The status of an enrolment that is asked for while another request changes ada and takes its time."""
    is_changed, may_go = Event(), Event()

    def change() -> None:
        try:
            with transaction.atomic():
                member_update(member=ada, now=timezone.now(), first_name="Ada L.")
                is_changed.set()
                may_go.wait(20)
        finally:
            is_changed.set()
            connections.close_all()

    thread = Thread(target=change)
    thread.start()
    assert is_changed.wait(5)
    try:
        return till.post_json("/api/v1/members", {"member": "10099"}).status_code
    finally:
        may_go.set()
        thread.join()


def test_nobody_waits_for_another_members_change(till: ApiClient, ada: Member) -> None:
    assert enrol_while_ada_is_changed(till, ada) == 201


def test_with_the_programme_locked_everybody_would(
    till: ApiClient, ada: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: the joined row locked too, as a lock on a join does unless told otherwise."""

    def locked(*, member: Member) -> Member:
        return Member.objects.select_for_update().select_related("programme").get(pk=member.pk)

    monkeypatch.setattr(members, "member_locked", locked)
    monkeypatch.setattr(consents, "member_locked", locked)
    assert enrol_while_ada_is_changed(till, ada) == 503
