"""Staged receipts, taken chunk by chunk."""

from zoneinfo import ZoneInfo

from loyalty.imports.reading import Row
from loyalty.imports.staging import stage, staging, take
from members.models import Programme


def test_a_chunk_may_pass_what_a_smallint_holds(programme: Programme) -> None:
    cells = {"member": "10042", "occurred_at": "2026-11-23T10:00:00", "amount": "1.00"}
    rows = [Row(2, {"reference": "A", **cells}, ""), Row(3, {"reference": "B", **cells}, "")]
    with staging(programme.pk):
        assert stage(programme.pk, rows, ZoneInfo("UTC"), 1) == 2
        chunk = take(programme.pk, share=0, after=1, size=32_767)
        assert chunk is not None
        assert [receipt.reference for receipt in chunk.receipts] == ["B"]
