"""Nobody brings an erased person back: not who still holds the member, not a job, not what a writer forgot."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection
from django.db import transaction as db_transaction

from config.kernel.errors import NotFound
from loyalty.models import (
    Account,
    Lot,
    Tier,
    Transaction,
)
from loyalty.services import (
    ReversalCommand,
    Write,
    tier_grant,
    tier_update,
    tiers_review,
    transaction_reverse,
)
from members.errors import MemberNotActive
from members.models import Member
from members.services import email_session_open, member_close, member_update, session_open
from rewards.errors import IllegalStep
from rewards.models import Redemption
from rewards.services import MoveCommand, Status, redemption_move
from segments.criteria import parse
from segments.models import Segment
from segments.selectors import criteria_preview
from segments.services import criteria_save, member_pin, membership_add, refresh_request, refresh_run
from tests.config.quill import FIGURES, WORD, erase
from tests.factories import ApiClient
from tests.fixtures import ada, eve, nothing_remembered, programme  # noqa: F401
from tests.ledger_checks import ledger_holds  # noqa: F401
from tests.loyalty.conftest import club, monday, till  # noqa: F401
from tests.loyalty.desks import desk, stranger  # noqa: F401
from tests.loyalty.worlds import MONDAY
from tests.rewards.test_vouchers import dump

pytestmark = pytest.mark.django_db


# --- Nobody brings the person back --------------------------------------------------------------------


def test_who_still_holds_the_member_writes_nothing(
    till: ApiClient,  # noqa: F811
    quill: Member,
    code: str,
    club: Segment,  # noqa: F811
) -> None:
    stale = Member.objects.select_related("programme").get(pk=quill.pk)
    erase(quill)
    before, silver = dump(), Tier.objects.get(code="SILVER")
    grant = {"reason": WORD, "actor": "staff:carol", "until": MONDAY + timedelta(days=9), "now": MONDAY}
    pinned = Segment.objects.get(code="rich")
    writes: dict[str, Any] = {
        "update": lambda: member_update(member=stale, now=MONDAY, first_name=WORD),
        "close": lambda: member_close(member=stale, now=MONDAY),
        "erase": lambda: erase(stale),
        "identify": lambda: session_open(partner=till.partner, member=stale, now=MONDAY),
        "mail": lambda: email_session_open(member=stale, now=MONDAY),
        "segment": lambda: membership_add(segment=club, member=stale, now=MONDAY, reason=WORD),
        "pin": lambda: member_pin(segment=pinned, member=stale, reason=WORD, now=MONDAY, source="staff"),
        "tier": lambda: tier_grant(member=stale, tier=silver, **grant),
    }
    for name, write in writes.items():
        with pytest.raises(NotFound):
            write()
        assert dump() == before, name


def test_nothing_is_taken_back_any_more(quill: Member, code: str) -> None:
    """Staff see the documents under what stands for their references."""
    erased = erase(quill)
    write = Write(erased.programme_id, MONDAY)
    purchase = Transaction.objects.filter(account_id=erased.pk).order_by("id")[1]
    with pytest.raises(MemberNotActive):
        transaction_reverse(write=write, command=ReversalCommand(purchase.reference, "RET", None))
    parcel = Redemption.objects.filter(member=erased, status="delivered", is_digital=False).get()
    command = MoveCommand(parcel.reference, Status.RETURN_REQUESTED, "staff:carol")
    with pytest.raises(IllegalStep):
        redemption_move(write=write, command=command)
    account = Account.objects.get(pk=erased.pk)
    assert [getattr(account, name) for name in FIGURES] == [0, 0, 0, 0]
    assert not Lot.objects.filter(account=erased.pk, remaining__gt=0).exists()


def test_jobs_leave_the_row_alone(quill: Member, code: str) -> None:
    erased = erase(quill)
    rich = Segment.objects.get(code="rich")
    gone = {"all": [{"not": {"field": "status", "op": "in", "value": ["active"]}}]}
    criteria_save(segment=rich, criteria=gone, now=MONDAY)
    assert criteria_preview(rich, parse(gone), MONDAY).meant.count == 0
    refresh_run(refresh_id=refresh_request(segment=rich, now=MONDAY).pk, now=MONDAY)
    tier_update(tier=Tier.objects.get(code="SILVER"), name="Silver", rank=1, threshold=1)
    tiers_review(now=MONDAY)
    erased.refresh_from_db()
    assert (erased.memberships.count(), erased.tier) == (0, "")


# --- What the database refuses by itself ---------------------------------------------------------------

EMPTYING = ("UPDATE loyalty_tierchange SET reason = ''", "UPDATE rewards_move SET note = '', tracking = ''")
OTHER = (
    "UPDATE loyalty_tierchange SET reason = 'kinder'",
    "UPDATE loyalty_tierchange SET reason = '', after = 'GOLD'",
    "DELETE FROM loyalty_tierchange",
    "UPDATE rewards_move SET note = 'kinder', tracking = ''",
    "UPDATE rewards_move SET note = '', tracking = '', status = 'returned'",
    "DELETE FROM rewards_move",
)


def run(statement: str) -> None:
    with db_transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.parametrize("statement", [*EMPTYING, *OTHER])
def test_steps_of_who_is_there_are_never_rewritten(quill: Member, code: str, statement: str) -> None:
    with pytest.raises(IntegrityError, match="append-only"):
        run(statement)


@pytest.mark.parametrize("statement", OTHER)
def test_steps_of_who_was_erased_are_emptied_and_nothing_else(
    quill: Member, code: str, statement: str
) -> None:
    erase(quill)
    for emptying in EMPTYING:
        run(emptying)
    with pytest.raises(IntegrityError, match="append-only"):
        run(statement)


@pytest.mark.parametrize(
    "change",
    [
        {"first_name": WORD},
        {"email": "zephyrine@quill.example"},
        {"tier": "GOLD"},
        {"metadata": {"a": 1}},
        {"status": "closed"},
    ],
)
def test_an_erased_row_stays_empty(quill: Member, change: dict[str, Any]) -> None:
    erase(quill)
    with pytest.raises(IntegrityError, match="member_erased_is_empty"), db_transaction.atomic():
        Member.objects.filter(pk=quill.pk).update(**change)
