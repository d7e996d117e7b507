"""Reading an account's entries again: does the chain of hashes hold, and do the figures add up?"""

from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import Sum

from loyalty import chain
from loyalty.models import Account, Entry, Lot


@dataclass(frozen=True, slots=True)
class Verdict:
    """How many entries were read and what is wrong with the account; no faults = it verifies."""

    entries: int
    faults: tuple[str, ...]


def account_verify(account: Account) -> Verdict:
    """Compute every entry's hash and balance again. Reads the whole account, oldest entry first."""
    faults: list[str] = []
    seq, balance, head = 0, 0, chain.GENESIS
    for entry in Entry.objects.filter(account=account).order_by("seq").iterator(2000):
        balance += entry.points
        faults += (f"Entry {entry.seq}: {fault}" for fault in _faults(entry, seq, balance, head))
        seq, head = entry.seq, bytes(entry.hash)
    if (seq, head) != (account.seq, bytes(account.head)):
        faults.append("The account does not end with its last entry.")
    if balance != account.available + account.pending + account.held - account.debt:
        faults.append("The entries do not add up to the account's figures.")
    open_points = Lot.objects.filter(account=account).aggregate(points=Sum("remaining"))["points"] or 0
    if open_points != account.available + account.pending:
        faults.append("The open lots do not add up to available and pending points.")
    return Verdict(seq, tuple(faults))


def _faults(entry: Entry, last_seq: int, balance: int, head: bytes) -> Iterator[str]:
    if entry.seq != last_seq + 1:
        yield "an entry before it is missing."
    if bytes(entry.prev_hash) != head:
        yield "it does not continue the entry before it."
    if entry.balance_after != balance:
        yield "its balance is not the sum so far."
    fields = {name: getattr(entry, name) for name in chain.FIELDS if name not in ("commitment", "prev_hash")}
    fields |= {"commitment": bytes(entry.commitment), "prev_hash": bytes(entry.prev_hash)}
    if chain.entry_hash(fields) != bytes(entry.hash):
        yield "its content was changed after it was written."
