"""The hash chain of an account's entries: which bytes are hashed, defined once.

Each field is written as its UTF-8 text (integers in decimal, instants as microseconds since 1970 UTC,
bytes as they are) behind its length in four big-endian bytes; SHA-256 over all of them in FIELDS order,
with the version tag first and the previous hash last. Texts and references are not hashed themselves but
as salted commitments, so that erasing them leaves a chain that still verifies.
"""

import hashlib
from datetime import UTC, datetime, timedelta

TAG = "ristourne-entry-1"
FIELDS = (
    "programme_id",
    "account_id",
    "seq",
    "kind",
    "counterpart",
    "points",
    "occurred_at",
    "recorded_at",
    "balance_after",
    "available",
    "pending",
    "held",
    "debt",
    "commitment",
    "prev_hash",
)
GENESIS = bytes(32)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)

Field = str | int | datetime | bytes


def _encoded(value: Field) -> bytes:
    if isinstance(value, bytes):
        content = value
    elif isinstance(value, datetime):
        content = str((value - EPOCH) // MICROSECOND).encode()
    else:
        content = str(value).encode()
    return len(content).to_bytes(4, "big") + content


def digest(*values: Field) -> bytes:
    """SHA-256 over the values, each behind its length."""
    return hashlib.sha256(b"".join(map(_encoded, values))).digest()


def entry_hash(fields: dict[str, Field]) -> bytes:
    """The hash of an entry; `fields` holds at least FIELDS."""
    return digest(TAG, *(fields[name] for name in FIELDS))


def commitment(salt: bytes, *texts: str) -> bytes:
    """What stands in the chain for texts that may be erased: their salted SHA-256."""
    return digest(salt, *texts)
