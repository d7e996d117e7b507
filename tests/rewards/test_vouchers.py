"""Vouchers: what a code is, what using it does, and that guessing one tells nothing."""

import base64
import re
import secrets
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.test import override_settings
from hypothesis import given
from hypothesis import strategies as st

from members.models import Programme
from rewards import codes
from rewards.models import PoolCode, Redemption, Voucher, VoucherUse
from segments.models import Segment
from tests.factories import ApiClient, token_of
from tests.loyalty.worlds import adjust
from tests.rewards.orders import act, card, check, cinema, order, shown, use
from tests.statements import statements

BRUSSELS = ZoneInfo("Europe/Brussels")
GOLDEN = "7JSV8PY3KB02C237~"
VOUCHER = UUID("019ad000-0000-7000-8000-000000000001")
SYMBOLS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ*~$=U"
"""Crockford's base32, and the five symbols that only a check may be."""


def test_a_golden_code() -> None:
    """Codes on paper outlive releases: the same key, programme and id give the same code for ever."""
    with override_settings(VOUCHER_CODE_KEYS=["golden key of the voucher tests, 32+"]):
        code = codes.derived(7, VOUCHER, codes.current_key_id())
    assert (code, codes.key_id("golden key of the voucher tests, 32+")) == (GOLDEN, "93d9e5d5")


@given(st.integers(1, 2**40), st.uuids())
def test_80_bits_and_a_check_symbol(programme_id: int, voucher_id: UUID) -> None:
    code = codes.derived(programme_id, voucher_id, codes.current_key_id())
    assert re.fullmatch(r"[0-9A-HJKMNP-TV-Z]{16}[0-9A-HJKMNP-TV-Z*~$=U]", code)
    number = sum(SYMBOLS.index(symbol) << 5 * place for place, symbol in enumerate(code[15::-1]))
    assert code[16] == SYMBOLS[number % 37]
    assert codes.plain(codes.grouped(code).lower().replace("0", "o").replace("1", "l")) == code


def test_codes_under_a_key_of_before_are_still_derived() -> None:
    before = codes.current_key_id()
    code = codes.derived(7, VOUCHER, before)
    with override_settings(
        VOUCHER_CODE_KEYS=["a new key of the voucher tests, 32+!!", *settings.VOUCHER_CODE_KEYS]
    ):
        assert codes.current_key_id() != before
        assert codes.derived(7, VOUCHER, before) == code
        assert codes.derived(7, VOUCHER, codes.current_key_id()) != code
    with (
        override_settings(VOUCHER_CODE_KEYS=["another key of the voucher tests, 32+"]),
        pytest.raises(codes.KeyGone),
    ):
        codes.derived(7, VOUCHER, before)


def test_sealed_codes_are_bound_to_their_programme() -> None:
    box, key_id = codes.sealed(7, "KINO-1")
    assert codes.opened(7, box, key_id) == "KINO-1"
    assert b"KINO-1" not in box
    with pytest.raises(codes.KeyGone):
        codes.opened(8, box, key_id)


@pytest.fixture
def rich(club: Segment, till: ApiClient) -> None:
    cache.clear()
    assert adjust(till, "10042", 9000).status_code == 201


@pytest.fixture
def code(rich: None, till: ApiClient, programme: Programme) -> str:
    """A card of 25 euros that may be used in parts."""
    card(programme)
    return str(order(till, "CARD", "WEB-1").json()["voucher"]["code"])


pytestmark = pytest.mark.django_db


def test_a_balance_voucher_is_used_in_parts(till: ApiClient, code: str) -> None:
    first = use(till, code, "USE-1", amount="10.00")
    assert first.status_code == 200
    assert first.json() == {
        "reference": "USE-1",
        "used": {"amount": "10.00", "currency": "EUR"},
        "balance": {"amount": "15.00", "currency": "EUR"},
        "used_at": "2026-11-23T10:15:02+01:00",
    }
    too_much = use(till, code, amount="15.01")
    assert (too_much.status_code, too_much.json()["errors"][0]["code"]) == (422, "exceeds_balance")
    for wrong in ("0", "0.00", "1.001"):
        assert use(till, code, amount=wrong).status_code == 422
    assert check(till, code).json()["balance"] == {"amount": "15.00", "currency": "EUR"}
    assert use(till, code, "USE-2").json()["balance"] == {"amount": "0.00", "currency": "EUR"}
    assert Voucher.objects.get().status == "used"
    assert VoucherUse.objects.count() == 2
    assert use(till, code).json()["code"] == "voucher_not_usable"


def test_a_voucher_without_balance_is_used_whole(rich: None, till: ApiClient, programme: Programme) -> None:
    card(programme, has_balance=False)
    code = order(till, "CARD").json()["voucher"]["code"]
    assert use(till, code, amount="5.00").json()["errors"][0]["code"] == "no_balance"
    assert use(till, code).json()["used"] == {"amount": "25.00", "currency": "EUR"}
    assert check(till, code).status_code == 409


def test_case_10_the_client_that_used_it_gets_its_repetition(
    till: ApiClient, shop: ApiClient, code: str
) -> None:
    first = use(till, code, "USE-1", key="u")
    assert use(till, code, "USE-1", key="u").json() == first.json()
    again = use(till, code, "USE-1")
    assert again.json() == first.json()
    assert again.headers["Idempotent-Replayed"] == "true"
    before = everything()
    for reference in ("USE-1", "USE-9"):
        other = use(shop, code, reference)
        assert (other.status_code, other.json()["code"]) == (409, "voucher_not_usable")
    assert everything() == before
    assert use(till, code, "USE-1", amount="3.00").json()["code"] == "reference_conflict"


def everything() -> list[Any]:
    return [sorted(map(str, model.objects.values_list())) for model in (Voucher, VoucherUse, Redemption)]


def test_case_35_one_answer_for_whatever_cannot_be_used(
    till: ApiClient, eve: ApiClient, code: str, programme: Programme, monday: Any
) -> None:
    eve.use(token_of(eve.partner, lives=timedelta(days=3650)))
    card(programme, "SHORT", voucher_days=0)
    expired = order(till, "SHORT").json()["voucher"]["code"]
    card(programme, "BACK")
    order(till, "BACK", "B")
    returned = order(till, "BACK", "B").json()["voucher"]["code"]
    for to in ("return_requested", "returned"):
        assert act(till, "B", "status", status=to).status_code == 200
    use(till, code)
    monday.shift(timedelta(days=1))
    before = everything()
    answers = set()
    for client, text in (
        (till, code), (till, expired), (till, returned), (eve, code), (till, "0000-0000-0000-0000-0"), (till, "?"),
    ):  # fmt: skip
        for answer in (check(client, text), use(client, text)):
            assert answer.status_code == 409
            answers.add(str({**answer.json(), "instance": ""}))
            assert "voucher" not in answer.headers.get("Idempotent-Replayed", "")
    assert len(answers) == 1
    assert everything() == before


@pytest.mark.parametrize(
    ("days", "last"), [(363, date(2027, 11, 21)), (125, date(2027, 3, 28)), (342, date(2027, 10, 31))]
)
def test_case_27_valid_until_the_end_of_the_local_day(
    rich: None, till: ApiClient, programme: Programme, monday: Any, days: int, last: date
) -> None:
    """Also on the days on which summer time begins and ends."""
    card(programme, voucher_days=days)
    code = order(till, "CARD").json()["voucher"]["code"]
    end = datetime.combine(last, time.max, BRUSSELS)
    monday.move_to(end)
    assert check(till, code).status_code == 200
    monday.move_to(end.astimezone(UTC) + timedelta(microseconds=1))
    assert check(till, code).status_code == 409
    assert use(till, code).status_code == 409


def test_without_end(rich: None, till: ApiClient, programme: Programme, monday: Any) -> None:
    card(programme, voucher_days=None)
    body = order(till, "CARD").json()["voucher"]
    assert body["valid_until"] is None
    monday.shift(timedelta(days=3000))
    assert use(till, body["code"]).status_code == 200


def test_a_return_takes_the_code_out_of_use(till: ApiClient, code: str) -> None:
    use(till, code, amount="1.00")
    assert shown(till, "WEB-1")["allowed"] == []
    assert act(till, "WEB-1", "status", status="return_requested").status_code == 409


def headers_of(answer: Any) -> frozenset[tuple[str, str]]:
    """The headers that could tell something: not the request's id, nor how many guesses are left."""
    return frozenset(
        (name, value)
        for name, value in answer.headers.items()
        if name not in {"X-Request-Id", "RateLimit", "Retry-After", "Content-Length"}
    )


def test_ten_thousand_guesses_tell_nothing(till: ApiClient, code: str) -> None:
    """Throttled after a few, and until then all alike, near misses too; other tills go on."""
    told: dict[int, set[Any]] = {}
    for number in range(10_000):
        guess = "".join(secrets.choice(codes.SYMBOLS[:32]) for _ in range(17))
        if number % 3 == 0:
            guess = codes.plain(code)[:15] + guess[:2]
        if guess == codes.plain(code):
            continue
        answer = check(till, guess)
        body = {
            **answer.json(),
            "instance": "",
            "detail": answer.json()["detail"] if answer.status_code == 409 else "",
        }
        told.setdefault(answer.status_code, set()).add((str(body), headers_of(answer)))
    assert {status: len(bodies) for status, bodies in told.items()} == {409: 1, 429: 1}
    limited = check(till, code)
    assert limited.status_code == 429
    assert int(limited.headers["Retry-After"]) >= 1
    assert use(till, code).status_code == 429
    assert Voucher.objects.get().status == "active"


def test_every_refusal_takes_the_same_work(
    till: ApiClient, shop: ApiClient, code: str, programme: Programme, monday: Any
) -> None:
    """Time would tell which codes exist: the database is asked the same for every one of them, and codes are never
    compared letter by letter but found by their HMAC."""
    card(programme, "SHORT", voucher_days=0)
    expired = order(till, "SHORT").json()["voucher"]["code"]
    use(till, code)
    monday.shift(timedelta(days=1))
    unknown = codes.derived(programme.pk, VOUCHER, codes.current_key_id())
    check(shop, unknown)  # its token is known from here on
    asked, told = set(), set()
    for text in (code, expired, unknown, unknown):
        with statements() as sent:
            answer = check(shop, text)
        asked.add(tuple(sent))
        told.add((answer.status_code, headers_of(answer)))
    assert len(asked) == 1
    assert len(told) == 1


def test_guessing_by_use_is_throttled_too(till: ApiClient, shop: ApiClient, code: str) -> None:
    seen = {use(till, f"{number:017}").status_code for number in range(60)}
    assert seen == {409, 429}
    assert check(shop, code).status_code == 200


def dump() -> str:
    """Every text and byte the database keeps, in capitals; bytes as hexadecimal digits."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_schema, table_name FROM information_schema.tables"
            " WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema')"
        )
        kept = []
        for schema, table in cursor.fetchall():
            cursor.execute(f'SELECT coalesce(string_agg(t::text, chr(10)), \'\') FROM "{schema}"."{table}" t')
            kept.append(cursor.fetchone()[0].upper())
    return "\n".join(kept)


def forms(code: str) -> list[str]:
    """How a code could stand in a dump: as printed, as typed, and either as bytes or in base64."""
    found = []
    for text in {code, codes.plain(code), code.lower(), codes.plain(code).lower()}:
        encoded = base64.b64encode(text.encode()).decode().rstrip("=")[:-1]
        found += [text, text.encode().hex(), encoded]
    return [form.upper() for form in found]


@pytest.fixture
def issued(rich: None, till: ApiClient, programme: Programme) -> list[str]:
    """Codes that were ordered, asked for again, used and refused, and one that waits in its pool."""
    card(programme)
    cinema(programme, ["KINO-SECRET-77", "KINO-SECRET-78"])
    found = [
        str(order(till, gift, f"W-{gift}", key=f"k-{gift}").json()["voucher"]["code"])
        for gift in ("CARD", "CINEMA")
    ]
    order(till, "CARD", "W-CARD", key="k-CARD")
    use(till, found[0], amount="1.00")
    use(till, found[1], "U")
    check(till, found[0])
    check(till, found[0] + "X")
    return [*found, "KINO-SECRET-78"]


def test_a_dump_holds_no_usable_code(issued: list[str]) -> None:
    """Nor the keys to make or open one, after orders, replays, uses and refusals."""
    kept = dump()
    assert [form for code in issued for form in forms(code) if form in kept] == []
    keys = [*settings.VOUCHER_CODE_KEYS, *settings.VOUCHER_LOOKUP_KEYS, *settings.VOUCHER_POOL_KEYS]
    assert [key for key in keys if key.upper() in kept] == []
    assert PoolCode.objects.exclude(redemption_id=None).count() == 1


@pytest.mark.parametrize("as_bytes", [True, False])
def test_the_dump_would_hold_a_code_that_is_kept(issued: list[str], as_bytes: bool) -> None:
    """The negative control: a code in a text, and one in bytes, that nobody sealed."""
    if as_bytes:
        PoolCode.objects.filter(redemption_id=None).update(sealed=issued[2].encode())
    else:
        Redemption.objects.filter(reference="W-CARD").update(metadata={"note": issued[0]})
    kept = dump()
    code = issued[2] if as_bytes else issued[0]
    assert any(form in kept for form in forms(code))
