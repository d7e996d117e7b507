"""What the database itself refuses of orders and vouchers: each guard by its name, tried with SQL."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from django.db import Error, connection
from django.db import transaction as db_transaction

from members.models import Member, Programme
from rewards.models import Redemption
from segments.models import Segment
from tests.factories import ApiClient
from tests.loyalty.worlds import adjust
from tests.rewards.orders import POST, card, cinema, mug, order, use

pytestmark = pytest.mark.django_db

TABLES = ("redemption", "move", "delivery", "codepool", "poolcode", "voucher", "voucheruse")


@contextmanager
def refused_by(name: str) -> Iterator[None]:
    with pytest.raises(Error) as caught, db_transaction.atomic():
        yield
    cause = caught.value.__cause__
    assert isinstance(cause, psycopg.Error)
    assert name in (cause.diag.constraint_name, cause.diag.message_primary), cause


def run(sql: str, *params: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


@pytest.fixture(autouse=True)
def booked(club: Segment, till: ApiClient, eve: ApiClient, programme: Programme) -> None:
    """Ada ordered a mug, a card she used a part of, and a ticket; tea-house has a mug too."""
    adjust(till, "10042", 5000)
    mug(programme)
    card(programme)
    cinema(programme, ["KINO-1", "KINO-2"])
    mug(eve.partner.programme)
    assert order(till, "MUG", "W-1", delivery=POST).status_code == 201
    code = order(till, "CARD", "W-2").json()["voucher"]["code"]
    assert use(till, code, "U-1", amount="5.00").status_code == 200
    assert order(till, "CINEMA", "W-3").status_code == 201


@pytest.mark.parametrize(
    ("guard", "sql"),
    [
        ("redemption_positive", "UPDATE rewards_redemption SET points = 0"),
        ("redemption_positive", "UPDATE rewards_redemption SET quantity = 0"),
        ("redemption_reservation_ends", "UPDATE rewards_redemption SET status = 'reserved'"),
        ("redemption_reference_unique", "UPDATE rewards_redemption SET reference = 'W-1'"),
        ("voucher_balance_within_value", "UPDATE rewards_voucher SET balance = value + 1 WHERE value > 0"),
        ("voucher_balance_within_value", "UPDATE rewards_voucher SET balance = -1 WHERE value > 0"),
        ("voucher_lookup_unique", "UPDATE rewards_voucher SET lookup = ''"),
        ("voucher_use_positive", "INSERT INTO rewards_voucheruse SELECT gen_random_uuid(), 'U-2', 0, balance, used_at, "
         "programme_id, voucher_id, partner_id FROM rewards_voucheruse"),
        ("pool_code_taken_for_an_order", "UPDATE rewards_poolcode SET taken_at = now()"),
        ("pool_code_once", "UPDATE rewards_poolcode SET lookup = ''"),
        ("rewards_move is append-only: correct by a new entry", "UPDATE rewards_move SET note = 'x'"),
        ("rewards_move is append-only: correct by a new entry", "DELETE FROM rewards_move"),
        ("rewards_voucheruse is append-only: correct by a new entry", "UPDATE rewards_voucheruse SET amount = 1"),
        ("rewards_voucheruse is append-only: correct by a new entry", "DELETE FROM rewards_voucheruse"),
    ],
)  # fmt: skip
def test_changes_that_cannot_be(guard: str, sql: str) -> None:
    with refused_by(guard):
        if guard == "voucher_use_positive":
            columns = "id, reference, amount, balance, used_at, programme_id, voucher_id, partner_id"
            run(sql.replace("rewards_voucheruse SELECT", f"rewards_voucheruse ({columns}) SELECT", 1))
        else:
            run(sql)


def test_one_live_voucher_per_order() -> None:
    with refused_by("voucher_one_live_per_redemption"):
        run(
            "INSERT INTO rewards_voucher SELECT (jsonb_populate_record(NULL::rewards_voucher, to_jsonb(v) || "
            "jsonb_build_object('id', gen_random_uuid(), 'lookup', '\\x00', 'pool_code_id', null))).* "
            "FROM rewards_voucher v WHERE value IS NOT NULL"
        )


WALLS = [
    ("redemption_member_of_programme", "UPDATE rewards_redemption SET member_id = %s", "member"),
    ("redemption_reward_of_programme", "UPDATE rewards_redemption SET reward_id = %s", "reward"),
    ("redemption_version_of_programme", "UPDATE rewards_redemption SET version_id = %s", "version"),
    ("move_redemption_of_programme",
     "INSERT INTO rewards_move SELECT (jsonb_populate_record(NULL::rewards_move, to_jsonb(m) || "
     "jsonb_build_object('id', gen_random_uuid(), 'programme_id', %s::bigint))).* FROM rewards_move m LIMIT 1",
     "programme"),
    ("delivery_redemption_of_programme", "UPDATE rewards_delivery SET programme_id = %s", "programme"),
    ("pool_reward_of_programme", "UPDATE rewards_codepool SET reward_id = %s", "reward"),
    ("pool_code_pool_of_programme", "UPDATE rewards_poolcode SET programme_id = %s WHERE redemption_id IS NULL",
     "programme"),
    ("pool_code_redemption_of_programme",
     "UPDATE rewards_poolcode SET redemption_id = gen_random_uuid(), taken_at = now()", ""),
    ("voucher_redemption_of_programme", "UPDATE rewards_voucher SET redemption_id = gen_random_uuid() "
     "WHERE pool_code_id IS NOT NULL", ""),
    ("voucher_pool_code_of_programme", "UPDATE rewards_voucher SET pool_code_id = 0 WHERE value > 0", ""),
    ("voucher_use_voucher_of_programme",
     "INSERT INTO rewards_voucheruse SELECT (jsonb_populate_record(NULL::rewards_voucheruse, to_jsonb(u) || "
     "jsonb_build_object('id', gen_random_uuid(), 'reference', 'X', 'voucher_id', gen_random_uuid()))).* "
     "FROM rewards_voucheruse u", ""),
]  # fmt: skip


@pytest.mark.parametrize(("guard", "sql", "what"), WALLS)
def test_walls_between_programmes(guard: str, sql: str, what: str, eve: ApiClient) -> None:
    other = eve.partner.programme
    reward = other.rewards.get()
    stranger = {
        "member": Member.objects.create(programme=other, number="1", enrolled_at=reward.created_at).pk,
        "programme": other.pk,
        "reward": reward.pk,
        "version": reward.versions.get().pk,
    }
    with refused_by(guard), connection.cursor() as cursor:
        for statement in sql.split("; "):
            cursor.execute(statement, [stranger[what]] if "%s" in statement else [])
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    assert Redemption.objects.count() == 3


def test_every_guard_is_tried_here() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.conname FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid WHERE t.relname = ANY(%s) "
            "AND (c.contype = 'c' OR c.contype = 'f' AND cardinality(c.conkey) > 1)",
            [[f"rewards_{table}" for table in TABLES]],
        )
        named = {name for (name,) in cursor.fetchall() if not name.endswith("_check")}
    source = Path(__file__).read_text()
    assert len(named) > 12
    assert {name for name in named if name not in source} == set()
