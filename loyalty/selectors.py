"""Reads of loyalty; the programme comes first. They write nothing and show the settled view."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from django.db.models import Exists, OuterRef, Q, QuerySet

from config.kernel.dossier import Section
from config.kernel.erasure import Fate
from config.kernel.errors import NotFound
from config.kernel.sql import rows
from config.kernel.texts import called
from loyalty import answers, dossier, erasure, gather, ledger, purchases, wording
from loyalty.answers import balance as figures_shown
from loyalty.answers import entries_shown, local, receipt
from loyalty.answers import ordered as metadata_shown
from loyalty.engine import Basket, Facts, Ruleset, calendar
from loyalty.engine.conditions import refusal
from loyalty.events import answers as event_answers
from loyalty.events.types import type_rule
from loyalty.gather import (
    HEAD,
    HEAD_END,
    LOT,
    MEMBER,
    MEMBER_SIZE,
    OPEN_LOTS_AND,
    Head,
    Holding,
    base_params,
    head_of,
)
from loyalty.gather import holding_of as read_holding
from loyalty.ledger import Account
from loyalty.member_offers import MemberOffer, member_offers
from loyalty.models import EventType, Product, Promotion, PromotionSegment, PromotionVersion, RulesHead, Tier
from loyalty.movements import KINDS, ORDER_KINDS, STATUSES, Filters, Movement, all_movements, movements
from loyalty.records import EntryRow, ReversalRow, TransactionRow
from loyalty.rulesets import Part, by_hash, link_parts, timeline
from loyalty.snapshot import Snapshot, snapshot_of
from loyalty.tier_reads import HeldTier, tier_changes, tier_in, tier_of
from loyalty.versions import part_of, promotions_with_rule, with_status
from members.errors import ProgrammeNotActive
from members.models import Member, Programme
from members.selectors import partner_names

__all__ = [
    "HEAD",
    "HEAD_END",
    "KINDS",
    "LOT",
    "MEMBER",
    "MEMBER_SIZE",
    "OPEN_LOTS_AND",
    "ORDER_KINDS",
    "STATUSES",
    "EntryRow",
    "Filters",
    "Head",
    "HeldTier",
    "Holding",
    "MemberOffer",
    "Movement",
    "Points",
    "PromotionWords",
    "Snapshot",
    "adjustment_shown",
    "all_movements",
    "balance_shown",
    "base_params",
    "dossier_of",
    "entries_shown",
    "erasure_of",
    "event_shown",
    "event_types_of",
    "figures_shown",
    "head_of",
    "holding_of",
    "local",
    "member_offers",
    "metadata_shown",
    "movements",
    "points_in",
    "points_of",
    "product_names",
    "product_of",
    "products_of",
    "promotion_by_code",
    "promotion_links",
    "promotion_names",
    "promotion_words",
    "promotions_of",
    "promotions_open_now",
    "promotions_open_to",
    "purchase_shown",
    "read_holding",
    "receipt",
    "settled",
    "snapshot_of",
    "tier_changes",
    "tier_in",
    "tier_names",
    "tier_of",
    "transaction_shown",
]

EXPIRING_SOON = timedelta(days=60)

_TRANSACTION = """
SELECT row_to_json(t)::text,
    (SELECT row_to_json(e)::text FROM loyalty_entry e WHERE e.account_id = t.account_id AND e.seq = t.entry_seq),
    (SELECT m.number FROM members_member m WHERE m.id = t.account_id),
    (SELECT json_agg(row_to_json(r) ORDER BY r.recorded_at, r.id)::text FROM loyalty_reversal r
     WHERE r.programme_id = t.programme_id AND r.transaction_id = t.id)
FROM loyalty_transaction t WHERE t.programme_id = %(programme)s AND t.reference = %(reference)s
"""

_transactions = msgspec.json.Decoder(TransactionRow)
_reversals = msgspec.json.Decoder(list[ReversalRow])
_entry = msgspec.json.Decoder(EntryRow)


def transaction_shown(programme_id: int, reference: str) -> dict[str, Any]:
    """A transaction as it is now, with trace, lines and returns. NotFound."""
    return answers.transaction(*_transaction(programme_id, reference))


def purchase_shown(programme_id: int, reference: str) -> dict[str, Any]:
    """As `transaction_shown`; each line with its promotions, each return with what came back and the rest's trace."""
    row, entry, member, ruleset, reversals = _transaction(programme_id, reference)
    body = answers.transaction(row, entry, member, ruleset, reversals)
    by_line = purchases.promotions_by_line(row, ruleset)
    told = zip(body["reversals"], purchases.returns(row, reversals, ruleset), strict=True)
    return {
        **body,
        "lines": [line | {"promotions": by_line[line["line"]]} for line in body["lines"]],
        "reversals": [shown | more for shown, more in told],
    }


def _transaction(
    programme_id: int, reference: str
) -> tuple[TransactionRow, EntryRow | None, str, Ruleset, list[ReversalRow]]:
    found = rows(_TRANSACTION, {"programme": programme_id, "reference": reference})
    if not found:
        raise NotFound
    ((row, entry, member, reversals),) = found
    transaction = _transactions.decode(row)
    return (
        transaction,
        _entry.decode(entry) if entry else None,
        member,
        by_hash(programme_id, transaction.ruleset),
        _reversals.decode(reversals) if reversals else [],
    )


def balance_shown(programme: Programme, number: str, now: datetime) -> dict[str, Any]:
    """The four figures of a member as they are at `now`. NotFound."""
    holding = holding_of(programme.pk, number, now)
    account = settled(holding, programme.pk, now)
    return answers.balance(account.figures, account.settled_at, ZoneInfo(programme.time_zone))


def holding_of(programme_id: int, number: str, now: datetime) -> Holding:
    """A member with account and open lots. NotFound."""
    context = gather.adjustment(programme_id=programme_id, number=number, reference="", now=now, key=None)
    if context.holding.person is None:
        raise NotFound
    return context.holding


def settled(holding: Holding, programme_id: int, now: datetime) -> Account:
    """The account as it is at `now`: activations and expiries that nobody wrote yet are seen, not written."""
    return _settled_posting(holding, programme_id, now).account


def _settled_posting(holding: Holding, programme_id: int, now: datetime) -> ledger.Posting:
    if holding.person is None:
        raise NotFound
    account = holding.account or Account(holding.person.id, programme_id, settled_at=now)
    return ledger.begin(account, holding.lots, now)


@dataclass(frozen=True, slots=True)
class Points:
    """A member's points at an instant: the four figures as the API shows them, and what changes when.

    `expiring` is what of the available points expires soon, `pending` what becomes available; one row for each
    instant, the soonest first.
    """

    balance: dict[str, Any]
    expiring: list[tuple[datetime, int]]
    pending: list[tuple[datetime, int]]


def points_of(programme: Programme, number: str, now: datetime, within: timedelta = EXPIRING_SOON) -> Points:
    """A member's points at `now`; expiring are those that do `within` that time. NotFound."""
    return points_in(programme, holding_of(programme.pk, number, now), now, within)


def points_in(
    programme: Programme, holding: Holding, now: datetime, within: timedelta = EXPIRING_SOON
) -> Points:
    """As `points_of`, from what was read of the member already."""
    posting = _settled_posting(holding, programme.pk, now)
    expiring, pending = Counter[datetime](), Counter[datetime]()
    for lot in posting.lots:
        if lot.remaining and posting.is_pending(lot):
            pending[lot.activates_at] += lot.remaining
        elif lot.remaining and lot.expires_at is not None and lot.expires_at <= now + within:
            expiring[lot.expires_at] += lot.remaining
    zone = ZoneInfo(programme.time_zone)
    balance = answers.balance(posting.account.figures, posting.account.settled_at, zone)
    return Points(balance, sorted(expiring.items()), sorted(pending.items()))


def adjustment_shown(programme: Programme, number: str, reference: str, now: datetime) -> dict[str, Any]:
    """An adjustment of a member by its reference. NotFound."""
    context = gather.adjustment(
        programme_id=programme.pk, number=number, reference=reference, now=now, key=None
    )
    if context.holding.person is None or context.booked is None or context.booked_member != number:
        raise NotFound
    return answers.adjusted(context.booked, context.entry, number, ZoneInfo(programme.time_zone))


def promotions_open_to(
    programme_id: int, rules_version: int, holding: Holding, segments: frozenset[str], now: datetime
) -> frozenset[str]:
    """Codes of the promotions that are for this member at this instant, whatever is bought.

    Those that ask for a channel or a store are for nobody here.
    """
    person = holding.person
    if person is None:
        return frozenset()
    ruleset = timeline(programme_id, rules_version).at(now)
    day = calendar.local_day(now, ruleset.terms.zone)
    days = calendar.birthday_days(
        day, person.birth_date, person.birth_date_changes, person.enrolled_at, ruleset.terms.zone
    )
    first = holding.account is None or holding.account.transactions == 0
    facts = Facts(True, segments, person.tier, first, days, {})
    basket = Basket(now, None, None, ())
    return frozenset(
        promotion.code
        for promotion in ruleset.promotions
        if refusal(promotion, basket, facts, ruleset.terms) is None
    )


def promotions_open_now(member: Snapshot) -> frozenset[str]:
    """As `promotions_open_to`, from what was read of the member already; none while the programme has no rules."""
    try:
        return promotions_open_to(
            member.programme_id, member.rules.version, member.holding, member.segments, member.now
        )
    except ProgrammeNotActive:
        return frozenset()


def products_of(programme: Programme) -> QuerySet[Product]:
    """The programme's products by SKU."""
    return Product.objects.filter(programme=programme)


def promotions_of(
    programme: Programme, status: str | None = None, now: datetime | None = None
) -> QuerySet[Promotion]:
    """The programme's promotions that have a rule, with `body` and `valid_until` of the last one; with a
    `status`, those that have it at `now`, drafts too."""
    versions = PromotionVersion.objects.filter(promotion=OuterRef("pk"), is_voided=False)
    published, drafted = Exists(versions), Q(draft__isnull=False)
    shown = published if status is None else published | drafted
    promotions = promotions_with_rule(Promotion.objects.filter(shown, programme=programme))
    return promotions if status is None or now is None else with_status(promotions, status, now)


@dataclass(frozen=True, slots=True)
class PromotionWords:
    """What it takes to say a programme's promotions in words: product sets by hash, links by promotion."""

    programme: Programme
    products: Mapping[str, Part]
    links: Mapping[str, Part]
    now: datetime

    def summary(self, promotion: Promotion, body: Part) -> str:
        """The rule of `body` in plain words, for whom it is now."""
        products = body["products"]
        if isinstance(products, str):
            products = self.products.get(products)
        running = [
            link
            for link in self.links.get(promotion.code, {"links": []})["links"]
            if link["until"] is None or datetime.fromisoformat(link["until"]) > self.now
        ]
        links = {
            mode: sorted({link["segment"] for link in running if link["mode"] == mode})
            for mode in ("include", "exclude")
        }
        return wording.promotion_summary(body, products, self.programme, links)


def promotion_words(programme: Programme, now: datetime) -> PromotionWords:
    """Product sets and links of all promotions; product sets come from what this process keeps of the rules."""
    head = RulesHead.objects.filter(programme=programme).values_list("version", flat=True).first() or 0
    rules = timeline(programme.pk, head)
    return PromotionWords(programme, rules.bodies, link_parts(programme.pk), now)


def promotion_by_code(programme: Programme, code: str) -> Promotion:
    """A promotion by code. NotFound."""
    promotion = Promotion.objects.filter(programme=programme, code=code).first()
    if promotion is None:
        raise NotFound
    promotion.programme = programme
    return promotion


def promotion_links(promotion: Promotion) -> QuerySet[PromotionSegment]:
    """All links of a promotion, ended ones too, with their segments."""
    return promotion.links.select_related("promotion", "segment")


def product_names(programme: Programme, skus: Iterable[str]) -> dict[str, str]:
    """Names by SKU, of those that have one."""
    named = products_of(programme).filter(sku__in=set(skus)).exclude(name="")
    return dict(named.values_list("sku", "name"))


def promotion_names(programme: Programme, codes: Iterable[str], languages: Sequence[str]) -> dict[str, str]:
    """What promotions are called along a chain of languages, by code."""
    return _called(Promotion.objects.filter(programme=programme, code__in=set(codes)), languages)


def tier_names(programme: Programme, languages: Sequence[str]) -> dict[str, str]:
    """What the programme's tiers are called along a chain of languages, by code."""
    return _called(Tier.objects.filter(programme=programme), languages)


def _called(rows: "QuerySet[Any]", languages: Sequence[str]) -> dict[str, str]:
    named = rows.values_list("code", "name", "labels")
    return {code: called(name, labels, languages) for code, name, labels in named}


def product_of(programme: Programme, sku: str) -> Product:
    """A product by SKU. NotFound."""
    product = products_of(programme).filter(sku=sku).first()
    if product is None:
        raise NotFound
    return product


def event_types_of(programme: Programme) -> QuerySet[EventType]:
    """The programme's event types with the `body` of their part."""
    return EventType.objects.filter(programme=programme).annotate(body=part_of("programme_id", "part"))


def event_shown(programme_id: int, reference: str, now: datetime) -> dict[str, Any]:
    """An event as it is now, with trace, review and reversal. NotFound."""
    context = gather.booked_event(programme_id=programme_id, event=reference, reference="", now=now, key=None)
    event = context.event
    if event is None:
        raise NotFound
    rule, ruleset = type_rule(programme_id, event.row.part), by_hash(programme_id, event.row.ruleset)
    return event_answers.shown(event, rule, ruleset, context.reversal)


def dossier_of(member: Member, now: datetime) -> Iterator[Section]:
    """All that is held of the member here, the balance as it is at `now`; read as it is asked for."""
    yield Section("balance", balance_shown(member.programme, member.number, now))
    yield from dossier.sections(member, partner_names(member.programme))


def erasure_of(member: Member) -> Iterator[Fate]:
    """What erasing makes of what is held of the member here."""
    return erasure.fates(member)
