"""POST /events and GET /events/{reference}: what a member did, rewarded once."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine

from loyalty.events.rules import Cooldown
from loyalty.models import Account, Entry, Event, EventDevice, EventType, IdempotencyKey
from members.models import Activity, Member, OutboxEvent, Programme
from members.services import member_close
from segments.models import Segment
from tests.factories import ApiClient
from tests.loyalty.worlds import LONG_AGO, MONDAY, balance, earn, event, event_type, simple_terms, take_back
from tests.statements import statements

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("club")]

SURVEY: dict[str, Any] = {
    "type": "object",
    "properties": {"score": {"type": "number", "minimum": 0}, "comment": {"type": "string", "maxLength": 20}},
    "required": ["score"],
    "additionalProperties": False,
}


@pytest.fixture
def reviews(programme: Programme) -> EventType:
    return event_type(programme)


@pytest.fixture
def surveys(programme: Programme) -> EventType:
    return event_type(programme, "survey_completed", attribute="score", rate="1.5", schema=SURVEY)


@pytest.mark.usefixtures("reviews")
def test_it_works(till: ApiClient, ada: Member) -> None:
    answer = event(till, "REV-1", metadata={"shop": "BXL"})
    assert answer.status_code == 201, answer.content
    body = answer.json()
    row, entry = Event.objects.get(), Entry.objects.get()
    assert body == {
        "reference": "REV-1",
        "type": "review_written",
        "status": "posted",
        "points": 50,
        "wanted": 50,
        "limit": None,
        "trace": [
            {"step": "event", "rule": "review_written", "formula": "50", "points": "50.00"},
            {"step": "rounding", "rule": "floor", "points": "0.00"},
        ],
        "rule": row.part,
        "ruleset": row.ruleset,
        "entries": [
            {
                "id": f"{ada.pk}-1",
                "kind": "event",
                "points": 50,
                "activates_at": "2026-12-07T00:00:00+01:00",
                "expires_at": "2028-01-01T00:00:00+01:00",
            }
        ],
        "balance": {
            "available": 0,
            "pending": 50,
            "held": 0,
            "debt": 0,
            "as_of": "2026-11-23T10:15:02+01:00",
        },
        "receipt": {
            "seq": 1,
            "hash": f"sha256:{bytes(entry.hash).hex()}",
            "prev": f"sha256:{bytes(32).hex()}",
        },
        "metadata": {"shop": "BXL"},
    }
    assert (entry.kind, entry.counterpart, entry.source) == ("event", "issuance", row.pk)
    assert (row.qualifying, row.device, row.partner_id) == (0, None, till.partner.pk)
    assert Activity.objects.values_list("transactions", "spend", "earned").get() == (0, 0, 50)
    news = OutboxEvent.objects.get(type="event.rewarded")
    assert (news.member_id, news.body) == (ada.pk, {"event": str(row.pk), "points": 50})


@pytest.mark.usefixtures("reviews")
def test_it_is_one_gather_and_one_post(till: ApiClient) -> None:
    event(till, "WARM")
    event(till, "WARM")
    with statements() as sent:
        assert event(till, "REV-1").status_code == 201
    assert len(sent) == 2
    with statements() as sent:
        assert event(till, "REV-1").status_code == 200
    assert len(sent) == 2  # the answer is bound to the new key
    with statements() as sent:
        assert take_back(till, "REV-1", "BACK-1").status_code == 201
    assert len(sent) == 2


@pytest.mark.usefixtures("reviews")
@pytest.mark.parametrize("change", [{"member": "nobody"}, {"type": "no_such_type"}])
def test_unknown_members_and_types_are_not_found(till: ApiClient, change: dict[str, str]) -> None:
    answer = event(till, "REV-1", **change)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert not Event.objects.exists()


@pytest.mark.usefixtures("reviews")
def test_an_outsider_finds_neither_member_nor_type_nor_event(
    eve: ApiClient, till: ApiClient, programme: Programme
) -> None:
    simple_terms(eve.partner.programme)
    event(till, "REV-1")
    for answer in (
        event(eve, "REV-2"),
        eve.get("/api/v1/events/REV-1"),
        take_back(eve, "REV-1", "BACK-1"),
    ):
        unknown = eve.get("/api/v1/events/NEVER").json()
        assert (answer.status_code, answer.json()["detail"]) == (404, unknown["detail"])
    assert eve.get("/api/v1/event-types").json() == {"items": [], "next_cursor": None}
    assert Event.objects.get().status == "posted"


@pytest.mark.usefixtures("reviews")
def test_scopes(programme: Programme, till: ApiClient) -> None:
    event(till, "REV-1")
    reader, writer, other = (
        ApiClient(programme, scopes=[scope]) for scope in ("members:read", "events:write", "points:earn")
    )
    for path in ("/api/v1/events/REV-1", "/api/v1/event-types"):
        assert [client.get(path).status_code for client in (reader, writer, other)] == [200, 200, 403]
    for client, status in ((reader, 403), (other, 403), (writer, 201)):
        assert event(client, "REV-2").status_code == status
        assert take_back(client, "REV-1", "BACK-1").status_code == status


# --- Points and attributes -----------------------------------------------------------------------------


@pytest.mark.usefixtures("surveys")
@pytest.mark.parametrize(
    ("score", "points", "formula"),
    [
        (9, 13, "9 × 1.5"),
        (8.7, 13, "8.7 × 1.5"),
        (0.6667, 1, "0.6667 × 1.5"),
        (0, 0, "0 × 1.5"),
        (10.0, 15, "10 × 1.5"),
    ],
)
def test_points_from_an_attribute_are_exact_and_rounded_once(
    till: ApiClient, score: float, points: int, formula: str
) -> None:
    answer = event(till, "S-1", type="survey_completed", attributes={"score": score})
    assert answer.status_code == 201, answer.content
    body = answer.json()
    assert (body["points"], body["trace"][0]["formula"]) == (points, formula)
    assert len(body["entries"]) == (points > 0)


def test_decimal_text_is_an_amount_too(till: ApiClient, programme: Programme) -> None:
    schema = {"type": "object", "properties": {"paid": {"type": "string"}}, "required": ["paid"]}
    event_type(programme, "donation", attribute="paid", rate="10", schema=schema, qualifying=True)
    assert event(till, "D-1", type="donation", attributes={"paid": "12.34"}).json()["points"] == 123
    assert Event.objects.get().qualifying == 123
    for paid in ("-1", "1e3", "twelve", "1.23456", "12345678901", ""):
        answer = event(till, "D-2", type="donation", attributes={"paid": paid})
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/attributes/paid"), paid
    assert Event.objects.count() == 1


@pytest.mark.usefixtures("surveys")
@pytest.mark.parametrize(
    ("attributes", "errors"),
    [
        ({}, [("/attributes/score", "missing")]),
        ({"score": "9"}, [("/attributes/score", "type")]),
        ({"score": -1}, [("/attributes/score", "minimum")]),
        ({"score": 1, "colour": "red"}, [("/attributes/colour", "unknown_field")]),
        ({"score": 1, "comment": "x" * 21}, [("/attributes/comment", "maxLength")]),
        ({"score": 1e300}, [("/attributes/score", "invalid_amount")]),
        ({"score": 0.00001}, [("/attributes/score", "invalid_amount")]),
        ({"score": 1, "comment": "x" * 5000}, [("/attributes", "too_large")]),
    ],
)
def test_attributes_that_do_not_fit(till: ApiClient, attributes: Any, errors: Any) -> None:
    answer = event(till, "S-1", type="survey_completed", attributes=attributes)
    assert answer.status_code == 422
    found = [(error["pointer"], error["code"]) for error in answer.json()["errors"]]
    assert found == errors
    assert not Event.objects.exists()
    assert not Account.objects.exists()


def test_a_type_takes_no_attributes_unless_it_says_so(till: ApiClient, reviews: EventType) -> None:
    answer = event(till, "REV-1", attributes={"stars": 5})
    assert answer.json()["errors"] == [
        {"pointer": "/attributes/stars", "code": "unknown_field", "detail": "Unknown field."}
    ]


# --- Who may, and when ---------------------------------------------------------------------------------


def test_an_inactive_type_and_one_outside_its_window(
    till: ApiClient, programme: Programme, monday: time_machine.Traveller
) -> None:
    row = event_type(programme)
    EventType.objects.filter(pk=row.pk).update(is_active=False)
    answer = event(till, "REV-1")
    assert [x["pointer"] for x in answer.json()["errors"]] == ["/type"]
    later = LONG_AGO + timedelta(days=400)
    event_type(programme, "spring", starts_at=later)
    answer = event(till, "REV-1", type="spring")
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "outside_window")
    monday.move_to(later + timedelta(minutes=1))
    assert event(till, "REV-1", type="spring", occurred_at=later.isoformat()).status_code == 201


@pytest.mark.usefixtures("reviews")
@pytest.mark.parametrize(
    ("at", "status"),
    [
        ("2026-11-23T09:20:02Z", 201),
        ("2026-11-23T09:20:03Z", 422),
        ("2026-10-24T09:15:02Z", 201),
        ("2026-10-24T09:15:01Z", 422),
    ],
)
def test_the_time_window_is_that_of_earns(till: ApiClient, at: str, status: int) -> None:
    answer = event(till, "REV-1", occurred_at=at)
    assert answer.status_code == status
    if status == 422:
        assert answer.json()["code"] == "occurred_at_out_of_window"


def test_a_type_for_segments_asks_for_one_of_them_at_that_time(
    till: ApiClient, programme: Programme, club: Segment, bob: Member
) -> None:
    event_type(programme, segments=("vip-bxl",))
    assert event(till, "REV-1").status_code == 201
    answer = event(till, "REV-2", member="10043")
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "not_in_segment")


def test_closed_members_and_programmes(
    till: ApiClient, reviews: EventType, ada: Member, programme: Programme
) -> None:
    member_close(member=ada, now=MONDAY)
    assert event(till, "REV-1").json()["code"] == "member_not_active"
    Programme.objects.filter(pk=programme.pk).update(status="closed")
    assert event(till, "REV-1").json()["code"] == "programme_not_active"
    assert not Event.objects.exists()


# --- Saying it twice -----------------------------------------------------------------------------------


def test_the_same_event_again_is_the_first_answer(
    till: ApiClient, surveys: EventType, monday: time_machine.Traveller
) -> None:
    first = event(till, "S-1", type="survey_completed", attributes={"score": 9}, key="first")
    monday.shift(timedelta(days=100))
    for key in ("first", "other"):
        again = event(till, "S-1", type="survey_completed", attributes={"score": 9}, key=key)
        assert (again.status_code, again.headers["Idempotent-Replayed"]) == (
            201 if key == "first" else 200,
            "true",
        )
        assert again.content == first.content
    equal = event(
        till, "S-1", type="survey_completed", attributes={"score": 9.0}, device="d", metadata={"a": 1}
    )
    assert equal.content == first.content
    assert Event.objects.count() == Entry.objects.count() == 1


@pytest.mark.usefixtures("reviews", "surveys", "bob")
@pytest.mark.parametrize(
    "change",
    [
        {"member": "10043"},
        {"type": "survey_completed", "attributes": {"score": 1}},
        {"occurred_at": "2026-11-23T10:14:00+01:00"},
        {"attributes": {"score": 1}},
    ],
)
def test_another_event_under_the_reference_is_a_conflict(till: ApiClient, change: dict[str, Any]) -> None:
    event(till, "REV-1")
    answer = event(till, "REV-1", **change)
    assert (answer.status_code, answer.json()["code"]) == (409, "reference_conflict")
    assert Event.objects.count() == 1


@pytest.mark.usefixtures("reviews")
def test_keys(till: ApiClient) -> None:
    assert till.post_json("/api/v1/events", {}).json()["code"] in {
        "validation_error",
        "idempotency_key_missing",
    }
    assert event(till, "REV-1", key="k").status_code == 201
    answer = event(till, "REV-2", key="k")
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")
    assert Event.objects.count() == 1


def test_an_event_and_a_receipt_may_have_one_reference(till: ApiClient, reviews: EventType) -> None:
    assert earn(till, "X-1").status_code == 201
    assert event(till, "X-1").status_code == 201
    assert balance(till)["pending"] == 167


def test_a_change_of_the_type_changes_nothing_that_was_given(
    till: ApiClient, programme: Programme, reviews: EventType
) -> None:
    first = event(till, "REV-1")
    changed = event_type(programme, points=80)
    assert (changed.pk, changed.version) == (reviews.pk, 2)
    assert event(till, "REV-1").content == first.content
    assert event(till, "REV-2").json()["points"] == 80
    assert event_type(programme, points=80).version == 2


# --- Limits --------------------------------------------------------------------------------------------


def statuses(till: ApiClient, *instants: str, **more: Any) -> list[str]:
    answers = [
        event(till, f"E-{n}-{at}".replace("+", "_"), occurred_at=at, **more) for n, at in enumerate(instants)
    ]
    assert {answer.status_code for answer in answers} <= {200, 201}, [x.content for x in answers]
    return [answer.json()["status"].replace("limit_reached", "limit") for answer in answers]


def test_a_reached_limit_answers_200_and_says_until_when(till: ApiClient, programme: Programme) -> None:
    event_type(programme, caps={"week": 1})
    assert event(till, "REV-1").status_code == 201
    answer = event(till, "REV-2", key="again")
    body = answer.json()
    assert (answer.status_code, body["status"], body["points"], body["wanted"]) == (
        200,
        "limit_reached",
        0,
        50,
    )
    assert body["limit"] == {"name": "week", "most": 1, "until": "2026-11-30T00:00:00+01:00"}
    assert body["trace"][-1] == {"step": "limit", "rule": "week", "points": "-50.00"}
    assert (body["entries"], body["receipt"], body["balance"]["pending"]) == ([], None, 50)
    assert event(till, "REV-2", key="again").content == answer.content
    assert event(till, "REV-2").content == answer.content
    assert Entry.objects.count() == 1
    assert OutboxEvent.objects.filter(type="event.rewarded").count() == 1


@pytest.mark.parametrize(
    ("caps", "instants", "expected"),
    [
        ({"total": 1}, ["2026-10-25T12:00:00+01:00", "2026-11-23T10:00:00+01:00"], ["posted", "limit"]),
        # The night of the clock change has 25 hours and is one day.
        (
            {"day": 1},
            [
                "2026-10-24T23:59:59+02:00",
                "2026-10-25T00:00:00+02:00",
                "2026-10-25T02:30:00+02:00",
                "2026-10-25T02:30:00+01:00",
                "2026-10-25T23:59:59+01:00",
                "2026-10-26T00:00:00+01:00",
            ],
            ["posted", "posted", "limit", "limit", "limit", "posted"],
        ),
        # Sunday and Monday are two weeks, whatever their days in UTC.
        (
            {"week": 2},
            [
                "2026-11-08T23:30:00+01:00",
                "2026-11-08T23:59:59+01:00",
                "2026-11-08T22:00:00Z",
                "2026-11-09T00:00:00+01:00",
                "2026-11-08T23:30:00Z",
                "2026-11-15T23:59:59+01:00",
                "2026-11-16T00:00:00+01:00",
            ],
            ["posted", "posted", "limit", "posted", "posted", "limit", "posted"],
        ),
        (
            {"month": 1},
            [
                "2026-10-31T23:59:59+01:00",
                "2026-11-01T00:00:00+01:00",
                "2026-10-31T23:30:00Z",
                "2026-10-25T00:30:00+01:00",
            ],
            ["posted", "posted", "limit", "limit"],
        ),
    ],
)
def test_caps_count_in_programme_time(
    till: ApiClient, programme: Programme, caps: dict[str, int], instants: list[str], expected: list[str]
) -> None:
    event_type(programme, caps=caps)
    assert statuses(till, *instants) == expected


def test_a_cooldown_of_days_goes_by_the_wall_clock(
    till: ApiClient, programme: Programme, monday: time_machine.Traveller
) -> None:
    monday.move_to("2026-11-01T12:00:00Z")
    event_type(programme, cooldown=Cooldown(1, "days"))
    times = ["2026-10-24T10:00:00+02:00", "2026-10-25T09:59:59+01:00", "2026-10-25T10:00:00+01:00"]
    assert statuses(till, *times) == ["posted", "limit", "posted"]


def test_a_cooldown_of_hours_passes_through_the_clock_change(
    till: ApiClient, programme: Programme, monday: time_machine.Traveller
) -> None:
    monday.move_to("2026-11-01T12:00:00Z")
    event_type(programme, cooldown=Cooldown(24, "hours"))
    times = ["2026-10-24T10:00:00+02:00", "2026-10-25T08:59:59+01:00", "2026-10-25T09:00:00+01:00"]
    assert statuses(till, *times) == ["posted", "limit", "posted"]


def test_a_cooldown_holds_for_late_events_too(till: ApiClient, programme: Programme) -> None:
    event_type(programme, cooldown=Cooldown(30, "minutes"))
    times = ["2026-11-23T09:00:00Z", "2026-11-23T08:31:00Z", "2026-11-23T08:30:00Z", "2026-11-23T09:00:00Z"]
    assert statuses(till, *times) == ["posted", "limit", "posted", "limit"]
    late = Event.objects.get(occurred_at="2026-11-23T08:31:00Z")
    assert late.reached_limit["until"] == "2026-11-23T09:30:00+00:00"


def test_members_and_types_are_counted_apart(till: ApiClient, programme: Programme, bob: Member) -> None:
    event_type(programme, caps={"total": 1})
    event_type(programme, "photo_shared", caps={"total": 1})
    assert event(till, "A-1").status_code == 201
    assert event(till, "A-2", member="10043").status_code == 201
    assert event(till, "A-3", type="photo_shared").status_code == 201
    assert event(till, "A-4").status_code == 200


def test_a_device_counts_over_all_members_and_only_a_hash_of_it_is_kept(
    till: ApiClient, programme: Programme, bob: Member
) -> None:
    event_type(programme, device_caps={"day": 1, "total": 2})
    assert event(till, "D-0").json()["errors"][0]["pointer"] == "/device"
    assert event(till, "D-1", device="phone-7").status_code == 201
    capped = event(till, "D-2", member="10043", device="phone-7").json()
    assert capped["limit"] == {"name": "device_day", "most": 1, "until": "2026-11-24T00:00:00+01:00"}
    assert event(till, "D-3", member="10043", device="phone-8").status_code == 201
    yesterday = "2026-11-22T10:00:00+01:00"
    assert event(till, "D-4", member="10043", device="phone-7", occurred_at=yesterday).status_code == 201
    never = event(till, "D-5", device="phone-7", occurred_at="2026-11-21T10:00:00+01:00").json()
    assert never["limit"] == {"name": "device_total", "most": 2, "until": None}
    devices = {bytes(row.device) for row in EventDevice.objects.all()}
    assert len(devices) == 2
    assert all(len(device) == 32 and b"phone" not in device for device in devices)


def test_a_type_without_device_limits_keeps_no_device(till: ApiClient, reviews: EventType) -> None:
    assert event(till, "REV-1", device="phone-7").status_code == 201
    assert Event.objects.get().device is None
    assert not EventDevice.objects.exists()


# --- Reading -------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("surveys")
def test_an_event_shows_as_it_is_now(till: ApiClient) -> None:
    event(till, "S-1", type="survey_completed", attributes={"score": 9})
    body = till.get("/api/v1/events/S-1").json()
    assert (body["status"], body["member"], body["attributes"], body["review"]) == (
        "posted",
        "10042",
        {"score": 9},
        None,
    )
    assert body["occurred_at"] == "2026-11-23T10:15:00+01:00"
    take_back(till, "S-1", "BACK-1", reason="copied")
    body = till.get("/api/v1/events/S-1").json()
    assert (body["status"], body["points"]) == ("reversed", 13)
    assert body["reversal"] == {
        "reference": "BACK-1",
        "recorded_at": "2026-11-23T10:15:02+01:00",
        "reason": "copied",
        "points": -13,
    }


def test_event_types(till: ApiClient, reviews: EventType, surveys: EventType) -> None:
    first = till.get("/api/v1/event-types?limit=1").json()
    (item,) = first["items"]
    assert (item["type"], item["points"], item["version"]) == (
        "review_written",
        {"type": "fixed", "value": "50"},
        1,
    )
    (item,) = till.get(f"/api/v1/event-types?limit=1&cursor={first['next_cursor']}").json()["items"]
    assert item["points"] == {"type": "attribute", "attribute": "score", "rate": "1.5"}
    assert item["attributes"] == SURVEY
    with statements() as sent:
        till.get("/api/v1/event-types")
    assert len(sent) == 2


# --- Whatever is sent ----------------------------------------------------------------------------------

BODY = """{"reference": "E-1", "type": "review_written", "member": "10042",
           "occurred_at": "2026-11-23T10:15:00+01:00", "attributes": {}%s}"""


@pytest.mark.usefixtures("reviews")
@pytest.mark.parametrize(
    ("raw", "status"),
    [
        ("", 400),
        ("[]", 422),
        ("null", 422),
        (BODY % ', "metadata": NaN', 400),
        (BODY % ', "reference": "E-2"', 400),
        (BODY % ', "device": "\\u0000"', 400),
        (BODY % ', "device": ""', 422),
        (BODY % ', "device": 7', 422),
        (BODY % ', "colour": "red"', 422),
        (BODY % ', "metadata": {"a": {}}', 422),
        ((BODY % "").replace("{}", "[]"), 422),
        ((BODY % "").replace("{}", "null"), 422),
        ((BODY % "").replace("{}", '{"a": ' * 30 + "1" + "}" * 30), 422),
        ((BODY % "").replace("{}", '{"a": 1e999}'), 400),
        ((BODY % "").replace("{}", '{"a": 99999999999999999999}'), 400),
        ((BODY % "").replace("10:15:00+01:00", "10:15:00"), 422),
        ((BODY % "").replace("2026-11-23T10:15:00+01:00", "0001-01-01T00:00:00+14:00"), 422),
        ((BODY % "").replace("E-1", "../E"), 422),
        ((BODY % "").replace("10042", "1" * 65), 422),
    ],
)
def test_bad_bodies_are_refused_and_leave_nothing(till: ApiClient, raw: str, status: int) -> None:
    answer = till.generic(
        "POST", "/api/v1/events", raw, content_type="application/json", headers={"Idempotency-Key": "k"}
    )
    assert answer.status_code == status, answer.content
    assert not Event.objects.exists()
    assert not Account.objects.exists()
    assert not IdempotencyKey.objects.exists()


@pytest.mark.usefixtures("reviews")
def test_bad_reversals_are_refused(till: ApiClient) -> None:
    event(till, "REV-1")
    for body, status in (
        ({"reference": ""}, 422),
        ({"reference": "B", "lines": []}, 422),
        ({"reference": "B", "reason": "x" * 201}, 422),
        ({"reference": "B", "dry_run": "yes"}, 422),
    ):
        answer = take_back(till, "REV-1", **body)
        assert answer.status_code == status, answer.content
    assert take_back(till, "NEVER", "B").status_code == 404
    assert Event.objects.get().status == "posted"
