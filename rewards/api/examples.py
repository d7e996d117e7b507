"""Examples of the API document for orders and vouchers."""

from typing import Any

ORDER: dict[str, Any] = {
    "reference": "WEB-991",
    "member": "10042",
    "gift": "GFT-88",
    "quantity": 1,
    "language": "fr",
    "delivery": {"method": "email", "email": "ada@example.org"},
}
_VALUE = {"amount": "25.00", "currency": "EUR"}
_VALID = {"valid_until": "2027-11-24T00:00:00+01:00"}
_ENTRY = {"id": "7-45", "kind": "redemption", "points": -1200}
_BALANCE = {
    "available": 1310,
    "pending": 117,
    "held": 0,
    "debt": 0,
    "as_of": "2026-11-23T10:30:00+01:00",
}
_RECEIPT = {"seq": 45, "hash": "sha256:" + "3f" * 32, "prev": "sha256:" + "a1" * 32}
_WHAT = {
    "reference": "WEB-991",
    "member": "10042",
    "gift": "GFT-88",
    "quantity": 1,
    "points": 1200,
    "promotion": None,
}
_TIMES = {"recorded_at": "2026-11-23T10:30:00+01:00", "reserved_until": None}
_LOTS = {"lots": [{"points": 1200, "expires_at": "2028-01-01T00:00:00+01:00"}]}
ORDERED = {
    **_WHAT,
    "status": "delivered",
    **_TIMES,
    **_LOTS,
    "voucher": {"code": "7M3K-9QZX-0T4R-WB2EC", "value": _VALUE, "balance": _VALUE, **_VALID},
    "entries": [_ENTRY],
    "balance": _BALANCE,
    "receipt": _RECEIPT,
    "metadata": {},
}


def _step(status: str, time: str, note: str | None = None) -> dict[str, Any]:
    return {"status": status, "at": f"2026-11-23T{time}+01:00", "note": note, "tracking": None}


def _order(status: str, steps: list[dict[str, Any]], allowed: list[str]) -> dict[str, Any]:
    return {
        **_WHAT,
        "status": status,
        **_TIMES,
        **_LOTS,
        "voucher": None,
        "delivery": {"method": "post"},
        "tracking": None,
        "history": steps,
        "allowed": allowed,
        "metadata": {},
    }


_QUIET: dict[str, Any] = {"entries": [], "balance": None, "receipt": None}
_EXCHANGED = _step("exchanged", "10:30:00")
ORDER_SHOWN = _order("exchanged", [_EXCHANGED], ["in_preparation", "cancelled"])
CONFIRMED = {
    **_order("exchanged", [_step("reserved", "10:25:00"), _EXCHANGED], ["in_preparation", "cancelled"]),
    "reserved_until": "2026-11-23T10:40:00+01:00",
    "entries": [_ENTRY],
    "balance": _BALANCE,
    "receipt": _RECEIPT,
}
CANCELLED = {
    **_order("cancelled", [_EXCHANGED, _step("cancelled", "10:50:00", "Ordered twice")], []),
    "entries": [{"id": "7-46", "kind": "redemption_cancelled", "points": 1200}],
    "balance": {**_BALANCE, "available": 2510},
    "receipt": {**_RECEIPT, "seq": 46},
}
MOVED = {
    **_order(
        "in_preparation",
        [_EXCHANGED, _step("in_preparation", "11:00:00", "Picked in Ghent")],
        ["in_delivery", "cancelled"],
    ),
    **_QUIET,
}
CODE = {"code": "7M3K-9QZX-0T4R-WB2EC"}
CHECKED = {"gift": "GFT-88", "value": _VALUE, "balance": _VALUE, **_VALID}
USED = {
    "reference": "POS-77-V-19",
    "used": _VALUE,
    "balance": {"amount": "0.00", "currency": "EUR"},
    "used_at": "2026-11-24T18:02:00+01:00",
}
