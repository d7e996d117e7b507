"""The form of a promotion in the back office: drafts, steps, summary, segments, product sets, what is refused."""

import io
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from config.kernel.sheets import xlsx_write
from loyalty.errors import RuleRefused
from loyalty.models import Promotion, PromotionVersion, RulesHead
from loyalty.rules import ProductSetRule, PromotionDraft, PromotionRule
from loyalty.services import promotion_draft_save
from loyalty.services.products import ProductRow, products_put
from members.models import Member, Programme
from segments.models import Segment
from tests.factories import LONG_AGO, ApiClient, SegmentFactory
from tests.loyalty.desks import CONFIRMED, adding, errors, page, texts
from tests.loyalty.worlds import BASKET

pytestmark = pytest.mark.django_db

NEW: dict[str, Any] = {"code": "PR-NEW", "name": "New", "effect": "fixed", "value": "25", "priority": "100"}
SUMMARY, TRY = "/admin/loyalty/promotion/summary/", "/admin/loyalty/promotion/try/"


def saved(client: Client, **fields: Any) -> Promotion:
    answer = client.post(adding(Promotion), NEW | fields)
    assert answer.status_code == 302, errors(answer)
    return Promotion.objects.get(code="PR-NEW")


def said(promotion: Promotion) -> PromotionDraft:
    promotion.refresh_from_db()
    assert promotion.draft is not None
    return PromotionDraft.from_row(promotion.draft)


def sent_back(client: Client, promotion: Promotion) -> dict[str, Any]:
    """The form as a browser would send it back."""
    form = client.get(page(Promotion, promotion)).context["adminform"].form
    values = {name: form[name].value() for name in form.fields}
    return {name: value for name, value in values.items() if value not in (None, False, "")}


def act(client: Client, promotion: Promotion, name: str) -> list[str]:
    """What the next page tells after an action."""
    address = reverse(f"admin:loyalty_promotion_{name}", args=[promotion.pk])
    return texts(client.post(address, CONFIRMED, follow=True))


def test_saving_is_a_draft(desk: Client, club: Segment) -> None:
    head = RulesHead.objects.get().version
    promotion = saved(desk, _draft="1")
    assert (said(promotion).rule.value, promotion.drafted_by) == ("25", "carol")
    assert RulesHead.objects.get().version == head
    assert not promotion.versions.exists()
    shown = desk.get(page(Promotion, promotion)).content.decode()
    assert "All customers get 25 extra points." in shown
    assert "Draft of carol" in shown


def test_a_draft_is_published_with_one_action(desk: Client, club: Segment) -> None:
    promotion = saved(desk, _draft="1")
    answer = desk.post(page(Promotion, promotion), sent_back(desk, promotion) | {"_publish": "1"})
    assert answer.status_code == 302
    promotion.refresh_from_db()
    assert promotion.draft is None
    assert promotion.versions.get().valid_until is None


def test_a_draft_beside_what_is_live(desk: Client, club: Segment) -> None:
    live = Promotion.objects.get(code="PR-CHOC3X")
    desk.post(page(Promotion, live), sent_back(desk, live) | {"value": "5", "_draft": "1"})
    assert said(live).rule.value == "5"
    assert live.versions.get().valid_until is None
    assert sent_back(desk, live)["value"] == "5"
    assert act(desk, live, "discard_draft") == ["The draft is forgotten."]
    assert sent_back(desk, live)["value"] == "3"


def test_a_promotion_is_named_for_members(desk: Client, club: Segment, till: ApiClient, ada: Member) -> None:
    """With the draft, in force when it is published; a new name makes no new version and no new ruleset."""
    live = Promotion.objects.get(code="PR-CHOC3X")
    versions, ruleset = (
        live.versions.count(),
        till.post_json("/api/v1/basket-evaluations", BASKET).json()["ruleset"],
    )
    fields = desk.get(page(Promotion, live)).context["adminform"].form.fields
    assert [name for name in fields if name.startswith("label_")] == ["label_fr", "label_nl-BE"]
    desk.post(page(Promotion, live), sent_back(desk, live) | {"label_fr": " Triple ", "_draft": "1"})
    live.refresh_from_db()
    assert (live.labels, said(live).labels) == ({}, {"fr": "Triple"})
    assert sent_back(desk, live)["label_fr"] == "Triple"
    desk.post(page(Promotion, live), sent_back(desk, live) | {"_publish": "1"})
    live.refresh_from_db()
    assert (live.labels, live.versions.count()) == ({"fr": "Triple"}, versions)
    assert till.post_json("/api/v1/basket-evaluations", BASKET).json()["ruleset"] == ruleset
    act(desk, live, "pause")
    act(desk, live, "resume")
    live.refresh_from_db()
    assert live.labels == {"fr": "Triple"}
    refused = desk.post(page(Promotion, live), sent_back(desk, live) | {"label_fr": "x" * 201, "_draft": "1"})
    assert "label_fr" in refused.context["adminform"].form.errors


def test_names_in_languages_that_the_programme_does_not_speak(club: Segment, programme: Programme) -> None:
    draft = PromotionDraft("New", PromotionRule("fixed", "5"), labels={"de": "Neu"})
    with pytest.raises(RuleRefused):
        promotion_draft_save(programme=programme, code="PR-NEW", draft=draft, actor="ada", now=timezone.now())
    assert not Promotion.objects.filter(code="PR-NEW").exists()


def test_moves_are_offered_and_refused_in_plain_words(desk: Client, club: Segment) -> None:
    promotion = Promotion.objects.get(code="PR-CHOC3X")

    def offered() -> set[str]:
        shown = desk.get(page(Promotion, promotion)).content.decode()
        return {name for name in ("pause", "resume", "end", "discard_draft") if f"/{name}" in shown}

    assert offered() == {"pause", "end"}
    assert act(desk, promotion, "resume") == ["It is not paused."]
    act(desk, promotion, "pause")
    assert offered() == {"resume", "end"}
    assert act(desk, promotion, "pause") == ["It is paused already."]
    assert act(desk, promotion, "end") == ["The promotion has ended."]
    assert offered() == set()
    assert act(desk, promotion, "resume") == ["It was ended for good. Make a new promotion."]
    assert desk.post(page(Promotion, promotion), {"name": "x", "_publish": "1"}).status_code == 403
    assert promotion.versions.count() == 1


def test_the_list_shows_and_filters_where_they_stand(desk: Client, club: Segment) -> None:
    saved(desk, _draft="1")
    act(desk, Promotion.objects.get(code="PR-WEEKEND"), "pause")
    act(desk, Promotion.objects.get(code="PR-50EUR"), "end")

    def found(status: str) -> list[str]:
        rows = desk.get(page(Promotion) + f"?status={status}").context["cl"].result_list
        return [row.code for row in rows]

    assert {status: found(status) for status in ("draft", "active", "paused", "ended", "scheduled")} == {
        "draft": ["PR-NEW"],
        "active": ["PR-CHOC3X"],
        "paused": ["PR-WEEKEND"],
        "ended": ["PR-50EUR"],
        "scheduled": [],
    }
    shown = desk.get(page(Promotion)).content.decode()
    assert all(word in shown for word in ("Draft", "Active", "Paused", "Ended"))


def test_a_generous_promotion_stays_a_draft_until_a_second_person_publishes_it(
    desk: Client, second: Client, club: Segment, programme: Programme
) -> None:
    programme.approval_limit = 100
    programme.save()
    promotion = saved(desk, value="1000", effect="multiplier", _publish="1")
    assert not promotion.versions.exists()
    assert "more than 100 points at once" in texts(desk.get(page(Promotion, promotion)))[0]
    assert "somebody else has to publish it" in act(desk, promotion, "publish")[0]
    changed = sent_back(second, promotion) | {"value": "999", "_publish": "1"}
    second.post(page(Promotion, promotion), changed)
    promotion.refresh_from_db()
    assert (promotion.drafted_by, promotion.versions.exists()) == ("dave", False)
    desk.post(page(Promotion, promotion), sent_back(desk, promotion) | {"_publish": "1"})
    assert promotion.versions.exists()


def test_segments_are_chosen_with_their_members(
    desk: Client, club: Segment, programme: Programme, eve: ApiClient
) -> None:
    SegmentFactory(programme=programme, code="others", name="Others")
    SegmentFactory(programme=eve.partner.programme, code="tea-lovers", name="Tea lovers")
    shown = desk.get(adding(Promotion)).content.decode()
    assert "VIP Brussels (vip-bxl): 1 member<" in shown.replace("\n", "").replace("  ", "")
    assert "Others (others): 0 members" in shown
    assert "tea-lovers" not in shown
    assert list(errors(desk.post(adding(Promotion), NEW | {"include_segments": ["tea-lovers"]}))) == [
        "include_segments"
    ]
    both = {"include_segments": ["others"], "exclude_segments": ["others"]}
    assert list(errors(desk.post(adding(Promotion), NEW | both))) == ["exclude_segments"]
    promotion = saved(desk, include_segments=["vip-bxl"], exclude_segments=["others"], _publish="1")
    links = set(promotion.links.values_list("segment__code", "mode"))
    assert links == {("vip-bxl", "include"), ("others", "exclude")}
    back = sent_back(desk, promotion)
    assert (back["include_segments"], back["exclude_segments"]) == (["vip-bxl"], ["others"])
    desk.post(page(Promotion, promotion), back | {"include_segments": [], "_publish": "1"})
    open_links = promotion.links.filter(valid_until=None).values_list("segment__code", flat=True)
    assert list(open_links) == ["others"]


def test_products_are_pasted_chosen_and_uploaded(
    desk: Client, club: Segment, programme: Programme, eve: ApiClient
) -> None:
    rows = [ProductRow(f"CH-{x}", "", "chocolate", "Neuhaus") for x in range(3)]
    products_put(programme=programme, products=[*rows, ProductRow("T-1", "", "tea", "")], now=LONG_AGO)
    foreign = [ProductRow("X-1", "", "secret", "Hidden")]
    products_put(programme=eve.partner.programme, products=foreign, now=LONG_AGO)
    form = desk.get(adding(Promotion)).context["adminform"].form
    choices = {name: list(form.fields[name].choices) for name in ("pick_categories", "pick_brands")}
    assert choices == {
        "pick_categories": [("chocolate", "chocolate: 3 products"), ("tea", "tea: 1 product")],
        "pick_brands": [("Neuhaus", "Neuhaus: 3 products")],
    }
    upload = SimpleUploadedFile("skus.csv", b"name;SKU\nPraline;CH-0\nCube;CH-1\n")
    promotion = saved(
        desk,
        pick_categories=["tea"],
        categories="seasonal",
        pick_brands=["Neuhaus"],
        skus="A-1\nCH-0",
        sku_file=upload,
        _draft="1",
    )
    assert said(promotion).rule.products == ProductSetRule(
        skus=("A-1", "CH-0", "CH-1"), categories=("seasonal", "tea"), brands=("Neuhaus",)
    )
    back = sent_back(desk, promotion)
    assert (back["pick_categories"], back["categories"], back["pick_brands"]) == (
        ["tea"],
        "seasonal",
        ["Neuhaus"],
    )


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"\xff\xfe\x00", "not text in UTF-16"),
        (b"sku\n", "no SKU"),
        (b"a\x00b", "characters that no text has"),
        (b"PK\x03\x04 no archive", "The file is damaged"),
        (b"name;price\nPraline;2\n", "no column sku"),
        (b"x" * (5 * 1024 * 1024 + 1), "larger than 5 MB"),
        ("\n".join(str(x) for x in range(100_001)).encode(), "more than 100,000"),
    ],
    ids=["encoding", "empty", "binary", "archive", "other columns", "large", "many"],
)
def test_a_file_that_cannot_be_read(desk: Client, club: Segment, content: bytes, told: str) -> None:
    answer = desk.post(adding(Promotion), NEW | {"sku_file": SimpleUploadedFile("skus.csv", content)})
    assert told in errors(answer)["sku_file"][0]
    assert not Promotion.objects.filter(code="PR-NEW").exists()


@pytest.mark.parametrize("kind", ["list", "windows", "xlsx"])
def test_files_of_skus(desk: Client, club: Segment, kind: str) -> None:
    file = io.BytesIO("\ufeffa-1\n\nÉ-2\na-1\n".encode())
    if kind == "windows":
        file = io.BytesIO("Nom;SKU\nPraliné;a-1\nCœur;É-2\n".encode("cp1252"))
    if kind == "xlsx":
        file = io.BytesIO()
        xlsx_write(file, ["sku", "name"], [["a-1", "x"], ["É-2", "y"]])
    promotion = saved(desk, sku_file=SimpleUploadedFile("skus", file.getvalue()), _draft="1")
    assert said(promotion).rule.products == ProductSetRule(skus=("a-1", "É-2"))


def test_nothing_typed_is_lost(desk: Client, club: Segment) -> None:
    upload = SimpleUploadedFile("skus.csv", b"UP-1\nUP-2\n")
    typed = NEW | {
        "value": "-1",
        "skus": "A-1",
        "stores": "BXL-01",
        "weekdays": ["5"],
        "include_segments": ["vip-bxl"],
    }
    answer = desk.post(adding(Promotion), typed | {"sku_file": upload})
    assert list(errors(answer)) == ["value"]
    form = answer.context["adminform"].form
    shown = {name: form[name].value() for name in ("skus", "stores", "weekdays", "value", "include_segments")}
    assert shown == {
        "skus": "A-1\nUP-1\nUP-2",
        "stores": "BXL-01",
        "weekdays": ["5"],
        "value": "-1",
        "include_segments": ["vip-bxl"],
    }
    assert "UP-2" in answer.content.decode()


def test_errors_of_the_linter_keep_it_from_being_published(desk: Client, club: Segment) -> None:
    never = NEW | {"ends_at": "2026-11-01T00:00"}
    assert "would never run" in errors(desk.post(adding(Promotion), never | {"_publish": "1"}))["ends_at"][0]
    assert not Promotion.objects.filter(code="PR-NEW").exists()
    promotion = saved(desk, ends_at="2026-11-01T00:00", _draft="1")
    shown = desk.get(page(Promotion, promotion)).content.decode()
    assert "Cannot be published:" in shown
    refused = act(desk, promotion, "publish")
    assert "would never run" in refused[0]
    assert not promotion.versions.exists()


def test_warnings_are_shown_and_do_not_block(desk: Client, club: Segment) -> None:
    short = {"ends_at": "2026-11-25T00:00", "_publish": "1"}
    promotion = saved(desk, **short)
    assert promotion.versions.exists()
    assert (
        "before the first points it gives become available"
        in desk.get(page(Promotion, promotion)).content.decode()
    )


def test_the_summary_follows_what_is_typed(desk: Client, club: Segment, programme: Programme) -> None:
    def told(**typed: Any) -> str:
        answer = desk.post(f"{SUMMARY}?programme={programme.pk}", NEW | typed)
        assert answer.status_code == 200
        return answer.content.decode()

    before = list(PromotionVersion.objects.values())
    assert "All customers get 25 extra points." in told()
    text = told(
        effect="multiplier",
        value="3",
        categories="chocolate",
        include_segments=["vip-bxl"],
        weekdays=["6", "7"],
        cap_day_points="500",
    )
    assert (
        "Members in segment vip-bxl get base points × 3 on category chocolate, Sat Sun. "
        "At most 500 points per member and day." in text
    )
    assert "Value:" in told(value="")
    assert "would never run" in told(ends_at="2026-11-01T00:00")
    assert "&lt;script&gt;" in told(categories="<script>alert(1)</script>")
    assert "<script>alert" not in told(
        categories="<script>alert(1)</script>", name="<script>alert(1)</script>"
    )
    assert list(PromotionVersion.objects.values()) == before
    assert not Promotion.objects.filter(code="PR-NEW").exists()


def test_what_is_typed_is_shown_as_text(desk: Client, club: Segment) -> None:
    evil = "<img src=x onerror=alert(1)>"
    promotion = saved(desk, name=evil, categories=evil, stores="=1+1", _publish="1")
    for address in (page(Promotion), page(Promotion, promotion)):
        assert evil not in desk.get(address).content.decode()


def test_summary_and_trial_are_for_staff_of_the_programme(
    stranger: Client, club: Segment, programme: Programme
) -> None:
    promotion = Promotion.objects.get(code="PR-CHOC3X")
    for address in (SUMMARY, TRY):
        for query in (f"?promotion={promotion.pk}", "?promotion=x"):
            assert stranger.post(address + query, NEW).status_code == 404
        assert stranger.get(f"{address}?promotion={promotion.pk}").status_code == 405
        foreign = stranger.post(
            f"{address}?programme={programme.pk}", NEW | {"try-find": "10042", "_find": "1"}
        )
        assert foreign.status_code == 404
        assert Client().post(f"{address}?promotion={promotion.pk}", NEW).status_code == 302


def test_the_page_has_no_inline_script_of_its_own(desk: Client, club: Segment, ada: Member) -> None:
    shown = desk.get(adding(Promotion)).content.decode()
    assert "js/promotion.js" in shown
    own = desk.post(f"{SUMMARY}?programme={ada.programme_id}", NEW).content.decode()
    assert "<script" not in own
    assert "style=" not in own
