"""GET /api/v1/members/{member}/promotional-products"""

import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import msgspec
import pytest
import time_machine
from django.conf import settings

from config.kernel.api.pagination import write_cursor
from loyalty.models import Promotion
from loyalty.rules import Cap, ProductSetRule, PromotionRule
from loyalty.services import (
    promotion_link,
    promotion_link_end,
    promotion_pause,
    promotion_publish,
    rules_publish,
)
from loyalty.services.products import ProductRow, products_put
from members.models import Member, Programme
from rewards.api.promotional import PromotionalProducts
from rewards.labels import EFFECTS, burn_label, earn_label, written_in
from rewards.services import promotional_price_set
from segments.models import Segment
from segments.services import membership_add, segment_create
from tests.factories import LONG_AGO, ApiClient
from tests.loyalty.worlds import MONDAY, earn, publish
from tests.rewards.catalogue import gift, live_gift
from tests.statements import statements

pytestmark = pytest.mark.django_db

URL = "/api/v1/members/10042/promotional-products"
CHOCOLATE = ProductSetRule(categories=("chocolate",))


def get(client: ApiClient, **query: Any) -> Any:
    member = query.pop("member", "10042")
    answer = client.get(f"/api/v1/members/{member}/promotional-products", query)
    assert answer.status_code == 200, answer.content
    return answer.json()


def all_of(client: ApiClient, cursor: str, stop: str) -> Iterator[dict[str, Any]]:
    """The items from a cursor until a promotion, page by page."""
    following: str | None = cursor
    while following:
        page = get(client, limit=250, cursor=following)
        for item in page["items"]:
            if item["promotion"] == stop:
                return
            yield item
        following = page["next_cursor"]


def promotions(client: ApiClient, **query: Any) -> list[str]:
    """The codes of the promotions that let the member in, in their order."""
    items = get(client, limit=250, **query)["items"]
    return list(dict.fromkeys(item["promotion"] for item in items))


def test_it_works(till: ApiClient, club: Segment, programme: Programme) -> None:
    rule = PromotionRule(
        "per_item",
        "0.5",
        priority=10,
        ends_at=MONDAY + timedelta(days=8),
        products=ProductSetRule(("CHOC-2", "CHOC-1"), (), ("Neuhaus",)),
        caps={"day": Cap("500", 3), "budget": Cap("9")},
    )
    publish(programme, "PR-ITEMS", rule)
    body = get(till, lang="fr")
    items = {
        "kind": "earn",
        "sku": None,
        "category": None,
        "brand": None,
        "promotion": "PR-ITEMS",
        "effect": {"type": "per_item", "value": "0.5"},
        "label": "0,5 point en plus par article",
        "because": ["everyone"],
        "ends_at": "2026-12-01T10:15:02+01:00",
        "cap_left": {"day": {"points": "500", "uses": 3}},
    }
    assert body["items"][:3] == [
        items | {"sku": "CHOC-1"},
        items | {"sku": "CHOC-2"},
        items | {"brand": "Neuhaus"},
    ]
    assert [(item["promotion"], item["category"], item["because"]) for item in body["items"][3:]] == [
        ("PR-50EUR", None, ["everyone"]),
        ("PR-CHOC3X", "chocolate", ["segment:vip-bxl"]),
        ("PR-WEEKEND", None, ["everyone"]),
    ]
    assert (body["next_cursor"], body["_fallback"]) == (None, [])
    msgspec.convert(body, PromotionalProducts)


# --- Who is in -----------------------------------------------------------------------------------------


def test_links_decide_at_now(
    till: ApiClient,
    club: Segment,
    programme: Programme,
    ada: Member,
    bob: Member,
    monday: time_machine.Traveller,
) -> None:
    """Include lets in, exclude wins, an ended include link still keeps everybody out."""
    other = segment_create(programme=programme, code="other", name="Other")
    everybody = ["PR-50EUR", "PR-WEEKEND"]
    assert promotions(till, member=bob.number) == everybody
    choc = Promotion.objects.get(code="PR-CHOC3X")
    weekend = Promotion.objects.get(code="PR-WEEKEND")
    promotion_link(promotion=choc, segment=other, mode="exclude", valid_from=MONDAY + timedelta(hours=1))
    promotion_link(promotion=weekend, segment=other, mode="include", valid_from=LONG_AGO)
    assert promotions(till) == ["PR-50EUR", "PR-CHOC3X"]
    membership_add(segment=other, member=ada, now=LONG_AGO, valid_from=LONG_AGO, source="staff")
    assert promotions(till) == ["PR-50EUR", "PR-CHOC3X", "PR-WEEKEND"]
    monday.shift(3600)
    assert promotions(till) == ["PR-50EUR", "PR-WEEKEND"]
    promotion_link_end(link=weekend.links.get(), now=MONDAY + timedelta(hours=1))
    assert promotions(till) == promotions(till, member=bob.number) == ["PR-50EUR"]


def test_conditions_on_the_member_decide_and_those_on_the_basket_do_not(
    till: ApiClient, club: Segment, programme: Programme, ada: Member, bob: Member
) -> None:
    Member.objects.filter(pk=ada.pk).update(birth_date="1990-11-20")
    for code, rule in {
        "PR-FIRST": PromotionRule("fixed", "1", first=True),
        "PR-BIRTHDAY": PromotionRule("fixed", "1", birthday_days=3),
        "PR-BIRTHDAY2": PromotionRule("fixed", "1", birthday_days=2),
        "PR-SILVER": PromotionRule("fixed", "1", tiers=("SILVER",)),
        "PR-GOLD": PromotionRule("fixed", "1", tiers=("GOLD",)),
        "PR-SOON": PromotionRule("fixed", "1", starts_at=MONDAY + timedelta(seconds=1)),
        "PR-OVER": PromotionRule("fixed", "1", ends_at=MONDAY),
        "PR-SHOP": PromotionRule("fixed", "1", stores=("X",), channels=("app",), minimum_quantity="9"),
    }.items():
        publish(programme, code, rule)
    base = {"PR-50EUR", "PR-WEEKEND", "PR-SHOP", "PR-FIRST"}
    assert set(promotions(till)) == base | {"PR-CHOC3X", "PR-BIRTHDAY", "PR-SILVER"}
    assert set(promotions(till, member=bob.number)) == base
    because = {item["promotion"]: item["because"] for item in get(till)["items"]}
    assert because["PR-FIRST"] == ["first_transaction"]
    assert because["PR-BIRTHDAY"] == ["birthday"]
    assert because["PR-SILVER"] == ["tier:SILVER"]
    assert earn(till, "POS-1").status_code == 201
    assert "PR-FIRST" not in promotions(till)


def test_paused_drafted_and_closed_have_nothing(
    till: ApiClient, club: Segment, programme: Programme, ada: Member
) -> None:
    promotion_pause(promotion=Promotion.objects.get(code="PR-WEEKEND"), now=MONDAY)
    assert promotions(till) == ["PR-50EUR", "PR-CHOC3X"]
    Member.objects.filter(pk=ada.pk).update(status="closed")
    assert promotions(till) == []


def test_what_is_left_of_caps(till: ApiClient, club: Segment, programme: Programme, bob: Member) -> None:
    caps = {"transaction": Cap("50"), "month": Cap("100", 2), "total": Cap("60")}
    publish(programme, "PR-CAPS", PromotionRule("fixed", "40", caps=caps))
    publish(programme, "PR-BUDGET", PromotionRule("fixed", "40", caps={"budget": Cap("70")}))

    def left(member: str = "10042") -> Any:
        found = {item["promotion"]: item["cap_left"] for item in get(till, member=member)["items"]}
        return found.get("PR-CAPS"), found.get("PR-BUDGET")

    whole = {
        "transaction": {"points": "50"},
        "month": {"points": "100", "uses": 2},
        "total": {"points": "60"},
    }
    assert left() == (whole, {})
    earn(till, "POS-1")
    assert left() == (
        {"transaction": {"points": "50"}, "month": {"points": "60", "uses": 1}, "total": {"points": "20"}},
        {},
    )
    assert left(bob.number) == (whole, {})
    earn(till, "POS-2")
    assert left() == (None, None)
    assert left(bob.number) == (whole, None)


def test_it_ends_with_the_link_that_lets_in(till: ApiClient, club: Segment, programme: Programme) -> None:
    def end() -> Any:
        return {item["promotion"]: item["ends_at"] for item in get(till)["items"]}["PR-CHOC3X"]

    choc = Promotion.objects.get(code="PR-CHOC3X")
    assert end() is None
    promotion_link_end(link=choc.links.get(), now=MONDAY, at=MONDAY + timedelta(days=2))
    assert end() == "2026-11-25T10:15:02+01:00"
    publish(programme, "PR-CHOC3X", PromotionRule("fixed", "1", ends_at=MONDAY + timedelta(days=1)))
    assert end() == "2026-11-24T10:15:02+01:00"


# --- Gifts at a promotional price ----------------------------------------------------------------------


def test_gifts_that_cost_fewer_points(
    till: ApiClient, club: Segment, programme: Programme, bob: Member
) -> None:
    cheap, dear = live_gift(programme, "GFT-1", points=500), live_gift(programme, "GFT-2", points=900)
    segment_create(programme=programme, code="nobody", name="Nobody")
    hidden = live_gift(programme, "GFT-3", points=900, segments=("nobody",))
    unseen = gift(programme, "GFT-4", points=900)
    choc, big = (Promotion.objects.get(code=code) for code in ("PR-CHOC3X", "PR-50EUR"))
    for reward, promotion, points in (
        (dear, choc, 800),
        (cheap, choc, 400),
        (cheap, big, 450),
        (hidden, big, 1),
        (unseen, big, 1),
    ):
        promotional_price_set(reward=reward, promotion=promotion, points=points, now=MONDAY)

    def burns(**query: Any) -> list[tuple[str, str, int, int]]:
        items = [item for item in get(till, limit=250, **query)["items"] if item["kind"] == "burn"]
        return [(x["gift"], x["promotion"], x["points"], x["points_before"]) for x in items]

    everything = [
        ("GFT-1", "PR-50EUR", 450, 500),
        ("GFT-1", "PR-CHOC3X", 400, 500),
        ("GFT-2", "PR-CHOC3X", 800, 900),
    ]
    assert burns() == everything
    assert burns(member=bob.number) == everything[:1]
    assert get(till, lang="nl-BE")["items"][-1] == {
        "kind": "burn",
        "gift": "GFT-2",
        "points": 800,
        "points_before": 900,
        "promotion": "PR-CHOC3X",
        "label": "800 punten in plaats van 900",
        "because": ["segment:vip-bxl"],
        "ends_at": None,
    }
    last = get(till, limit=5)
    assert [item["kind"] for item in last["items"]] == ["earn"] * 3 + ["burn"] * 2
    assert [x["gift"] for x in get(till, limit=5, cursor=last["next_cursor"])["items"]] == ["GFT-2"]
    with statements() as sent:
        burns()
    assert len(sent) == 2
    promotional_price_set(reward=cheap, promotion=big, points=None, now=MONDAY)
    assert burns() == everything[1:]
    promotion_pause(promotion=choc, now=MONDAY)
    assert burns() == []


# --- Pages, languages, refusals ------------------------------------------------------------------------


def test_pages_hold_every_item_once(till: ApiClient, club: Segment, programme: Programme) -> None:
    for code, priority in (("PR-A", 5), ("PR-B", 5), ("PR-C", 500)):
        skus = tuple(f"S-{number:02}" for number in range(5))
        rule = PromotionRule("fixed", "1", priority, products=ProductSetRule(skus, ("c2", "c1"), ("é", "b")))
        publish(programme, code, rule)
    whole = get(till, limit=250)["items"]
    assert len(whole) == 3 * 9 + 3
    for limit in (1, 2, 4, 9, 10, 29, 30):
        seen: list[Any] = []
        cursor: dict[str, Any] = {}
        while True:
            page = get(till, limit=limit, **cursor)
            seen += page["items"]
            if page["next_cursor"] is None:
                break
            assert len(page["items"]) == limit
            cursor = {"cursor": page["next_cursor"]}
        assert seen == whole


@pytest.mark.parametrize("query", ["limit=0", "limit=251", "cursor=x", "cursor=WzFd", "lang=%00", "lang=f_r"])
def test_wrong_queries(till: ApiClient, club: Segment, query: str) -> None:
    answer = till.get(f"{URL}?{query}")
    assert (answer.status_code, answer.json()["code"]) == (422, "validation_error")


def test_a_regional_language_of_ours_is_found(settings: Any) -> None:
    settings.LANGUAGES = [("en", "English"), ("fr", "Français"), ("pt-br", "Português")]
    assert [written_in([tag, "fr"]) for tag in ("pt-BR", "fr-BE", "tlh")] == ["pt-br", "fr", "fr"]
    assert written_in(["tlh"]) == "en"


@pytest.mark.parametrize(
    ("lang", "language", "label", "fallback"),
    [
        ("fr", "fr", "Points × 3", []),
        ("nl-BE", "nl-BE", "Punten × 3", []),
        ("nl", "nl-BE", "Punten × 3", []),
        ("ja", "fr", "Points × 3", []),
        ("tlh", "tlh", "Points × 3", ["label"]),
    ],
)
def test_languages(
    till: ApiClient,
    club: Segment,
    programme: Programme,
    lang: str,
    language: str,
    label: str,
    fallback: list[str],
) -> None:
    if lang == "tlh":
        programme.languages.create(code="tlh", name="tlhIngan Hol", fallback="fr", position=9)
    for asked in ({"path": f"{URL}?lang={lang}"}, {"path": URL, "headers": {"Accept-Language": lang}}):
        answer = till.get(**asked)
        body = answer.json()
        labels = {item["promotion"]: item["label"] for item in body["items"]}
        assert (labels["PR-CHOC3X"], body["_fallback"]) == (label, fallback)
        assert answer.headers["Content-Language"] == language


def test_every_label_is_written_in_every_language() -> None:
    for effect in EFFECTS:
        said = {earn_label({"type": effect, "value": "2.5"}, "EUR", code) for code, _ in settings.LANGUAGES}
        assert "2,5" in "".join(said)
        assert len(said) == len(settings.LANGUAGES)
    assert earn_label({"type": "rate", "value": "1"}, "EUR", "en") == "1 extra point per EUR"
    assert earn_label({"type": "rate", "value": "1.5"}, "EUR", "en") == "1.5 extra points per EUR"
    assert earn_label({"type": "rate", "value": "1.5"}, "EUR", "nl") == "1,5 extra punten per EUR"
    assert earn_label({"type": "rate", "value": "1.5"}, "EUR", "fr") == "1,5 point en plus par EUR"
    assert burn_label(300, 400, "nl") == "300 punten in plaats van 400"


def test_foreign_and_unknown_are_alike(club: Segment, till: ApiClient, eve: ApiClient) -> None:
    answers = [eve.get(URL), till.get(URL.replace("10042", "nobody"))]
    assert {answer.status_code for answer in answers} == {404}
    assert len({str(answer.json() | {"instance": ""}) for answer in answers}) == 1


def test_scope(programme: Programme, club: Segment) -> None:
    assert ApiClient(programme, scopes=["promotions:read"]).get(URL).status_code == 200
    others = ["promotions:write", "members:read", "catalogue:read", "points:earn"]
    assert ApiClient(programme, scopes=others).get(URL).status_code == 403
    assert ApiClient(programme).post_json(URL, {}).status_code == 405


def counted(action: Callable[[], Any]) -> tuple[Any, int]:
    """What an action returns, and how many steps of the interpreter it took: no clock, no collected garbage."""
    steps = 0

    def step(frame: Any, event: str, argument: Any) -> Any:
        nonlocal steps
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        steps += event == "opcode"
        return step

    before = sys.gettrace()
    sys.settrace(step)
    try:
        return action(), steps
    finally:
        sys.settrace(before)


def test_large(till: ApiClient, club: Segment, programme: Programme, ada: Member) -> None:
    """A member in 50 segments, 500 live promotions, 35,000 products, one promotion about all of them."""
    skus = [f"SKU-{number:05}" for number in range(35_000)]
    products_put(programme=programme, products=(ProductRow(sku) for sku in skus), now=LONG_AGO)
    segments = [segment_create(programme=programme, code=f"seg-{x}", name="s") for x in range(50)]
    for segment in segments:
        membership_add(segment=segment, member=ada, now=LONG_AGO, valid_from=LONG_AGO, source="staff")
    for number in range(500):
        chosen = skus if number == 250 else skus[number * 70 : number * 70 + 70]
        rule = PromotionRule(
            "multiplier", "2", products=ProductSetRule(tuple(chosen)), caps={"month": Cap("100")}
        )
        code = f"BIG-{number:03}"
        promotion = promotion_publish(
            programme=programme, code=code, name=code, rule=rule, now=LONG_AGO, publish=False
        )
        link = {"segment": segments[number % 50], "mode": "include", "valid_from": LONG_AGO}
        promotion_link(promotion=promotion, publish=False, **link)
    rules_publish(programme=programme)
    first = get(till, limit=250)
    with statements() as sent:
        assert get(till, limit=250) == first
    assert len(sent) == 2
    assert len(first["items"]) == 250
    taken = []
    for promotion, word in (("BIG-000", "SKU-00010"), ("BIG-250", "SKU-17000"), ("BIG-499", "SKU-34990")):
        cursor = write_cursor((0, 100, promotion, 1, word))
        page, steps = counted(lambda cursor=cursor: get(till, limit=250, cursor=cursor))
        taken.append(steps)
        assert page["items"][0]["sku"] == f"SKU-{int(word[4:]) + 1:05}"
        assert len(page["items"]) == (250 if promotion != "BIG-499" else 9 + 3)
    assert max(taken) < 1.1 * min(taken), "a page takes the same steps wherever it is"
    assert max(taken) < 600_000, "about a thousand steps a promotion that is live, none for its products"
    in_large = [
        item["sku"] for item in all_of(till, cursor=write_cursor((0, 100, "BIG-249", 9, "")), stop="BIG-251")
    ]
    assert in_large == skus
