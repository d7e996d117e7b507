"""The two statements of one earn or gift order, overheard from the product, as a pgbench script that really books.

A call of the service is recorded with its parameters. In the script each call has a member, reference,
key and ids of its own, and what the post says of the account is what the gather read plus what the recorded
earn added, so that every post applies. Only hashes are made up; their bytes are as many.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from datetime import date, datetime
from typing import Any, NamedTuple
from unittest import mock

from config.kernel import sql
from loyalty import apply
from loyalty.gather import earning
from rewards import gather as rewards_gather

PER_CALL = {
    "number": ":number::text",
    "reference": ":reference::text",
    "key": ":key::text",
}
"""Parameters of the gather that differ from call to call, and how the script writes them."""

BALANCE = ":was_available::bigint + :was_pending::bigint + :was_held::bigint - :was_debt::bigint"
FIGURES = ("available", "pending", "held", "debt")
COUNTERS = ("version", "seq", "draws", "transactions", *FIGURES)
RELATIVE: dict[str, dict[str, str]] = {
    "accounts": {"expected": "version"} | {name: name for name in COUNTERS},
    "entries": {"seq": "seq", "balance_after": "balance"} | {name: name for name in FIGURES},
    "lots": {"seq": "seq"},
    "draws": {"number": "draws", "entry_seq": "seq"},
    "lot_changes": {"remaining": "available"},
    "transactions": {"entry_seq": "seq"},
    "redemptions": {"entry_seq": "seq"},
}
"""Columns of the post that move with the account: by table, the column of the account they start from."""
HOLDER = {
    "accounts": "id",
    **dict.fromkeys(("activity", "outbox", "news", "redemptions"), "member_id"),
    **dict.fromkeys(("stock", "moves", "deliveries", "vouchers"), None),
}
"""The column that names the account, where it is not account_id; None where there is none."""
KNOWN_TABLES = {
    "draws",
    "lot_changes",
    "stock",
    "redemptions",
    "moves",
    "news",
    "deliveries",
    "vouchers",
    "key",
    "accounts",
    "entries",
    "lots",
    "transactions",
    "usage",
    "budgets",
    "activity",
    "outbox",
}


class Statement(NamedTuple):
    """A statement as the product sent it."""

    query: str
    params: Mapping[str, Any]


class Recording(NamedTuple):
    """One call: the account before it, the statements, and what of the post belongs to this call alone."""

    before: Mapping[str, Any]
    gather: Statement
    post: Statement
    reference: str
    key: str


class Template(NamedTuple):
    """A text for SQL's format(), the SQL expressions of its arguments, and the values they stood for."""

    text: str
    expressions: list[str]
    recorded: list[str]


def overhear(write: Callable[[], object]) -> list[Statement]:
    """The statements of one call of a service, in their order."""
    heard: list[Statement] = []

    def rows(query: str, params: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        heard.append(Statement(query, params))
        return sql.rows(query, params)

    with ExitStack() as stack:
        for module in (earning, rewards_gather, apply):
            stack.enter_context(mock.patch.object(module, "rows", rows))
        write()
    return heard


def script(
    recording: Recording, name: str, members: tuple[int, int], clients: int
) -> tuple[str, dict[str, str]]:
    """A pgbench script, and the variables it needs, whose names end in `name`.

    `members` are the first number and how many. Each client has its own, so that none overtakes another.
    """
    template = post_template(recording)
    variables = {
        f"{key}_{name}": text_of(value)
        for key, value in recording.gather.params.items()
        if key not in PER_CALL
    }
    variables[f"template_{name}"] = template.text
    shared = {key: f":{key}_{name}" for key in recording.gather.params}
    first, count = members
    called = f"format(:template_{name}, {', '.join(template.expressions)})"
    lines = (
        f"\\set number {first} + random(0, {count // clients - 1}) * {clients} + :client_id",
        "\\set reference random(1, 9000000000000000000)",
        "\\set key random(1, 9000000000000000000)",
        filled(recording.gather.query, shared | PER_CALL),
        "\\gset was_",
        filled(recording.post.query, {"call": called}),
        "\\gset posted_",
    )
    return "\n".join(lines) + "\n", variables


def filled(query: str, values: Mapping[str, str]) -> str:
    """A query of the product with its parameters written otherwise. Raises KeyError for one nobody knows."""
    return re.sub(r"%\((\w+)\)s", lambda found: values[found[1]], query).replace("%%", "%").strip()


def text_of(value: Any) -> str:
    """A parameter in PostgreSQL's text form."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "{" + ",".join(json.dumps(text_of(item), ensure_ascii=False) for item in value) + "}"
    if value is None:
        raise ValueError("pgbench knows no null")
    return str(value)


def post_template(recording: Recording) -> Template:
    """The post's JSON, where each place that differs from call to call is an argument of format()."""
    call = json.loads(recording.post.params["call"])
    if unknown := set(call) - KNOWN_TABLES:
        raise ValueError(f"The script does not know how these tables follow the account: {sorted(unknown)}")
    template = Template("", [], [])
    (entry,) = call["entries"]
    tables = [name for name in call if name not in {"key", "accounts"}]
    texts = {
        **{row["id"]: "uuidv7()" for name in tables for row in call[name] if "id" in row},
        **{row["lookup"][2:]: "md5(:reference::text) || md5(:key::text)" for row in call.get("vouchers", ())},
        recording.reference: ":reference::text",
        recording.key: ":key::text",
        entry["prev_hash"][2:]: "substr(:was_head::text, 3)",
        entry["hash"][2:]: "md5(:key::text) || md5(:reference::text)",
    }
    places = {text: f"@@{_place(template, expression, text)}@@" for text, expression in texts.items()}
    for table in call.keys() - {"key"}:
        for row in call[table]:
            _follow_account(template, table, row, recording.before)
    text = json.dumps(call, separators=(",", ":"), ensure_ascii=False).replace("%", "%%")
    for found, place in places.items():
        text = text.replace(found, place)
    # A number is written as the whole of a string, which then loses its quotes.
    return template._replace(text=re.sub(r'"##(\d+)##"|@@(\d+)@@', r"%\1\2$s", text))


def _follow_account(template: Template, table: str, row: dict[str, Any], before: Mapping[str, Any]) -> None:
    """Put places where a row names the account or moves with it."""
    holder = HOLDER.get(table, "account_id")
    if holder:
        row[holder] = f"##{_place(template, ':was_id::bigint', str(row[holder]))}##"
    for column, start in RELATIVE.get(table, {}).items():
        row[column] = _moved(template, row[column], start, before)
    if "balance" in row and isinstance(row["balance"], dict):
        row["balance"] = {x: _moved(template, points, x, before) for x, points in row["balance"].items()}


def _moved(template: Template, value: int, start: str, before: Mapping[str, Any]) -> str:
    """What the gather read, plus what the recorded earn added."""
    was, read = (
        (_balance(before), BALANCE) if start == "balance" else (before[start], f":was_{start}::bigint")
    )
    return f"##{_place(template, f'({read} + {value - was})', str(value))}##"


def _balance(account: Mapping[str, Any]) -> int:
    return account["available"] + account["pending"] + account["held"] - account["debt"]


def _place(template: Template, expression: str, recorded: str) -> int:
    """The number of a new place in the text for this expression."""
    template.expressions.append(expression)
    template.recorded.append(recorded)
    return len(template.expressions)
