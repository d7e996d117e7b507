"""What becomes of what loyalty holds of one member who is erased: the ledger stays, nothing in it names anybody."""

from collections.abc import Iterator

from django.db.models import F, Func, JSONField

from config.kernel.erasure import NO_HASH, NO_SALT, OPAQUE, Fate, Forgotten
from loyalty.models import (
    Account,
    Adjustment,
    Entry,
    Event,
    EventReversal,
    Hold,
    IdempotencyKey,
    Reversal,
    TierChange,
    Transaction,
)
from members.models import Member

# Days from the birthday and the day of the receipt together are the birthday.
_WITHOUT_BIRTHDAY = Func(
    F("facts"),
    template="jsonb_set(%(expressions)s, '{birthday_days}', 'null')",
    output_field=JSONField(),
)
_DOCUMENT = {"reference": OPAQUE, "content": NO_HASH, "salt": NO_SALT, "metadata": {}}

FORGOTTEN: Forgotten = {
    Transaction: {**_DOCUMENT, "facts": _WITHOUT_BIRTHDAY},
    Reversal: {**_DOCUMENT, "reason": ""},
    Adjustment: {**_DOCUMENT, "reason": ""},
    Event: {**_DOCUMENT, "attributes": {}, "device": None, "decision_reason": ""},
    EventReversal: {**_DOCUMENT, "reason": ""},
    Hold: {"reference": OPAQUE},
}
"""By the account; the chain of hashes took references and reasons as salted commitments and verifies without."""
FORGOTTEN_BY_MEMBER: Forgotten = {TierChange: {"reason": ""}}


def fates(member: Member) -> Iterator[Fate]:
    """What is held of the member here, and what erasing makes of it."""
    account = Account.objects.filter(pk=member.pk).first()
    if account:
        yield Fate(
            "Points",
            account.available + account.pending + account.held,
            "all are forfeited, debt is written off",
            "the account, at zero",
        )
    entries = Entry.objects.filter(account=member.pk)
    yield Fate(
        "Entries of the ledger",
        entries.count(),
        "nothing",
        "amounts and the chain of hashes, which still verifies: books are kept",
    )
    for name, model, goes in (
        ("Transactions", Transaction, "references, metadata, distance to the birthday"),
        ("Returns", Reversal, "references, reasons, metadata"),
        ("Adjustments", Adjustment, "references, reasons, metadata"),
        ("Events", Event, "references, attributes, device, metadata, what a review said"),
        ("Events taken back", EventReversal, "references, reasons, metadata"),
    ):
        stays = "what was bought or done, when, and the points: entries are explained by it"
        yield Fate(name, model._default_manager.filter(account_id=member.pk).count(), goes, stays)
    changes = TierChange.objects.filter(member=member)
    yield Fate("Changes of tier", changes.count(), "reasons", "which tier, when")
    keys = IdempotencyKey.objects.filter(account_id=member.pk)
    yield Fate("Answers kept for repetitions", keys.count(), "all")
