"""Erasure leaves nothing out: every column of every table with a way to a member goes, or is said to stay and why."""

from typing import Any

import pytest
from django.db.models import Model
from django.test import Client

from config.people import person_erase
from loyalty import erasure as of_loyalty
from members import erasure as of_members
from members.models import Member
from rewards import erasure as of_rewards
from segments.models import Segment
from tests.config.quill import EMAIL, person, whole_life
from tests.config.test_people_complete import with_a_way_to_a_member
from tests.factories import ApiClient
from tests.fixtures import ada, nothing_remembered, programme  # noqa: F401
from tests.loyalty.conftest import club, monday, till  # noqa: F401
from tests.loyalty.desks import desk  # noqa: F401
from tests.loyalty.worlds import MONDAY

DELETED = {
    "loyalty.IdempotencyKey",
    "loyalty.TierStanding",
    "members.ConsentChange",
    "members.MemberSession",
    "members.SignInRequest",
    "rewards.Delivery",
    "segments.Membership",
    "segments.Pin",
}
"""Tables of which no row of the member is left."""

EMPTIED: dict[type[Model], Any] = {
    **of_members.FORGOTTEN,
    **of_loyalty.FORGOTTEN,
    **of_loyalty.FORGOTTEN_BY_MEMBER,
    **of_rewards.FORGOTTEN,
}
"""Columns that lose what they say."""

IDS = (
    "id",
    "programme_id",
    "account_id",
    "member_id",
    "partner_id",
    "redemption_id",
    "voucher_id",
    "pool_code_id",
)
BOOKS = "the books: what entries, lots and reports add up from, without a word of anybody's"
FACTS = "says when something was booked or became of it, which the books are explained by"
BASKET = "what was bought or done, and the points of it, so that they can be explained; names nobody"

STAYS: dict[str, dict[str, str]] = {
    "loyalty.Account": dict.fromkeys(
        ("version", "seq", "draws", "available", "pending", "held", "debt", "transactions", "head", "settled_at",
         "next_change_at"), BOOKS),
    "loyalty.Adjustment": dict.fromkeys(
        ("points", "actor", "approved_by", "status", "recorded_at", "posted_at", "activates_at", "expires_at",
         "entry_seq", "balance"), FACTS),
    "loyalty.Draw": dict.fromkeys(("number", "lot_seq", "entry_seq", "points", "reason", "recorded_at"), BOOKS),
    "loyalty.Entry": dict.fromkeys(
        ("seq", "kind", "counterpart", "points", "occurred_at", "recorded_at", "balance_after", "available",
         "pending", "held", "debt", "source", "commitment", "prev_hash", "hash"), BOOKS),
    "loyalty.Event": dict.fromkeys(
        ("type_id", "occurred_at", "recorded_at", "day", "part", "ruleset", "wanted", "reached_limit", "status",
         "points", "qualifying", "activates_at", "expires_at", "entry_seq", "balance", "decided_by", "decided_at"),
        BASKET),
    "loyalty.EventReversal": dict.fromkeys(
        ("event_id", "actor", "recorded_at", "points", "taken_from", "freed", "entry_seq", "balance"), FACTS),
    "loyalty.Hold": dict.fromkeys(
        ("points", "expires_at", "grace_until", "parts", "status", "recorded_at", "ended_at"), BOOKS),
    "loyalty.Lot": dict.fromkeys(("seq", "points", "remaining", "expired", "activates_at", "expires_at"), BOOKS),
    "loyalty.PromotionUsage": dict.fromkeys(("promotion_id", "day", "points", "uses"), BOOKS),
    "loyalty.Reversal": dict.fromkeys(
        ("transaction_id", "recorded_at", "lines", "points", "taken_from", "caps_released", "remaining_lines",
         "remaining_points", "transaction_status", "entry_seq", "balance"), BASKET),
    "loyalty.TierChange": dict.fromkeys(
        ("before", "after", "at", "recorded_at", "why", "qualifying", "until", "actor"), FACTS),
    "loyalty.Transaction": dict.fromkeys(
        ("occurred_at", "recorded_at", "day", "channel", "store", "lines", "ruleset", "awards", "line_points",
         "points", "wanted", "qualifying", "activates_at", "expires_at", "entry_seq", "balance", "status",
         "remaining_points", "remaining_qualifying", "remaining_lines", "remaining_awards"), BASKET),
    "members.Activity": dict.fromkeys(("day", "transactions", "spend", "earned", "burned", "qualifying"), BOOKS),
    "members.Member": {
        "status": "says that the person was erased",
        "erased_at": "says when",
        "enrolled_at": "reports count who came when",
        "identity_version": "rises, so that no token of before opens anything",
    },
    "members.OutboxEvent": dict.fromkeys(
        ("type", "body", "recorded_at"), "only what the erasure itself tells, by ids and points"),
    "rewards.Move": dict.fromkeys(("status", "actor", "at"), FACTS),
    "rewards.PoolCode": dict.fromkeys(
        ("pool_id", "lookup", "sealed", "key_id", "valid_until", "uploaded_at", "taken_at"),
        "the stock's, sealed; whoever holds the code may use it"),
    "rewards.Redemption": dict.fromkeys(
        ("mode", "reward_id", "version_id", "quantity", "unit_points", "points", "promotion", "is_digital", "status",
         "status_at", "reserved_until", "recorded_at", "language", "parts", "entry_seq", "balance"), BASKET),
    "rewards.Voucher": dict.fromkeys(
        ("key_id", "lookup", "status", "value", "currency", "balance", "has_balance", "valid_until", "issued_at"),
        "paid for: whoever holds the code may use it"),
    "rewards.VoucherUse": dict.fromkeys(
        ("reference", "amount", "balance", "used_at"),
        "the partner's receipt of whoever brought the code, so that nobody is charged twice"),
    "segments.UploadRow": dict.fromkeys(("upload_id", "number", "outcome"), "what the counts of the file are about"),
}  # fmt: skip
ELSEWHERE = {"segments.UploadRow": {"member", "reason"}}
"""Columns that lose what they say by the number, which no row of the ledger has."""


def test_every_column_goes_or_stays_for_a_reason() -> None:
    for model in with_a_way_to_a_member():
        label = model._meta.label
        columns = {field.attname for field in model._meta.concrete_fields} - set(IDS)
        if label in DELETED:
            assert label not in STAYS
            continue
        goes = {*EMPTIED.get(model, ()), *ELSEWHERE.get(label, ())}
        assert goes | set(STAYS[label]) == columns, label
        assert not goes & set(STAYS[label]), label


def rows_of(model: type[Model], member: Member) -> Any:
    """The member's rows of a table."""
    fields = {field.name for field in model._meta.get_fields()}
    if model is Member:
        return Member.objects.filter(pk=member.pk)
    if "redemption" in fields:
        return model._default_manager.filter(redemption__member=member)
    if "email" in fields:
        return model._default_manager.filter(email__iexact=EMAIL)
    way = next(name for name in ("account_id", "account", "member") if name in fields)
    return model._default_manager.filter(**{way: member.pk})


@pytest.mark.django_db
def test_what_is_said_to_go_is_gone(
    till: ApiClient,  # noqa: F811
    desk: Client,  # noqa: F811
    club: Segment,  # noqa: F811
) -> None:
    quill = person(club.programme)
    whole_life(till, desk, quill, club)
    deleted = [model for model in with_a_way_to_a_member() if model._meta.label in DELETED]
    assert all(rows_of(model, quill).exists() for model in deleted), "the life fills them all"
    before = {model: rows_of(model, quill).in_bulk() for model in EMPTIED}
    person_erase(member=quill, actor="staff:carol", now=MONDAY)
    assert not [model for model in deleted if rows_of(model, quill).exists()]
    for model, rows in before.items():
        after = model._default_manager.in_bulk(list(rows))
        for name in EMPTIED[model]:
            changed = [pk for pk in rows if getattr(rows[pk], name) != getattr(after[pk], name)]
            assert changed, f"{model._meta.label}.{name}: the life fills it, and it is emptied"
            if name in ("reference", "number"):
                assert all(getattr(row, name).startswith("erased-") for row in after.values())
