"""Pools of codes that others issued: uploaded by staff, encrypted, and taken one by one."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction as db_transaction
from django.db.models import Count, OuterRef, Subquery
from django.db.models.functions import Coalesce

from config.kernel.errors import FieldError
from rewards import codes
from rewards.errors import PoolRefused
from rewards.models import CodePool, PoolCode, Reward

MAX_CODES, MAX_LENGTH, SHOWN_ERRORS = 100_000, 100, 20


@db_transaction.atomic
def pool_upload(
    *, reward: Reward, texts: Sequence[str], valid_until: datetime | None, now: datetime
) -> tuple[CodePool, int]:
    """Add codes to a gift's pool; the pool and how many there were. All or none.

    PoolRefused names the rows that are empty, too long, come twice, or are in the programme already.
    """
    _check(texts)
    pool, _ = CodePool.objects.get_or_create(
        reward=reward, defaults={"programme_id": reward.programme_id, "created_at": now}
    )
    rows = [_sealed(pool, text, valid_until, now) for text in texts]
    _check_new(reward.programme_id, texts)
    PoolCode.objects.bulk_create(rows, batch_size=2000)
    return pool, len(rows)


def pool_create(*, reward: Reward, low_stock: int, now: datetime) -> CodePool:
    """An empty pool of a gift."""
    return CodePool.objects.create(
        programme_id=reward.programme_id, reward=reward, low_stock=low_stock, created_at=now
    )


def pool_threshold(*, pool: CodePool, low_stock: int) -> None:
    """Warn staff below so many free codes."""
    pool.low_stock = low_stock
    pool.save(update_fields=["low_stock"])


def _sealed(pool: CodePool, text: str, valid_until: datetime | None, now: datetime) -> PoolCode:
    box, key_id = codes.sealed(pool.programme_id, text)
    lookup = codes.lookup(pool.programme_id, text)
    return PoolCode(programme_id=pool.programme_id, pool=pool, lookup=lookup, sealed=box, key_id=key_id,
                    valid_until=valid_until, uploaded_at=now)  # fmt: skip


def _check(texts: Sequence[str]) -> None:
    if not 0 < len(texts) <= MAX_CODES:
        error = FieldError("", "number_of_codes", f"1 to {MAX_CODES} codes at a time.")
        raise PoolRefused(f"{len(texts)} codes.", errors=[error])
    seen: set[str] = set()
    errors: list[FieldError] = []
    for number, text in enumerate(texts, 1):
        plain = codes.plain(text)
        if not plain or len(text) > MAX_LENGTH or not text.isprintable():
            errors.append(FieldError(f"/{number}", "invalid_code", f"Row {number} is no code."))
        elif plain in seen:
            errors.append(FieldError(f"/{number}", "twice", f"The code of row {number} comes twice."))
        seen.add(plain)
    _refuse(errors)


def _check_new(programme_id: int, texts: Sequence[str]) -> None:
    by_lookup = {lookup: number for number, text in enumerate(texts, 1)
                 for lookup in codes.lookups(programme_id, text)}  # fmt: skip
    known = PoolCode.objects.filter(programme_id=programme_id, lookup__in=list(by_lookup))
    numbers = sorted(by_lookup[bytes(lookup)] for lookup in known.values_list("lookup", flat=True))
    _refuse([FieldError(f"/{n}", "known", f"The code of row {n} was uploaded before.") for n in numbers])


def _refuse(errors: list[FieldError]) -> None:
    if errors:
        raise PoolRefused(f"{len(errors)} rows cannot be taken.", errors=errors[:SHOWN_ERRORS])


def free_codes_of_gift(now: datetime) -> Coalesce:
    """How many codes the pool of a gift has left, as a column of a query of gifts."""
    free = PoolCode.objects.filter(pool__reward=OuterRef("pk"), redemption_id=None).exclude(
        valid_until__lte=now
    )
    counted = free.order_by().values("pool").annotate(count=Count("pk")).values("count")
    return Coalesce(Subquery(counted), 0)
