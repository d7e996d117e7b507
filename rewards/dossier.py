"""What rewards holds of one member: gift orders, with all that hangs on them."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import partial
from uuid import UUID

from config.kernel.dossier import Page, Row, Section, actor_kind, fields, grouped, pages
from loyalty.models import Hold
from members.models import Member
from rewards.models import Delivery, Move, Redemption, Voucher, VoucherUse
from rewards.services.issuing import code_from

_OURS = ("programme", "content", "salt")


def sections(
    member: Member, partners: Mapping[int, str], now: datetime, *, shows_codes: bool
) -> Iterator[Section]:
    """Gift orders with moves, held points, delivery, vouchers and their uses; `partners` are names by id.

    With `shows_codes`, which is for the member alone, a voucher that is usable at `now` comes with its code.
    """
    rows = Redemption.objects.filter(member=member).values(
        *fields(Redemption, *_OURS, "member", "reward", "version"), "reward__code", "version__name"
    )
    shape = partial(_orders, partners=partners, code_at=now if shows_codes else None)
    yield Section("redemptions", pages(rows, "id", shape=shape))


def _orders(page: Page, partners: Mapping[int, str], code_at: datetime | None) -> Page:
    ids = [row["id"] for row in page]
    moves, vouchers = _moves(ids), _vouchers(ids, partners, code_at)
    deliveries = Delivery.objects.filter(redemption__in=ids).values(*fields(Delivery, "programme"))
    delivery = grouped(deliveries, "redemption_id")
    # A hold has the id of the order that points are set aside for.
    holds = grouped(
        Hold.objects.filter(pk__in=ids).values(*fields(Hold, "programme", "account", "reference")), "id"
    )
    for row in page:
        order = row["id"]
        row["gift"] = {"code": row.pop("reward__code"), "name": row.pop("version__name")}
        row["partner"] = partners.get(row.pop("partner_id"))
        row["moves"] = moves.get(order, [])
        row["hold"] = next(iter(holds.get(order, [])), None)
        row["delivery"] = next(iter(delivery.get(order, [])), None)
        row["vouchers"] = vouchers.get(order, [])
    return page


def _moves(orders: list[UUID]) -> dict[UUID, Page]:
    found = Move.objects.filter(redemption__in=orders).order_by("id")
    rows = found.values(*fields(Move, "programme", "id"))
    return grouped((row | {"actor": actor_kind(row["actor"])} for row in rows), "redemption_id")


def _vouchers(orders: list[UUID], partners: Mapping[int, str], code_at: datetime | None) -> dict[UUID, Page]:
    found = Voucher.objects.filter(redemption__in=orders).order_by("id")
    columns = fields(Voucher, "lookup", "pool_code")
    rows = list(found.values(*columns, "pool_code__sealed", "pool_code__key_id"))
    used = VoucherUse.objects.filter(voucher__in=[row["id"] for row in rows]).order_by("id")
    uses = grouped(used.values(*fields(VoucherUse, "programme", "id")), "voucher_id")
    for row in rows:
        row["code"] = _code(row, code_at)
        row["uses"] = [
            use | {"partner": partners.get(use.pop("partner_id"))} for use in uses.get(row["id"], [])
        ]
        for name in ("programme_id", "key_id", "pool_code__sealed", "pool_code__key_id"):
            del row[name]
    return grouped(rows, "redemption_id")


def _code(row: Row, at: datetime | None) -> str | None:
    """The code of a voucher that is usable at that instant, as its own page shows it; none without an instant."""
    if at is None or row["status"] != Voucher.Status.ACTIVE:
        return None
    if row["valid_until"] is not None and row["valid_until"] <= at:
        return None
    sealed, under = row["pool_code__sealed"], row["pool_code__key_id"] or row["key_id"]
    return code_from(row["programme_id"], row["id"], under, bytes(sealed) if sealed else None)
