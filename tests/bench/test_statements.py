"""pgbench runs what the product runs: the script is made of its statements, and its post of a real call."""

import json
import re
from datetime import UTC, datetime

import msgspec
import pytest

from loyalty.api.serializers import EarnBody, basket_command
from loyalty.gather.earning import ONE_BASKET
from loyalty.idempotency import claim
from loyalty.models import Account
from loyalty.services import Write, transaction_earn
from members.models import Member, Programme
from rewards import gather as rewards_gather
from rewards.services import DeliveryTo, RedemptionCommand, redemption_order
from segments.models import Segment
from tests.bench.statements import Recording, Template, overhear, post_template, script
from tests.factories import ApiClient
from tests.loyalty.conftest import ada, club, monday, nothing_remembered, programme, till  # noqa: F401
from tests.loyalty.worlds import BASKET, MONDAY, adjust, earn
from tests.rewards.orders import card


@pytest.fixture
def recording(club: Segment, till: ApiClient, ada: Member) -> Recording:  # noqa: F811
    """Ada's second receipt."""
    assert earn(till, "FIRST").status_code == 201
    before = Account.objects.values().get(pk=ada.pk)
    body = {"reference": "SECOND-REFERENCE", **BASKET}
    key = claim("SECOND-KEY", partner_id=till.partner.pk, method="POST", path="/", body=body)
    write = Write(ada.programme_id, MONDAY, till.partner.pk, key)
    command = basket_command(msgspec.convert(body, EarnBody), datetime.now(UTC))
    asked, posted = overhear(lambda: transaction_earn(write=write, command=command))
    return Recording(before, asked, posted, "SECOND-REFERENCE", "SECOND-KEY")


@pytest.fixture
def order(club: Segment, till: ApiClient, ada: Member, programme: Programme) -> Recording:  # noqa: F811
    """Ada's voucher, for points she was given."""
    assert adjust(till, "10042", 9000, "GIVEN").status_code == 201
    card(programme, stock=5)
    before = Account.objects.values().get(pk=ada.pk)
    body = {"reference": "ORDER-REFERENCE", "member": "10042", "gift": "CARD"}
    key = claim("ORDER-KEY", partner_id=till.partner.pk, method="POST", path="/", body=body)
    write = Write(ada.programme_id, MONDAY, till.partner.pk, key)
    to = DeliveryTo("email", "ada@example.com")
    command = RedemptionCommand(**body, actor="partner:till", delivery=to)
    asked, posted = overhear(lambda: redemption_order(write=write, command=command))
    return Recording(before, asked, posted, "ORDER-REFERENCE", "ORDER-KEY")


def formatted(template: Template) -> str:
    """What format() makes of it with the values that were recorded."""
    text = re.sub(r"%(\d+)\$s", lambda place: template.recorded[int(place[1]) - 1], template.text)
    return text.replace("%%", "%")


def test_the_posts_template_is_the_recorded_call(recording: Recording) -> None:
    template = post_template(recording)
    assert json.loads(formatted(template)) == json.loads(recording.post.params["call"])


def test_nothing_of_the_recorded_call_is_posted_again(recording: Recording) -> None:
    text = post_template(recording).text
    assert "SECOND-" not in text
    assert recording.before["head"].hex() not in text


def test_the_script_is_made_of_the_products_statements(recording: Recording) -> None:
    text, variables = script(recording, "x", (1_000_000, 80), clients=8)
    asked, posted = re.findall(r"^SELECT.*?(?=^\\gset)", text, re.DOTALL | re.MULTILINE)
    parameter = r"%\(\w+\)s"
    assert re.fullmatch(_pattern(ONE_BASKET, parameter), asked.strip(), re.DOTALL)
    assert re.fullmatch(_pattern(recording.post.query, parameter), posted.strip(), re.DOTALL)
    sent = {name for name in re.findall(r"(?<!:):(\w+)", text) if not name.startswith("was_")}
    assert sent - {"number", "reference", "key", "client_id"} == set(variables)


def test_an_order_is_recorded_alike(order: Recording) -> None:
    template = post_template(order)
    call = json.loads(order.post.params["call"])
    assert json.loads(formatted(template)) == call
    assert call["stock"][0]["change"] == -1
    assert order.gather.query == rewards_gather._NEW
    own = [row["id"] for name in ("redemptions", "moves", "news", "vouchers") for row in call[name]]
    own += [call["vouchers"][0]["lookup"][2:], order.before["head"].hex(), "ORDER-REFERENCE", "ORDER-KEY"]
    assert len(set(own)) == 10
    assert not [text for text in own if text in template.text]


def _pattern(query: str, parameter: str) -> str:
    return ".+?".join(re.escape(part) for part in re.split(parameter, query.strip()))
