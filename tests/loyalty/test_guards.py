"""What the database itself refuses of points: each guard by its name, tried with SQL around the application."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.apps import apps
from django.db import Error, connection
from django.db import transaction as db_transaction

from loyalty.models import (
    Account,
    Adjustment,
    Draw,
    Entry,
    Hold,
    Lot,
    PromotionBudget,
    PromotionSegment,
    Replay,
    Tier,
    Transaction,
)
from loyalty.rules import Cap, PromotionRule
from loyalty.services import promotion_link, tier_grant, tier_rules_set
from members.models import Member, Programme
from segments.models import Segment
from tests.factories import ApiClient, MemberFactory, SegmentFactory
from tests.loyalty.worlds import (
    LONG_AGO,
    MONDAY,
    adjust,
    earn,
    euros,
    publish,
    reverse,
    set_aside,
    simple_terms,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("club")]


@contextmanager
def refused_by(name: str) -> Iterator[None]:
    """The guard of this name (constraint, or trigger's table) refuses, and nothing is changed."""
    before = fingerprint()
    with pytest.raises(Error) as caught, db_transaction.atomic():
        yield
    cause = caught.value.__cause__
    assert isinstance(cause, psycopg.Error)
    assert name in (cause.diag.constraint_name, cause.diag.message_primary), cause
    assert fingerprint() == before


def fingerprint() -> list[Any]:
    """Every row of every table of loyalty."""
    with connection.cursor() as cursor:
        tables = [model._meta.db_table for model in apps.get_app_config("loyalty").get_models()]
        sums = [
            f"SELECT '{name}' AS name, md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), '')) FROM {name} t"
            for name in tables
        ]
        # Parallel workers may bring the tables in any order.
        cursor.execute(" UNION ALL ".join(sums) + " ORDER BY name")
        return cursor.fetchall()


def run(sql: str, *params: Any) -> None:
    """SQL as somebody with the application's role would run it; deferred checks included."""
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


@pytest.fixture(autouse=True)
def booked(club: Segment, till: ApiClient, programme: Programme) -> None:
    """Ada has a receipt with a promotion that has a budget, a return, a deposit, a withdrawal and a hold."""
    publish(
        programme, "PR-BUDGET", PromotionRule("fixed", "10", caps={"budget": Cap("100", 5), "day": Cap("50")})
    )
    assert earn(till, "POS-1", **euros("20.00")).status_code == 201
    assert reverse(till, "POS-1", "RET-1", lines=[{"line": "1", "amount": "5.00"}]).status_code == 201
    assert adjust(till, "10042", 50, "ADJ-IN").status_code == 201
    assert adjust(till, "10042", -20, "ADJ-OUT").status_code == 201
    set_aside(programme, "10042", 10)
    tier_rules_set(programme=programme, period="year", now=MONDAY)
    grant = {"reason": "test", "until": MONDAY + timedelta(days=1), "actor": "staff:x", "now": MONDAY}
    tier_grant(member=Member.objects.get(number="10042"), tier=Tier.objects.get(), **grant)


@pytest.fixture
def tea_house(eve: ApiClient) -> Programme:
    return eve.partner.programme


@pytest.mark.parametrize(
    ("guard", "sql"),
    [
        ("account_figures_not_negative", "UPDATE loyalty_account SET available = -1"),
        ("account_figures_not_negative", "UPDATE loyalty_account SET pending = -1"),
        ("account_figures_not_negative", "UPDATE loyalty_account SET held = -1"),
        ("account_figures_not_negative", "UPDATE loyalty_account SET available = 0, debt = -1"),
        ("account_debt_or_available", "UPDATE loyalty_account SET available = 5, debt = 5"),
        ("lot_remaining_within_points", "UPDATE loyalty_lot SET remaining = -1"),
        ("lot_remaining_within_points", "UPDATE loyalty_lot SET remaining = points + 1"),
        ("lot_expires_after_activation", "UPDATE loyalty_lot SET expires_at = activates_at"),
        (
            "lot_expires_after_activation",
            "UPDATE loyalty_lot SET activates_at = expires_at + interval '1 day'",
        ),
        ("budget_points_within_limit", "UPDATE loyalty_promotionbudget SET points_used = points_limit + 1"),
        ("budget_points_within_limit", "UPDATE loyalty_promotionbudget SET points_used = -1"),
        ("budget_uses_within_limit", "UPDATE loyalty_promotionbudget SET uses_used = uses_limit + 1"),
        ("usage_not_negative", "UPDATE loyalty_promotionusage SET points = -1"),
        ("adjustment_points_not_zero", "UPDATE loyalty_adjustment SET points = 0"),
        ("hold_points_positive", "UPDATE loyalty_hold SET points = 0"),
        ("tier_grant_has_an_end", "UPDATE loyalty_tierstanding SET granted_until = NULL"),
        ("tier_grant_has_an_end", "UPDATE loyalty_tierstanding SET granted_until = granted_at"),
        ("tier_rules_length", "UPDATE loyalty_tierrules SET length = 0"),
        ("reversal_never_gives", "UPDATE loyalty_reversal SET points = 1"),
        ("transaction_points_not_negative", "UPDATE loyalty_transaction SET remaining_points = -1"),
    ],
)
def test_changes_that_break_a_check(guard: str, sql: str) -> None:
    with refused_by(guard):
        run(sql)


ENTRY = """
INSERT INTO loyalty_entry (programme_id, account_id, seq, kind, counterpart, points, occurred_at, recorded_at,
    balance_after, available, pending, held, debt, commitment, prev_hash, hash)
SELECT programme_id, account_id, %s, 'earn', 'issuance', %s, now(), now(), %s, %s, 0, 0, 0, hash, hash, hash
FROM loyalty_entry WHERE seq = 1"""


@pytest.mark.parametrize(
    ("guard", "seq", "points", "balance", "available"),
    [
        ("entry_points_not_zero", 99, 0, 5, 5),
        ("entry_figures_add_up", 99, 5, 5, 6),
        ("loyalty_entry_pkey", 1, 5, 5, 5),
    ],
)
def test_entries_that_cannot_be(guard: str, seq: int, points: int, balance: int, available: int) -> None:
    with refused_by(guard):
        run(ENTRY, seq, points, balance, available)


def test_the_same_entry_with_proper_figures_is_taken() -> None:
    """What refuses the entries above is what is wrong with each."""
    with db_transaction.atomic():
        run(ENTRY, 99, 5, 5, 5)
        assert Entry.objects.filter(seq=99).exists()
        db_transaction.set_rollback(True)  # its hash is made up, and the ledger is checked afterwards


DRAW = """
INSERT INTO loyalty_draw (programme_id, account_id, number, lot_seq, points, reason, recorded_at)
SELECT programme_id, account_id, %s, %s, %s, 'debt', now() FROM loyalty_draw WHERE number = 1"""


@pytest.mark.parametrize(
    ("guard", "number", "lot", "points"),
    [("draw_points_not_zero", 99, 1, 0), ("loyalty_draw_pkey", 1, 1, 5), ("draw_of_lot", 99, 98, 5)],
)
def test_draws_that_cannot_be(guard: str, number: int, lot: int, points: int) -> None:
    with refused_by(guard):
        run(DRAW, number, lot, points)


def test_a_lot_needs_its_entry() -> None:
    with refused_by("lot_opened_by_entry"):
        run(
            "INSERT INTO loyalty_lot (programme_id, account_id, seq, points, remaining, expired, activates_at) "
            "SELECT programme_id, account_id, 99, 5, 5, 0, now() FROM loyalty_lot LIMIT 1"
        )


COPY = """
INSERT INTO {table} SELECT (jsonb_populate_record(NULL::{table}, to_jsonb(t) || %s::jsonb)).* FROM {table} t LIMIT 1"""
OTHER_ID = '{"id": "019ad000-0000-7000-8000-000000000000"}'


@pytest.mark.parametrize(
    ("guard", "table", "change"),
    [
        ("transaction_reference_unique", "loyalty_transaction", OTHER_ID),
        ("reversal_reference_unique", "loyalty_reversal", OTHER_ID),
        ("adjustment_reference_unique", "loyalty_adjustment", OTHER_ID),
        ("loyalty_idempotencykey_pkey", "loyalty_idempotencykey", "{}"),
        ("loyalty_promotionusage_pkey", "loyalty_promotionusage", "{}"),
        ("promotion_code_unique", "loyalty_promotion", '{"id": 999999}'),
        ("rule_part_hash_unique", "loyalty_rulepart", '{"id": 999999}'),
        ("ruleset_hash_unique", "loyalty_ruleset", '{"id": 999999}'),
        ("promotion_version_one_open", "loyalty_promotionversion", '{"id": 999999}'),
        ("terms_version_one_open", "loyalty_termsversion", '{"id": 999999}'),
    ],
)
def test_what_is_there_once(guard: str, table: str, change: str) -> None:
    with refused_by(guard):
        run(COPY.format(table=table), change)


def test_the_same_reference_in_another_programme_is_free(eve: ApiClient, tea_house: Programme) -> None:
    simple_terms(tea_house)
    MemberFactory(programme=tea_house, number="10042")
    assert adjust(eve, "10042", 5, "ADJ-IN").status_code == 201
    assert Adjustment.objects.filter(reference="ADJ-IN").count() == 2


@pytest.mark.parametrize("table", ["loyalty_entry", "loyalty_draw"])
@pytest.mark.parametrize(
    "sql", ["UPDATE {} SET points = points + 1", "UPDATE {} SET points = points", "DELETE FROM {}"]
)
@pytest.mark.parametrize("role", ["origin", "replica", "local"])
def test_append_only(table: str, sql: str, role: str) -> None:
    """Also for who switches triggers off with session_replication_role."""
    with refused_by(f"{table} is append-only: correct by a new entry"):
        run(f"SET LOCAL session_replication_role = {role}")
        run(sql.format(table))


@pytest.mark.parametrize(
    "sql", ["UPDATE loyalty_tierchange SET reason = 'another'", "DELETE FROM loyalty_tierchange"]
)
def test_the_history_of_tiers_is_append_only(sql: str) -> None:
    with refused_by("loyalty_tierchange is append-only: correct by a new entry"):
        run("SET LOCAL session_replication_role = replica")
        run(sql)


@pytest.mark.parametrize("model", [Entry, Draw])
def test_append_only_for_the_orm_too(model: Any) -> None:
    """kadyApp#26: no way of the application writes a balance or an entry around the ledger."""
    table = model._meta.db_table
    with refused_by(f"{table} is append-only: correct by a new entry"):
        model.objects.update(points=1)
    with refused_by(f"{table} is append-only: correct by a new entry"):
        model.objects.all().delete()
    with refused_by(f"{table} is append-only: correct by a new entry"):
        row = model.objects.first()
        row.points += 1
        row.save()


@pytest.mark.parametrize(
    ("guard", "change"),
    [
        ("account_figures_not_negative", {"available": -5}),
        ("account_debt_or_available", {"debt": 5}),
    ],
)
def test_a_balance_that_breaks_the_checks_cannot_be_saved(
    ada: Member, guard: str, change: dict[str, int]
) -> None:
    account = Account.objects.get(pk=ada.pk)
    for name, value in change.items():
        setattr(account, name, value)
    with refused_by(guard):
        account.save()


def test_accounts_with_points_and_their_members_stay(ada: Member) -> None:
    with refused_by("entry_account_of_programme"):
        run("DELETE FROM loyalty_account")
    with refused_by("account_member_of_programme"):
        run("DELETE FROM loyalty_promotionusage")
        run("DELETE FROM members_activity")
        run("DELETE FROM segments_membership")
        run("DELETE FROM loyalty_tierstanding")
        run("DELETE FROM members_member WHERE id = %s", ada.pk)


WALLS = [
    ("hold_account_of_programme", "UPDATE loyalty_hold SET account_id = %(stranger)s", ""),
    (
        "tier_standing_member_of_programme",
        "UPDATE loyalty_tierstanding SET programme_id = %(other)s",
        "",
    ),
    (
        "tier_change_member_of_programme",
        "INSERT INTO loyalty_tierchange SELECT (jsonb_populate_record(NULL::loyalty_tierchange, to_jsonb(t) || "
        "jsonb_build_object('id', %(uuid)s::text, 'programme_id', %(other)s::bigint))).* "
        "FROM loyalty_tierchange t",
        "",
    ),
    ("account_member_of_programme", "UPDATE loyalty_account SET programme_id = %(other)s", "account"),
    ("lot_account_of_programme", "UPDATE loyalty_lot SET programme_id = %(other)s", ""),
    (
        "transaction_account_of_programme",
        "UPDATE loyalty_transaction SET programme_id = %(other)s",
        "reversals",
    ),
    ("reversal_account_of_programme", "UPDATE loyalty_reversal SET account_id = %(stranger)s", ""),
    ("reversal_transaction_of_programme", "UPDATE loyalty_reversal SET transaction_id = %(uuid)s", ""),
    ("adjustment_account_of_programme", "UPDATE loyalty_adjustment SET account_id = %(stranger)s", ""),
    ("usage_account_of_programme", "UPDATE loyalty_promotionusage SET account_id = %(stranger)s", ""),
    ("usage_promotion_of_programme", "UPDATE loyalty_promotionusage SET promotion_id = %(promotion)s", ""),
    ("link_promotion_of_programme", "UPDATE loyalty_promotionsegment SET promotion_id = %(promotion)s", ""),
    ("link_segment_of_programme", "UPDATE loyalty_promotionsegment SET segment_id = %(segment)s", ""),
    (
        "entry_account_of_programme",
        "INSERT INTO loyalty_entry SELECT (jsonb_populate_record(NULL::loyalty_entry, "
        "to_jsonb(e) || jsonb_build_object('account_id', %(stranger)s::bigint))).* FROM loyalty_entry e WHERE seq = 1",
        "",
    ),
    (
        "draw_account_of_programme",
        "INSERT INTO loyalty_draw SELECT (jsonb_populate_record(NULL::loyalty_draw, "
        "to_jsonb(d) || jsonb_build_object('programme_id', %(other)s::bigint, 'number', 99))).* "
        "FROM loyalty_draw d WHERE number = 1",
        "",
    ),
]


@pytest.mark.parametrize(("guard", "sql", "first"), WALLS)
def test_walls_between_programmes(guard: str, sql: str, first: str, tea_house: Programme) -> None:
    """No row about points names another programme's account, member, transaction, promotion or segment."""
    stranger = MemberFactory(programme=tea_house)
    Account.objects.create(member=stranger, programme=tea_house, settled_at=LONG_AGO)
    params = {
        "other": tea_house.pk,
        "stranger": stranger.pk,
        "promotion": publish(tea_house, "PR-TEA", PromotionRule("fixed", "1")).pk,
        "segment": SegmentFactory(programme=tea_house).pk,
        "uuid": "019ad000-0000-7000-8000-000000000000",
    }
    with refused_by(guard), connection.cursor() as cursor:
        if first == "account":
            # Only the wall to the member is tried: an account nothing points to yet.
            other = MemberFactory(programme=Programme.objects.get(code="choco-club"))
            cursor.execute(
                "INSERT INTO loyalty_account (id, programme_id, version, seq, draws, available, pending, held, debt, "
                "transactions, head, settled_at) SELECT %s, %s, 0, 0, 0, 0, 0, 0, 0, 0, head, now() "
                "FROM loyalty_account LIMIT 1",
                [other.pk, tea_house.pk],
            )
        else:
            if first == "reversals":
                cursor.execute("DELETE FROM loyalty_reversal")
            cursor.execute(sql, params)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def test_one_link_of_a_promotion_and_segment_at_a_time(programme: Programme, monday: Any) -> None:
    first = PromotionSegment.objects.get()
    with refused_by("promotion_link_no_overlap"):
        promotion_link(
            promotion=first.promotion,
            segment=first.segment,
            mode="exclude",
            valid_from=LONG_AGO + timedelta(days=30),
        )
    run("UPDATE loyalty_promotionsegment SET valid_until = %s", LONG_AGO + timedelta(days=30))
    promotion_link(
        promotion=first.promotion,
        segment=first.segment,
        mode="exclude",
        valid_from=LONG_AGO + timedelta(days=30),
    )
    assert PromotionSegment.objects.count() == 2


def test_a_link_does_not_end_before_it_starts() -> None:
    with refused_by("promotion_link_dates"):
        run("UPDATE loyalty_promotionsegment SET valid_until = valid_from - interval '1 day'")


@pytest.mark.parametrize(
    ("guard", "change"),
    [
        ("replay_days_in_order", {"last_day": date(2026, 10, 31)}),
        ("replay_done_with_result", {"status": "done"}),
    ],
)
def test_what_a_replay_cannot_be(programme: Programme, guard: str, change: dict[str, Any]) -> None:
    asked = {"code": "PR-CHOC3X", "draft": {}, "asked_by": "staff:carol", "asked_at": MONDAY}
    asked |= {"first_day": date(2026, 11, 1), "last_day": date(2026, 11, 1)}
    Replay.objects.create(programme=programme, **asked)
    with refused_by(guard):
        Replay.objects.create(programme=programme, **asked | change)


def test_every_guard_of_the_schema_is_tried_here() -> None:
    """A guard without a test that tries to break it may be gone without anyone noticing."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.conname FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid "
            "WHERE t.relname LIKE 'loyalty\\_%%' AND c.contype IN ('c', 'x')"
        )
        checks = {name for (name,) in cursor.fetchall()}
        cursor.execute(
            "SELECT c.conname FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid "
            "WHERE t.relname LIKE 'loyalty\\_%%' AND c.contype = 'f' AND cardinality(c.conkey) > 1"
        )
        walls = {name for (name,) in cursor.fetchall()}
    source = "".join(path.read_text() for path in Path(__file__).parent.glob("test_*guards.py"))
    named = {
        name for name in checks | walls if not name.endswith("_check")
    }  # Django's own for "positive" columns
    assert len(named) > 20
    assert {name for name in named if name not in source} == set()


def test_what_is_booked_here_is_what_the_guards_hold() -> None:
    """The fixture has a row in every table that the tests above try to break."""
    for model in (
        Account,
        Entry,
        Lot,
        Draw,
        Hold,
        Transaction,
        Adjustment,
        PromotionBudget,
        PromotionSegment,
    ):
        assert model.objects.exists(), model
