"""The shape of the project: foreign keys point down, and rows that travel as JSON are the tables' columns."""

import ast
from pathlib import Path

import msgspec
import pytest
from django.apps import apps
from django.conf import settings
from django.db.models import Model

from loyalty.models import Adjustment, Event, EventReversal, Reversal, Transaction
from loyalty.records import AdjustmentRow, EventReversalRow, EventRow, ReversalRow, TransactionRow

LAYERS = ("members", "segments", "loyalty", "rewards")
"""From the lowest app up; each may point to itself and to what stands before it."""


def test_foreign_keys_point_down() -> None:
    pointing_up = [
        f"{model.__name__}.{field.name} -> {field.related_model.__name__}"
        for layer, app in enumerate(LAYERS)
        for model in apps.get_app_config(app).get_models()
        for field in model._meta.get_fields()
        if field.many_to_one or (field.one_to_one and not field.auto_created)
        if field.related_model._meta.app_label in LAYERS[layer + 1 :]
    ]
    assert pointing_up == []


def test_no_foreign_key_cascades_into_points() -> None:
    """Deleting a programme, partner or member never takes a ledger row with it."""
    cascading = [
        f"{model.__name__}.{field.name}"
        for model in apps.get_app_config("loyalty").get_models()
        for field in model._meta.get_fields()
        if field.many_to_one and not field.auto_created
        if field.remote_field.on_delete.__name__ not in {"PROTECT", "DO_NOTHING"}
        if not model.__name__.startswith("Historical")
    ]
    assert cascading == []


@pytest.mark.parametrize(
    ("row", "model"),
    [
        (TransactionRow, Transaction),
        (ReversalRow, Reversal),
        (AdjustmentRow, Adjustment),
        (EventRow, Event),
        (EventReversalRow, EventReversal),
    ],
)
def test_rows_are_columns(row: type[msgspec.Struct], model: type[Model]) -> None:
    columns = {field.column for field in model._meta.concrete_fields}
    assert set(row.__struct_fields__) == columns


def test_no_signals() -> None:
    sources = [path for app in (*LAYERS, "config") for path in (Path(settings.BASE_DIR) / app).rglob("*.py")]
    connecting = [
        str(path)
        for path in sources
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and (node.module or "").endswith(("dispatch", "signals"))
    ]
    assert len(sources) > 50
    assert connecting == []
