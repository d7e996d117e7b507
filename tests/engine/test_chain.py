"""The bytes of the hash chain: a golden vector, so that a chain written today verifies for ever."""

import hashlib
from datetime import UTC, datetime, timedelta, timezone

import pytest

from loyalty import chain

ENTRY: dict[str, chain.Field] = {
    "programme_id": 7,
    "account_id": 10042,
    "seq": 1,
    "kind": "earn",
    "counterpart": "issuance",
    "points": 117,
    "occurred_at": datetime(2026, 11, 23, 9, 15, tzinfo=UTC),
    "recorded_at": datetime(2026, 11, 23, 9, 15, 2, 345678, tzinfo=UTC),
    "balance_after": 117,
    "available": 0,
    "pending": 117,
    "held": 0,
    "debt": 0,
    "commitment": bytes(range(32)),
    "prev_hash": chain.GENESIS,
}
HASHED_TEXTS = (
    b"ristourne-entry-1", b"7", b"10042", b"1", b"earn", b"issuance", b"117",
    b"1795425300000000", b"1795425302345678", b"117", b"0", b"117", b"0", b"0", bytes(range(32)), bytes(32),
)  # fmt: skip


def test_the_golden_vector() -> None:
    assert chain.entry_hash(ENTRY).hex() == "d1e72df1eedaba8b76917f9bd8c8f9b743d1e2717e16524091eb4c9c5b0047d8"


def test_the_bytes_are_the_documented_ones() -> None:
    written = b"".join(len(text).to_bytes(4, "big") + text for text in HASHED_TEXTS)
    assert chain.entry_hash(ENTRY) == hashlib.sha256(written).digest()


def test_a_commitment() -> None:
    assert (
        chain.commitment(b"salt-of-16-bytes", "POS-77-000123").hex()
        == "b1af7626e59a277ebc8e9298357dc25e2cca878082aa6baba6ea9a09da58d998"
    )


@pytest.mark.parametrize("name", chain.FIELDS)
def test_every_field_counts(name: str) -> None:
    value = ENTRY[name]
    if isinstance(value, bytes):
        other: chain.Field = bytes(31) + b"\x01"
    elif isinstance(value, datetime):
        other = value + timedelta(microseconds=1)
    else:
        other = f"{value}1" if isinstance(value, str) else value + 1
    assert chain.entry_hash({**ENTRY, name: other}) != chain.entry_hash(ENTRY)


def test_an_instant_counts_whatever_zone_it_is_written_in() -> None:
    local = datetime(2026, 11, 23, 10, 15, tzinfo=timezone(timedelta(hours=1)))
    assert chain.entry_hash({**ENTRY, "occurred_at": local}) == chain.entry_hash(ENTRY)


def test_neighbouring_texts_cannot_slide_into_each_other() -> None:
    assert chain.digest("ab", "c") != chain.digest("a", "bc")
    assert chain.digest("", "a") != chain.digest("a", "")


def test_negative_points_and_instants_before_1970() -> None:
    before = datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)
    assert chain.digest(-44, before) == hashlib.sha256(b"\0\0\0\x03-44\0\0\0\x02-1").digest()
