"""Examples of the OpenAPI document: requests that run against the demo programme, with their answers."""

from typing import Any

BASKET: dict[str, Any] = {
    "member": "10042",
    "occurred_at": "2026-11-23T10:15:00+01:00",
    "channel": "web",
    "store": "BXL-01",
    "currency": "EUR",
    "lines": [
        {
            "line": "1",
            "sku": "CHOC-1",
            "category": "chocolate",
            "brand": "Neuhaus",
            "quantity": "2",
            "amount": "25.00",
        },
        {"line": "2", "sku": "MUG-7", "category": "home", "quantity": "1", "amount": "19.90"},
    ],
}
RECEIPT = {"reference": "POS-77-000123", **BASKET}
_TRACE = [
    {"step": "base", "rule": "BASE", "formula": "44.90 × 1", "points": "44.90"},
    {"step": "tier", "rule": "SILVER", "formula": "44.90 × 0.5", "points": "22.45"},
    {
        "step": "promotion",
        "rule": "PR-CHOC3X",
        "formula": "25.00 × 2",
        "points": "50.00",
        "because": ["segment:vip-bxl"],
    },
    {"step": "rounding", "rule": "floor", "points": "-0.35"},
]
_EXPLANATION = {
    "trace": _TRACE,
    "not_applied": [{"rule": "PR-WEEKEND", "code": "outside_schedule"}],
    "nearly": [{"rule": "PR-50EUR", "missing": {"amount": "5.10"}, "would_add": 100}],
}
RULESET = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
DATES = {"activates_at": "2026-12-07T00:00:00+01:00", "expires_at": "2028-01-01T00:00:00+01:00"}
_LINES = [{"line": "1", "points": 87}, {"line": "2", "points": 30}]
EVALUATED = {
    "evaluation": "WzEsMSwiMTAwNDIiXQ:1vN:signature",
    "points": 117,
    "wanted": 117,
    **DATES,
    "lines": _LINES,
    **_EXPLANATION,
    "ruleset": RULESET,
}
RECEIPT_SHOWN = {"seq": 42, "hash": RULESET, "prev": RULESET}
_BALANCE = {"available": 2510, "pending": 117, "held": 0, "debt": 0, "as_of": "2026-11-23T10:15:02+01:00"}
EARNED = {
    "reference": "POS-77-000123",
    "status": "posted",
    "points": 117,
    "wanted": 117,
    "lines": _LINES,
    **_EXPLANATION,
    "ruleset": RULESET,
    "entries": [{"id": "7-42", "kind": "earn", "points": 117, **DATES}],
    "balance": _BALANCE,
    "receipt": RECEIPT_SHOWN,
    "metadata": {},
}
BATCH = {"transactions": [RECEIPT]}
BATCHED = {
    "booked": 1,
    "repeated": 0,
    "refused": 0,
    "results": [{"index": 0, "status": 201, "body": EARNED}],
}
TRANSACTION = {
    **{key: value for key, value in EARNED.items() if key != "balance"},
    "member": "10042",
    "occurred_at": BASKET["occurred_at"],
    "recorded_at": "2026-11-23T10:15:02+01:00",
    "channel": "web",
    "store": "BXL-01",
    "currency": "EUR",
    "remaining_points": 117,
    "lines": [
        {
            "brand": None,
            **line,
            "points_eligible": True,
            "points": points["points"],
            "remaining": {"quantity": line["quantity"], "amount": line["amount"]},
        }
        for line, points in zip(BASKET["lines"], _LINES, strict=True)
    ],
    "reversals": [],
}
RETURN = {"reference": "RET-5501", "reason": "item_return", "lines": [{"line": "1", "quantity": "1"}]}
REVERSED = {
    "reference": "RET-5501",
    "transaction": "POS-77-000123",
    "points": -44,
    "original_points": 117,
    "remaining_points": 73,
    "taken_from": {"pending": 44, "available": 0, "debt": 0, "forgiven": 0},
    "caps_released": [{"promotion": "PR-CHOC3X", "points": "25"}],
    "transaction_status": "partially_reversed",
    "entries": [{"id": "7-43", "kind": "reversal", "points": -44}],
    "balance": {**_BALANCE, "pending": 73},
    "receipt": {**RECEIPT_SHOWN, "seq": 43},
    "trace": [
        {"step": "base", "rule": "BASE", "formula": "32.40 × 1", "points": "32.40"},
        {"step": "tier", "rule": "SILVER", "formula": "32.40 × 0.5", "points": "16.20"},
        {
            "step": "promotion",
            "rule": "PR-CHOC3X",
            "formula": "12.50 × 2",
            "points": "25.00",
            "because": ["segment:vip-bxl"],
        },
        {"step": "rounding", "rule": "floor", "points": "-0.60"},
    ],
    "reason": "item_return",
    "metadata": {},
}
BALANCE = _BALANCE
ADJUSTMENT = {"reference": "CRM-311", "points": 50, "reason": "Sorry for the late parcel"}
ADJUSTED = {
    "reference": "CRM-311",
    "member": "10042",
    "status": "posted",
    "points": 50,
    "reason": "Sorry for the late parcel",
    "recorded_at": "2026-11-23T10:20:00+01:00",
    "entries": [
        {
            "id": "7-44",
            "kind": "adjustment",
            "points": 50,
            "activates_at": "2026-11-23T10:20:00+01:00",
            "expires_at": "2028-01-01T00:00:00+01:00",
        }
    ],
    "balance": {**_BALANCE, "available": 2560},
    "receipt": {**RECEIPT_SHOWN, "seq": 44},
    "metadata": {},
}
PRODUCT = {"name": "Pralines 250 g", "category": "chocolate", "brand": "Neuhaus"}
PRODUCT_SHOWN = {"sku": "CHOC-1", **PRODUCT}
