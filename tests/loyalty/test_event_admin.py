"""Events in the back office: types said in plain words, a try without booking, the review queue, taking back."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from loyalty.events.lines import lines_of, schema_of
from loyalty.events.rules import Cooldown, EventRule
from loyalty.models import Entry, Event, EventReversal, EventType, RulePart
from members.models import Member, Programme
from tests.factories import ApiClient
from tests.loyalty.desks import CONFIRMED, adding, errors, page, texts
from tests.loyalty.worlds import balance, event, event_type, take_back

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("club")]

FORM: dict[str, Any] = {
    "code": "survey_completed",
    "name": "Survey completed",
    "is_active": "on",
    "label_fr": "Enquête remplie",
    "attributes": "score: whole number\ncomment: text, optional",
    "attribute": "score",
    "rate": "5",
    "cap_week": "1",
    "cooldown_amount": "24",
    "cooldown_unit": "hours",
    "segments": ["vip-bxl"],
}


def rule_of(row: EventType) -> EventRule:
    return EventRule.from_part(RulePart.objects.get(programme=row.programme, hash=row.part).body)


def act(client: Client, name: str, row: Any, **form: str) -> HttpResponse:
    address = reverse(f"admin:loyalty_{row._meta.model_name}_{name}", args=[row.pk])
    return client.post(address, {**CONFIRMED, **form}, follow=True)


# --- Types ---------------------------------------------------------------------------------------------


def test_a_type_is_said_in_words(desk: Client, programme: Programme) -> None:
    assert b"Points for each event" in desk.get(adding(EventType)).content
    answer = desk.post(adding(EventType), FORM)
    assert answer.status_code == 302, errors(answer)
    row = EventType.objects.get()
    assert (row.code, row.name, row.labels, row.version) == (
        "survey_completed",
        "Survey completed",
        {"fr": "Enquête remplie"},
        1,
    )
    assert rule_of(row) == EventRule(
        attribute="score",
        rate="5",
        schema=schema_of(FORM["attributes"]),
        caps={"week": 1},
        cooldown=Cooldown(24, "hours"),
        segments=("vip-bxl",),
    )
    shown = desk.get(page(EventType)).content.decode()
    assert "score × 5 points" in shown
    assert "once a week, 24 hours apart" in shown


def test_the_form_starts_from_the_type_and_saves_the_same(desk: Client, programme: Programme) -> None:
    desk.post(adding(EventType), FORM)
    row = EventType.objects.get()
    form = desk.get(page(EventType, row)).context["adminform"].form
    said = {name: form[name].value() for name in form.fields}
    assert said["attributes"] == FORM["attributes"]
    sent = {name: value for name, value in said.items() if value not in (None, False, "")}
    assert desk.post(page(EventType, row), sent).status_code == 302
    row.refresh_from_db()
    assert row.version == 1
    desk.post(page(EventType, row), sent | {"cap_week": "2"})
    row.refresh_from_db()
    assert (row.version, rule_of(row).caps) == (2, {"week": 2})
    assert errors(desk.post(page(EventType, row), sent))["__all__"]  # the page it was sent from is old


def test_a_page_opened_before_takes_no_names_back(desk: Client, monday: time_machine.Traveller) -> None:
    """A name is no rule, so no version tells that it changed."""
    desk.post(adding(EventType), FORM)
    row = EventType.objects.get()
    seen = desk.get(page(EventType, row)).context["adminform"].form["started_from"].value()
    monday.shift(timedelta(minutes=1))
    sent = {name: value for name, value in FORM.items() if name != "code"} | {"started_from": seen}
    assert desk.post(page(EventType, row), sent | {"label_fr": "Sondage"}).status_code == 302
    late = desk.post(page(EventType, row), sent | {"cap_week": "2"})
    assert b"Somebody changed this event type meanwhile" in late.content
    row.refresh_from_db()
    assert (row.labels, row.version) == ({"fr": "Sondage"}, 1)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"attributes": "score"}, "attributes"),
        ({"attributes": "score: colour"}, "attributes"),
        ({"attribute": "comment"}, "attribute"),
        ({"attribute": "", "rate": ""}, "points"),
        ({"points": "5"}, "points"),
        ({"rate": "0.00001"}, "rate"),
        ({"cap_week": "0"}, "cap_week"),
        ({"cooldown_amount": "0"}, "cooldown_amount"),
        ({"schema": "{}"}, "schema"),
        ({"attributes": "", "schema": "{"}, "schema"),
        ({"attributes": "", "schema": '{"type": "object", "$ref": "https://example.com"}'}, "schema"),
        ({"starts_at": "2026-12-01T00:00", "ends_at": "2026-11-01T00:00"}, "ends_at"),
        ({"code": "no code"}, "code"),
        ({"segments": ["nobody"]}, "segments"),
    ],
)
def test_a_type_that_cannot_be_is_refused_at_its_field(
    desk: Client,
    change: dict[str, Any],
    field: str,
) -> None:
    assert field in errors(desk.post(adding(EventType), FORM | change))
    assert not EventType.objects.exists()


def test_lines_and_schemas_say_the_same() -> None:
    for lines in ("", "a: text", "score: whole number\nnews: yes or no, optional\nday: date\nx: number"):
        assert lines_of(schema_of(lines)) == lines
    assert lines_of({"type": "object"}) is None
    assert (
        lines_of({"type": "object", "properties": {"a": {"type": "null"}}, "additionalProperties": False})
        is None
    )


def test_trying_an_event_books_nothing(desk: Client, till: ApiClient, programme: Programme) -> None:
    row = event_type(programme, caps={"week": 1})
    address = reverse("admin:loyalty_eventtype_try_event", args=[row.pk])
    assert desk.get(address).status_code == 200
    tried = desk.post(address, {"member": "10042", "attributes": ""})
    assert tried.context["result"]["points"] == 50
    assert b"It would give 50 points" in tried.content
    assert not Event.objects.exists()
    event(till, "REV-1")
    limited = desk.post(address, {"member": "10042"})
    assert (limited.context["result"]["points"], limited.context["result"]["limit"].name) == (0, "week")
    assert b"at most once a week" in limited.content
    for change, field in (
        ({"member": "nobody"}, "member"),
        ({"attributes": '{"stars": 5}'}, "attributes"),
        ({"attributes": "stars"}, "attributes"),
        ({"occurred_at": "2020-01-01T10:00"}, "__all__"),
    ):
        assert field in errors(desk.post(address, {"member": "10042", **change}))
    assert (Event.objects.count(), Entry.objects.count()) == (1, 1)


# --- Events --------------------------------------------------------------------------------------------


@pytest.fixture
def waiting(till: ApiClient, programme: Programme) -> Event:
    event_type(programme, review=True)
    assert event(till, "REV-1").status_code == 202
    return Event.objects.get()


def test_events_and_their_traces_show(desk: Client, till: ApiClient, programme: Programme) -> None:
    event_type(programme, caps={"week": 1})
    for reference in ("REV-1", "REV-2"):
        event(till, reference)
    take_back(till, "REV-1", "BACK-1", reason="copied")
    for query in ("", "?q=10042", "?q=REV-1", "?status__exact=limit_reached"):
        assert b"Review written" in desk.get(page(Event) + query).content
    first, second = Event.objects.order_by("id")
    assert b"copied" in desk.get(page(Event, first)).content
    assert b"at most once a week" in desk.get(page(Event, second)).content


def test_the_queue_leads_to_those_that_wait(desk: Client, waiting: Event) -> None:
    answer = desk.get(reverse("admin:loyalty_event_queue"), follow=True)
    assert list(answer.context["cl"].result_list) == [waiting]
    assert b"Approve the chosen" in answer.content


def test_approving_gives_the_points(desk: Client, waiting: Event, till: ApiClient) -> None:
    act(desk, "approve", waiting)
    waiting.refresh_from_db()
    assert (waiting.status, waiting.decided_by) == ("posted", "staff:carol")
    assert balance(till)["pending"] == 50
    assert b"staff:carol" in desk.get(page(Event, waiting)).content
    again = act(desk, "approve", waiting)
    assert "decided already" in " ".join(texts(again))


def test_refusing_needs_a_reason(desk: Client, waiting: Event) -> None:
    act(desk, "refuse", waiting, reason="")
    waiting.refresh_from_db()
    assert waiting.status == "in_review"
    act(desk, "refuse", waiting, reason="Not about us")
    waiting.refresh_from_db()
    assert (waiting.status, waiting.decision_reason) == ("refused", "Not about us")
    assert not Entry.objects.exists()


def test_many_are_decided_at_once(desk: Client, waiting: Event, till: ApiClient) -> None:
    event(till, "REV-2")
    chosen = {"_selected_action": [str(row.pk) for row in Event.objects.all()]}
    desk.post(page(Event), {"action": "refuse_chosen", "reason": " ", **chosen})
    assert {row.status for row in Event.objects.all()} == {"in_review"}
    desk.post(page(Event), {"action": "approve_chosen", "reason": "fine", **chosen})
    assert {(row.status, row.decision_reason) for row in Event.objects.all()} == {("posted", "fine")}
    assert balance(till)["pending"] == 100


def test_staff_take_an_event_back_with_a_reason(
    desk: Client,
    till: ApiClient,
    programme: Programme,
) -> None:
    event_type(programme)
    event(till, "REV-1")
    row = Event.objects.get()
    act(desk, "take_back", row, reason="")
    assert not EventReversal.objects.exists()
    act(desk, "take_back", row, reason="Somebody else wrote it")
    back = EventReversal.objects.get()
    assert (back.actor, back.reason, back.points) == ("staff:carol", "Somebody else wrote it", -50)
    assert balance(till)["pending"] == 0


def test_staff_of_another_programme_see_and_do_nothing(
    stranger: Client,
    waiting: Event,
    ada: Member,
) -> None:
    for query in ("", "?q=10042", "?q=REV-1"):
        assert list(stranger.get(page(Event) + query).context["cl"].result_list) == []
    assert stranger.get(page(Event, waiting)).status_code == 302
    assert stranger.get(page(EventType, waiting.type)).status_code == 302
    for name in ("approve", "refuse", "take_back"):
        assert act(stranger, name, waiting, reason="mine").status_code == 404
    assert act(stranger, "try_event", waiting.type, member="10042").status_code == 404
    stranger.post(page(Event), {"action": "approve_chosen", "_selected_action": [str(waiting.pk)]})
    waiting.refresh_from_db()
    assert waiting.status == "in_review"


def test_nobody_writes_events_by_hand(root: Client, waiting: Event) -> None:
    assert root.post(adding(Event), {"points": "1000"}).status_code == 403
    assert root.post(page(Event, waiting), {"points": "1000"}).status_code == 403
    for row in (waiting, waiting.type):
        delete = reverse(f"admin:loyalty_{row._meta.model_name}_delete", args=[row.pk])
        assert root.post(delete, {"post": "yes"}).status_code == 403
    assert Event.objects.get().points == 0
