"""Nothing of a member is forgotten: every table with a way to a member is in the document, or said not to be."""

import re

import pytest
from django.apps import apps
from django.db.models import Model

from config.people import member_document
from members.models import Member
from segments.models import Segment
from tests.config.lives import whole_life
from tests.factories import ApiClient
from tests.fixtures import ada, nothing_remembered, programme  # noqa: F401
from tests.loyalty.conftest import club, monday, till  # noqa: F401
from tests.loyalty.worlds import MONDAY
from tests.statements import statements

NOT_IN = {
    "loyalty.Account": "its figures are the balance, as they are now; the rest numbers entries and draws",
    "loyalty.IdempotencyKey": "first answers about rows that are in the document, kept 30 days for repetitions",
    "members.OutboxEvent": "news of rows that are in the document, without personal data, gone once told",
    "members.SignInRequest": "an address that somebody typed, whoever that was; gone after a day",
    "segments.UploadRow": "a file of staff; what came of a row is a membership with its reason",
}
"""Tables with a way to a member that the document leaves out, and why."""

OURS = {
    "programme_id": "one programme, told at the top",
    "member_id": "always the same",
    "account_id": "always the same",
    "content": "a hash to recognise a repetition by",
    "salt": "keeps hashes of texts from being guessed",
}
COLUMNS_NOT_IN = {
    "loyalty.Entry": {"commitment": "a salted hash of texts that are told where they belong"},
    "loyalty.Hold": {"reference": "the order's, which it is told with"},
    "members.ConsentChange": {"wording_id": "told by its number and words"},
    "members.Member": {"id": "of our own", "identity_version": "counts the times all sessions ended"},
    "rewards.Move": {"id": "of our own"},
    "rewards.PoolCode": dict.fromkeys(
        ("id", "pool_id", "lookup", "valid_until", "uploaded_at", "taken_at", "redemption_id"),
        "the stock's; the voucher it became is told, with its code while it can be used",
    ),
    "rewards.Redemption": {"reward_id": "told by its code", "version_id": "told by its name"},
    "rewards.Voucher": {"lookup": "finds a code", "pool_code_id": "of our own"},
    "rewards.VoucherUse": {"id": "of our own"},
    "segments.Membership": {"segment_id": "told by its code"},
    "segments.Pin": {"segment_id": "told by its code"},
    "loyalty.Event": {"type_id": "told by its code"},
}
NAMES_OF_PEOPLE = {"member", "account", "email", "redemption"}
"""Columns that lead to a member without a foreign key."""


def ways_to(model: type[Model], known: set[type[Model]]) -> bool:
    """Whether a row of the model says of which member it is, itself or by a row that does."""
    words = NAMES_OF_PEOPLE | {found._meta.model_name for found in known}
    return any(
        (field.is_relation and field.related_model in known) or field.attname.removesuffix("_id") in words
        for field in model._meta.concrete_fields
    )


def with_a_way_to_a_member() -> set[type[Model]]:
    known: set[type[Model]] = {Member}
    ours = [model for model in apps.get_models() if model._meta.app_label != "auth"]
    while more := {model for model in ours if model not in known and ways_to(model, known)}:
        known |= more
    return known


@pytest.fixture
def asked(till: ApiClient, club: Segment, ada: Member) -> list[str]:  # noqa: F811
    """What the document of a member who did everything asks the database."""
    whole_life(till, ada)
    with statements() as sent:
        assert len(list(member_document(ada, MONDAY, shows_codes=True))) > 20
    return [text for text in sent if text.startswith("SELECT")]


@pytest.mark.django_db
def test_every_table_with_a_way_to_a_member_is_read(asked: list[str]) -> None:
    read = set(re.findall(r'(?:FROM|JOIN) "(\w+)"', " ".join(asked)))
    known = with_a_way_to_a_member()
    assert len(known) > 20
    assert {model._meta.label for model in known if model._meta.db_table not in read} == set(NOT_IN)


@pytest.mark.django_db
def test_every_column_is_told(asked: list[str]) -> None:
    told = {pair for text in asked for pair in re.findall(r'"(\w+)"\."(\w+)"', text.partition(" FROM ")[0])}
    for model in with_a_way_to_a_member():
        label, table = model._meta.label, model._meta.db_table
        if label not in NOT_IN:
            untold = {
                field.attname for field in model._meta.concrete_fields if (table, field.column) not in told
            }
            assert untold - set(OURS) == set(COLUMNS_NOT_IN.get(label, ())), label
