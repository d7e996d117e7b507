"""Try it: one basket with and without a draft; nothing is written, and "with" is what earning gives afterwards."""

from typing import Any

import pytest
from django.apps import apps
from django.test import Client

from loyalty.models import Promotion, Transaction
from loyalty.promotions.trials import Trial
from loyalty.rules import Cap, ProductSetRule, PromotionDraft, PromotionRule
from loyalty.services import promotion_draft_publish, promotion_draft_save, promotion_publish
from members.models import Member, Programme
from segments.models import Segment
from tests.factories import LONG_AGO, ApiClient
from tests.loyalty.worlds import MONDAY, earn, publish

pytestmark = pytest.mark.django_db

FORM: dict[str, Any] = {"code": "PR-NEW", "name": "New", "effect": "fixed", "value": "25", "priority": "100"}
LINES = "CHOC-1; 2; 25.00; chocolate; Neuhaus\nMUG-7; 1; 19.90; home"
FRAGMENT = {"X-Fragment": "1"}


def try_it(client: Client, programme: Programme, sent: dict[str, Any], **headers: Any) -> Any:
    return client.post(
        f"/admin/loyalty/promotion/try/?programme={programme.pk}", FORM | sent, headers=FRAGMENT | headers
    )


def trial_of(answer: Any) -> Trial:
    assert answer.status_code == 200
    tried = answer.context["tried"]
    assert tried.trial is not None, (tried.refusal, tried.form.errors)
    return tried.trial  # type: ignore[no-any-return]


def rows_written() -> dict[str, list[Any]]:
    """All rows of all tables but sessions."""
    models = [
        model for model in apps.get_models() if model._meta.app_label in ("loyalty", "members", "segments")
    ]
    return {model.__name__: sorted(map(str, model._default_manager.values_list())) for model in models}


RULES = [
    PromotionRule("multiplier", "4", products=ProductSetRule(categories=("chocolate",))),
    PromotionRule("per_item", "5", caps={"day": Cap("7")}),
    PromotionRule("rate", "0.5", caps={"budget": Cap("3")}),
    PromotionRule("fixed", "30", first=True),
    PromotionRule("fixed", "30", tiers=("SILVER",), weekdays=(1,)),
    PromotionRule("fixed", "30", minimum_amount="60"),
]


def fields(rule: PromotionRule) -> dict[str, Any]:
    """What somebody types for these rules."""
    typed: dict[str, Any] = {"effect": rule.effect, "value": rule.value, "tiers": list(rule.tiers)}
    typed |= {
        "weekdays": [str(day) for day in rule.weekdays],
        "categories": "\n".join(rule.products.categories) if rule.products else "",
    }
    typed |= {"minimum_amount": rule.minimum_amount or ""} | ({"first": "on"} if rule.first else {})
    return typed | {f"cap_{scope}_points": cap.points for scope, cap in rule.caps.items()}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule.effect} {rule.value}")
def test_with_is_what_earning_gives_after_publishing(
    desk: Client, club: Segment, programme: Programme, till: ApiClient, rule: PromotionRule
) -> None:
    typed = fields(rule) | {
        "try-member": "10042",
        "try-channel": "web",
        "try-store": "BXL-01",
        "try-lines": LINES,
    }
    before = rows_written()
    trial = trial_of(try_it(desk, programme, typed | {"_try_basket": "1"}))
    assert rows_written() == before
    assert trial.without.points == 117
    draft = PromotionDraft("New", rule)
    promotion = promotion_draft_save(
        programme=programme, code="PR-NEW", draft=draft, actor="carol", now=MONDAY
    )
    promotion_draft_publish(promotion=promotion, actor="carol", now=MONDAY)
    earned = earn(till, "POS-1", occurred_at=MONDAY.isoformat()).json()
    assert trial.with_draft.points == earned["points"]
    assert trial.with_draft.trace == earned["trace"]
    assert trial.with_draft.nearly == earned["nearly"]


def test_room_under_caps_is_what_is_left(
    desk: Client, club: Segment, programme: Programme, till: ApiClient
) -> None:
    """A draft beside a live promotion finds what that one has used."""
    live = PromotionRule("fixed", "30", caps={"day": Cap("40"), "budget": Cap("100")})
    promotion = promotion_publish(programme=programme, code="PR-L", name="L", rule=live, now=LONG_AGO)
    assert earn(till, "POS-1").json()["points"] == 147
    typed = FORM | {
        "value": "50",
        "cap_day_points": "45",
        "try-member": "10042",
        "try-lines": LINES,
        "_try_basket": "1",
    }
    page = desk.get(f"/admin/loyalty/promotion/{promotion.pk}/change/").context["adminform"].form
    typed |= {"started_from": page["started_from"].value()}
    answer = desk.post(f"/admin/loyalty/promotion/try/?promotion={promotion.pk}", typed, headers=FRAGMENT)
    trial = trial_of(answer)
    given = [
        step["points"]
        for side in (trial.without, trial.with_draft)
        for step in side.trace
        if step["rule"] == "PR-L"
    ]
    assert given == ["10.00", "15.00"]


def test_a_real_receipt(desk: Client, club: Segment, programme: Programme, till: ApiClient) -> None:
    """By the rules and facts of its time, whatever the draft's window."""
    assert earn(till, "POS-1").json()["points"] == 117
    publish(programme, "PR-LATER", PromotionRule("fixed", "1", starts_at=MONDAY))
    before = rows_written()
    sent = {"starts_at": "2027-01-01T00:00", "_try_receipt": "POS-1"}
    trial = trial_of(try_it(desk, programme, sent))
    assert (trial.without.points, trial.with_draft.points, trial.difference) == (117, 142, 25)
    assert (trial.reference, trial.member) == ("POS-1", "10042")
    assert rows_written() == before


def test_receipts_are_suggested_and_found(
    desk: Client, club: Segment, programme: Programme, till: ApiClient, bob: Member
) -> None:
    earn(till, "POS-1")
    tea = [{"line": "1", "category": "tea", "quantity": "1", "amount": "5.00"}]
    earn(till, "POS-2", member=bob.number, lines=tea)

    def found(**sent: Any) -> list[str]:
        answer = try_it(desk, programme, sent | {"_find": "1"})
        return [receipt.reference for receipt in answer.context["tried"].receipts]

    assert found() == ["POS-2", "POS-1"]
    assert found(categories="tea") == ["POS-2"]
    assert found(categories="coffee") == []
    assert found(**{"try-find": "POS-1"}) == ["POS-1"]
    assert found(**{"try-find": bob.number}) == ["POS-2"]
    assert found(**{"try-find": "nobody"}) == []


def test_receipts_of_others_are_not_found(
    stranger: Client, club: Segment, till: ApiClient, eve: ApiClient
) -> None:
    earn(till, "POS-1")
    mine = eve.partner.programme
    for word in ("POS-1", "10042", ""):
        assert not try_it(stranger, mine, {"_find": "1", "try-find": word}).context["tried"].receipts
    tried = try_it(stranger, mine, {"_try_receipt": "POS-1"}).context["tried"]
    assert (tried.trial, tried.refusal) == (None, "There is no such member or receipt.")


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        ({"try-lines": ""}, "Type at least one line."),
        ({"try-lines": "CHOC-1; 2"}, "Line 1: SKU; quantity; amount."),
        ({"try-lines": "CHOC-1; x; 2"}, "no quantity or amount"),
        ({"try-lines": "CHOC-1; NaN; 2"}, "no quantity or amount"),
        ({"try-lines": "CHOC-1; 1; -2"}, "no quantity or amount"),
        ({"try-lines": "CHOC-1; 1; 2.001"}, "EUR has 2 decimals"),
        ({"try-lines": LINES, "try-member": "nobody"}, "There is no such member or receipt."),
        ({"try-lines": LINES, "try-occurred_at": "soon"}, "A date and a time"),
        ({"try-lines": LINES, "value": ""}, "Mend what is marked in the form first."),
    ],
)
def test_what_cannot_be_tried_is_told(
    desk: Client, club: Segment, programme: Programme, sent: dict[str, Any], told: str
) -> None:
    answer = try_it(desk, programme, sent | {"_try_basket": "1"})
    assert answer.context["tried"].trial is None
    assert told in answer.content.decode()


def test_without_script_it_is_a_page_that_keeps_what_was_typed(
    desk: Client, club: Segment, programme: Programme
) -> None:
    sent = FORM | {"name": '"><b>x', "try-lines": LINES, "_try_basket": "1"}
    answer = desk.post(f"/admin/loyalty/promotion/try/?programme={programme.pk}", sent)
    shown = answer.content.decode()
    assert "With the draft: 69 points" in shown
    assert '<input type="hidden" name="value" value="25" />' in shown
    assert "<b>x" not in shown
    assert not Promotion.objects.filter(code="PR-NEW").exists()
    assert not Transaction.objects.exists()
