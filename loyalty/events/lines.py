"""Attributes of events said line by line, as staff do: “score: whole number”."""

import json
import re
from typing import Any

KINDS: dict[str, dict[str, Any]] = {
    "text": {"type": "string", "maxLength": 500},
    "whole number": {"type": "integer", "minimum": 0},
    "number": {"type": "number", "minimum": 0},
    "yes or no": {"type": "boolean"},
    "date": {"type": "string", "format": "date"},
}
_LINE = re.compile(r"([A-Za-z][A-Za-z0-9_]{0,63})\s*:\s*([a-z ]+?)\s*(, *optional)?")


def schema_of(lines: str) -> dict[str, Any]:
    """The JSON Schema of attributes said line by line, e.g. "score: whole number". ValueError with the line."""
    properties, required = {}, []
    for line in filter(None, map(str.strip, lines.splitlines())):
        said = _LINE.fullmatch(line)
        if said is None or said[2] not in KINDS or said[1] in properties:
            raise ValueError(line)
        properties[said[1]] = KINDS[said[2]]
        required += [] if said[3] else [said[1]]
    schema = {"type": "object", "properties": properties, "additionalProperties": False}
    return {**schema, "required": required} if required else schema


def lines_of(schema: Any) -> str | None:
    """The lines that say a schema; None for one that says more than lines can."""
    required = schema.get("required", [])
    kinds = {json.dumps(kind, sort_keys=True): name for name, kind in KINDS.items()}
    lines = []
    for name, kind in schema.get("properties", {}).items():
        said = kinds.get(json.dumps(kind, sort_keys=True))
        lines.append(f"{name}: {said}" + ("" if name in required else ", optional"))
    try:
        said_again = schema_of("\n".join(lines))
    except ValueError:
        return None
    is_same = {**said_again, "required": sorted(said_again.get("required", []))} == {
        **schema,
        "required": sorted(required),
    }
    return "\n".join(lines) if is_same else None
