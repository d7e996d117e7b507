"""One way to a tier, whichever way points come: evaluated, earned, in a batch, imported, or by events."""

import random
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.core.management import call_command

from loyalty.models import Event, TierChange
from loyalty.services import event_decide, tier_create, tier_rules_set
from members.models import Activity, Member, Programme
from tests.factories import ApiClient, MemberFactory
from tests.loyalty.worlds import BASKET, MONDAY, call, earn, euros, event, event_type, simple_terms, take_back
from tests.reference.tiers import Life
from tests.statements import statements

pytestmark = pytest.mark.django_db

SHARES = {"": Fraction(1), "SILVER": Fraction(3, 2), "GOLD": Fraction(2)}
LEVELS = [("SILVER", 100), ("GOLD", 300)]
PERIODS = [("days", 20, False), ("months", 1, False), ("quarter", 1, False), ("quarter", 1, True)]


@pytest.fixture
def club(monday: time_machine.Traveller, programme: Programme, ada: Member) -> Programme:
    """One point a euro; Silver (×1.5) from 100 and Gold (×2) from 300 points of a calendar year."""
    for rank, (code, threshold) in enumerate(LEVELS, 1):
        tier_create(programme=programme, code=code, name=code.title(), rank=rank, threshold=threshold)
    simple_terms(programme, tiers={"SILVER": "1.5", "GOLD": "2"})
    tier_rules_set(programme=programme, period="year", now=MONDAY)
    return programme


def changes(number: str) -> list[tuple[datetime, str, str, int]]:
    """When, from, to and the points looked at, oldest first."""
    rows = TierChange.objects.filter(member__number=number).order_by("at", "id")
    return list(rows.values_list("at", "before", "after", "qualifying"))


class Paths:
    """The same receipts for a member of each path; `buys` are (instant, euros)."""

    def __init__(self, programme: Programme, till: ApiClient, seed: int) -> None:
        choice = random.Random(seed)
        self.programme, self.till, self.zone = programme, till, ZoneInfo(programme.time_zone)
        self.period = PERIODS[seed % len(PERIODS)]
        at, self.buys = MONDAY, []
        for _ in range(12):
            at += timedelta(minutes=choice.choice([1, 600, 24 * 60 * choice.randint(1, 40)]))
            self.buys.append((at, choice.choice([0, 20, 45, 99, 120, 310])))

    def body(self, member: str, number: int) -> dict[str, Any]:
        at, amount = self.buys[number]
        more = {"member": member, "occurred_at": at.isoformat(), **euros(f"{amount}.00")}
        return {**BASKET, "reference": f"{member}-{number:02}", **more}

    def earned(self, member: str, clock: time_machine.Traveller) -> list[int]:
        """Each evaluated and earned at its own time."""
        points = []
        for number, (at, _) in enumerate(self.buys):
            clock.move_to(at)
            body = self.body(member, number)
            asked = self.till.post_json("/api/v1/basket-evaluations", body).json()
            told = call(self.till, "/transactions", body | {"evaluation": asked["evaluation"]})
            assert (told.status_code, told.json()["points"]) == (201, asked["points"])
            points.append(asked["points"])
        return points

    def imported(self, member: str, folder: Path, **options: Any) -> None:
        """All of it later, from a file."""
        lines = ["reference,member,occurred_at,sku,quantity,amount"]
        for number, (at, amount) in enumerate(self.buys):
            lines.append(f"{member}-{number:02},{member},{at.isoformat()},MUG-7,1,{amount}.00")
        path = folder / "receipts.csv"
        path.write_text("\n".join(lines))
        given = {"programme": "choco-club", "workers": 1, "verbosity": 0, "backdate": 2000}
        call_command("import_transactions", str(path), rejects=folder / "rejects.csv", **given, **options)

    def reference(self) -> tuple[list[int], Life]:
        """Points and tiers as the reference has them."""
        rules = {"zone": self.zone.key, "levels": LEVELS}
        life = Life(
            {**rules, **dict(zip(("period", "length", "following"), self.period, strict=True))}, MONDAY
        )
        points = []
        for at, amount in self.buys:
            life.wait(at)
            points.append(int(amount * SHARES[life.held]))
            life.count(at.astimezone(self.zone).date(), points[-1])
        return points, life

    def booked(self, member: str) -> list[int]:
        answers = [self.till.get(f"/api/v1/transactions/{member}-{x:02}") for x in range(len(self.buys))]
        return [answer.json()["points"] for answer in answers]


@pytest.mark.parametrize("seed", range(8))
def test_evaluate_earn_and_import_agree_with_the_reference(
    club: Programme, till: ApiClient, monday: time_machine.Traveller, seed: int, tmp_path: Path
) -> None:
    paths = Paths(club, till, seed)
    period, length, following = paths.period
    tier_rules_set(programme=club, period=period, length=length, keeps_following=following, now=MONDAY)
    MemberFactory(programme=club, number="10050")
    points, life = paths.reference()
    assert paths.earned("10042", monday) == points
    paths.imported("10050", tmp_path)
    assert paths.booked("10050") == points
    assert [change[:3] for change in changes("10042")] == life.changes
    assert changes("10050") == changes("10042")


@pytest.mark.parametrize("seed", range(4))
def test_a_batch_does_what_its_receipts_do_one_by_one(
    club: Programme, till: ApiClient, monday: time_machine.Traveller, seed: int
) -> None:
    """Late receipts count on their days, and are decided when they come."""
    tier_rules_set(programme=club, period="days", length=20, now=MONDAY)
    MemberFactory(programme=club, number="10050")
    choice, paths = random.Random(seed), Paths(club, till, seed)
    paths.buys = [(MONDAY + timedelta(days=choice.randint(0, 40)), amount) for _, amount in paths.buys]
    sent: set[int] = set()
    for now in (MONDAY + timedelta(days=29), MONDAY + timedelta(days=42)):
        monday.move_to(now)
        fresh = [x for x, (at, _) in enumerate(paths.buys) if at <= now and x not in sent]
        sent.update(fresh)
        single = [call(till, "/transactions", paths.body("10042", x)).json()["points"] for x in fresh]
        body = {"transactions": [paths.body("10050", x) for x in fresh]}
        results = call(till, "/transactions/batch", body).json()["results"]
        assert [result["body"]["points"] for result in results] == single
    assert changes("10050") == changes("10042")
    assert changes("10042")


@pytest.fixture
def donations(club: Programme) -> None:
    paid = {"paid": {"type": "number", "minimum": 0}}
    schema = {"type": "object", "properties": paid, "required": ["paid"]}
    event_type(club, "donation", attribute="paid", rate="1", schema=schema, qualifying=True)


def donate(till: ApiClient, reference: str, paid: int, **more: Any) -> dict[str, Any]:
    at = more.pop("occurred_at", datetime.now(UTC).isoformat())
    answer = event(till, reference, type="donation", attributes={"paid": paid}, occurred_at=at, **more)
    assert answer.status_code == 201, answer.content
    body: dict[str, Any] = answer.json()
    return body


@pytest.mark.usefixtures("donations")
def test_an_event_that_qualifies_decides_the_tier_itself(till: ApiClient, ada: Member) -> None:
    assert donate(till, "GIFT-1", 120)["points"] == 120
    ada.refresh_from_db()
    assert ada.tier == "SILVER"
    assert changes("10042") == [(MONDAY, "", "SILVER", 120)]
    assert donate(till, "GIFT-2", 10)["points"] == 10, "events have no tier share"
    assert earn(till, "POS-1", **euros("10.00")).json()["points"] == 15


@pytest.mark.usefixtures("donations")
def test_what_ended_before_an_event_is_over_before_it_counts(
    till: ApiClient, ada: Member, monday: time_machine.Traveller
) -> None:
    """A late event of the old year is not among the points that its end looked at."""
    donate(till, "GIFT-1", 120)
    monday.move_to(datetime(2027, 1, 3, tzinfo=UTC))
    donate(till, "GIFT-2", 200, occurred_at="2026-12-31T12:00:00+01:00")
    ended = datetime(2026, 12, 31, 23, tzinfo=UTC)
    assert changes("10042")[1:] == [(ended, "SILVER", "", 120)]
    ada.refresh_from_db()
    assert ada.tier == ""


@pytest.mark.usefixtures("donations")
def test_an_event_taken_back_takes_its_qualifying_points(till: ApiClient, ada: Member) -> None:
    donate(till, "GIFT-1", 99)
    assert take_back(till, "GIFT-1", "BACK-1").status_code == 201
    assert Activity.objects.get().qualifying == 0
    donate(till, "GIFT-2", 1)
    assert changes("10042") == []


def test_an_event_counts_towards_tiers_when_staff_approve_it(
    till: ApiClient, club: Programme, ada: Member
) -> None:
    event_type(club, points=150, review=True, qualifying=True)
    assert event(till, "REV-1").status_code == 202
    assert changes("10042") == []
    later = MONDAY + timedelta(hours=1)
    event_decide(event=Event.objects.get(), approve=True, actor="staff:carol", now=later)
    assert changes("10042") == [(later, "", "SILVER", 150)]


def test_an_event_that_gives_nothing_raises_nobody(till: ApiClient, club: Programme, ada: Member) -> None:
    event_type(club, points=60, qualifying=True, caps={"total": 1})
    assert event(till, "REV-1").status_code == 201
    assert event(till, "REV-2").json()["status"] == "limit_reached"
    assert changes("10042") == []


@pytest.mark.usefixtures("donations")
def test_tiers_cost_events_no_round_trip(till: ApiClient) -> None:
    donate(till, "WARM", 1)
    assert take_back(till, "WARM", "WARM").status_code == 201
    with statements() as sent:
        donate(till, "GIFT-1", 120)
    assert len(sent) == 2
    with statements() as sent:
        assert take_back(till, "GIFT-1", "BACK-1").status_code == 201
    assert len(sent) == 2
