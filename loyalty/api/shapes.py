"""What the points endpoints answer: the shapes that the OpenAPI document shows and tests hold answers to."""

from typing import Any

import msgspec


class LinePoints(msgspec.Struct):
    """Whole points of one line."""

    line: str
    points: int


class Missing(msgspec.Struct, omit_defaults=True):
    """What a basket lacks to reach a minimum: an amount of money or a quantity."""

    amount: str | None = None
    quantity: str | None = None


class Step(msgspec.Struct, omit_defaults=True):
    """A rule that gave points: exact, before the one rounding. The steps of a trace sum to the points."""

    step: str
    rule: str
    points: str
    formula: str | None = None
    because: list[str] | None = None
    wanted: str | None = None
    awarded: str | None = None
    capped_by: str | None = None


class NotApplied(msgspec.Struct):
    """A promotion that gives nothing, and why."""

    rule: str
    code: str


class Nearly(msgspec.Struct):
    """A promotion of which only a minimum is missing, and the points it would add once just reached."""

    rule: str
    missing: Missing
    would_add: int


class Evaluated(msgspec.Struct):
    """What a basket would earn; `evaluation` is a signed promise for 15 minutes."""

    evaluation: str
    points: int
    wanted: int
    activates_at: str
    expires_at: str | None
    lines: list[LinePoints]
    trace: list[Step]
    not_applied: list[NotApplied]
    nearly: list[Nearly]
    ruleset: str


class EntryShown(msgspec.Struct, omit_defaults=True):
    """A movement of the balance; earned points say when they activate and expire."""

    id: str
    kind: str
    points: int
    activates_at: str | None = None
    expires_at: str | None = None


class Balance(msgspec.Struct):
    """The four figures of an account at an instant; the balance is available + pending + held - debt."""

    available: int
    pending: int
    held: int
    debt: int
    as_of: str


class Receipt(msgspec.Struct):
    """The entry's number and its place in the account's hash chain."""

    seq: int
    hash: str
    prev: str


class Earned(msgspec.Struct):
    """A booked transaction as first answered; `wanted` is what it would have been without caps."""

    reference: str
    status: str
    points: int
    wanted: int
    lines: list[LinePoints]
    trace: list[Step]
    not_applied: list[NotApplied]
    nearly: list[Nearly]
    ruleset: str
    entries: list[EntryShown]
    balance: Balance
    receipt: Receipt | None
    metadata: dict[str, Any]


class BatchItem(msgspec.Struct, omit_defaults=True):
    """The outcome of one transaction: its status and the answer it would have had on its own."""

    index: int
    status: int
    body: dict[str, Any]
    replayed: bool = False


class BatchShown(msgspec.Struct):
    """A result for each transaction, in their order."""

    booked: int
    repeated: int
    refused: int
    results: list[BatchItem]


class Left(msgspec.Struct):
    """What returns left of a line."""

    quantity: str
    amount: str


class LineShown(msgspec.Struct):
    """A booked line, category and brand resolved, with its points and what is left of it."""

    line: str
    sku: str | None
    category: str | None
    brand: str | None
    quantity: str
    amount: str
    points_eligible: bool
    points: int
    remaining: Left


class ReversalSummary(msgspec.Struct):
    """A return of the transaction."""

    reference: str
    recorded_at: str
    reason: str
    points: int
    remaining_points: int


class TransactionShown(msgspec.Struct):
    """A transaction as it is now, with everything its points were decided from."""

    reference: str
    status: str
    member: str
    occurred_at: str
    recorded_at: str
    channel: str | None
    store: str | None
    currency: str
    points: int
    wanted: int
    remaining_points: int
    lines: list[LineShown]
    trace: list[Step]
    not_applied: list[NotApplied]
    nearly: list[Nearly]
    ruleset: str
    entries: list[EntryShown]
    receipt: Receipt | None
    reversals: list[ReversalSummary]
    metadata: dict[str, Any]


class TakenFrom(msgspec.Struct):
    """Where a return took its points from; what was forgiven was not taken."""

    pending: int
    available: int
    debt: int
    forgiven: int


class CapReleased(msgspec.Struct):
    """Exact points a promotion's caps got back."""

    promotion: str
    points: str


class Reversed(msgspec.Struct, omit_defaults=True):
    """A return: `points` moved (never positive), what is left, and the trace of what remains."""

    reference: str
    transaction: str
    points: int
    original_points: int
    remaining_points: int
    taken_from: TakenFrom
    caps_released: list[CapReleased]
    transaction_status: str
    entries: list[EntryShown]
    balance: Balance
    receipt: Receipt | None
    trace: list[Step]
    reason: str
    metadata: dict[str, Any]
    dry_run: bool = False


class Adjusted(msgspec.Struct):
    """An adjustment: posted, waiting for a second person, or refused by one."""

    reference: str
    member: str
    status: str
    points: int
    reason: str
    recorded_at: str
    entries: list[EntryShown]
    balance: Balance | None
    receipt: Receipt | None
    metadata: dict[str, Any]


class ProductShown(msgspec.Struct):
    """A product of the programme."""

    sku: str
    name: str
    category: str
    brand: str


class ProductList(msgspec.Struct):
    """A page of products by SKU."""

    items: list[ProductShown]
    next_cursor: str | None
