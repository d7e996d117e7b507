"""The catalogue in the memory of several processes: what staff were answered is what everybody's next request shows.

Another process is another copy of rewards.shelf, which shares nothing with the first but the database.
"""

import importlib.util
import time
from datetime import UTC, datetime
from types import ModuleType
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client
from django.urls import reverse

from members.models import Programme
from members.services import staff_create
from rewards import shelf
from rewards.models import Reward
from rewards.services import reward_pause
from tests.factories import ApiClient
from tests.loyalty.desks import CONFIRMED, PASSWORD, signed_in
from tests.rewards.catalogue import gift, live_gift, validated
from tests.statements import statements

pytestmark = pytest.mark.django_db(transaction=True)
LEASE = 0.2


@pytest.fixture
def elsewhere() -> ModuleType:
    """The memory of another process."""
    spec = importlib.util.spec_from_file_location("shelf_elsewhere", shelf.__file__)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def boss(programme: Programme) -> Client:
    return signed_in(staff_create(username="boss", password=PASSWORD, programmes=[programme]))


def now() -> datetime:
    return datetime.now(UTC)


def pause(boss: Client, code: str) -> None:
    """Through the back office, to the end of the answer."""
    reward = Reward.objects.get(code=code)
    answer = boss.post(reverse("admin:rewards_reward_pause", args=[reward.pk]), CONFIRMED)
    assert answer.status_code == 302
    reward.refresh_from_db()
    assert reward.state == "paused"


def shown(where: ModuleType, programme: Programme) -> set[str]:
    return {row.code for row in where.shelf_of(programme.pk, now()).gifts}


def paused_but_shown(boss: Client, programme: Programme, elsewhere: ModuleType) -> set[str]:
    """What another process, which has just looked, shows of ten gifts right after each was paused."""
    codes = {f"GFT-{number}" for number in range(10)}
    for code in codes:
        live_gift(programme, code, at=now())
    wrong = set()
    for code in sorted(codes):
        assert code in shown(elsewhere, programme)
        pause(boss, code)
        wrong |= {code} & shown(elsewhere, programme)
        time.sleep(0.01)
    return wrong


def test_what_staff_were_answered_is_seen_everywhere(
    settings: LazySettings, boss: Client, programme: Programme, elsewhere: ModuleType
) -> None:
    settings.CATALOGUE_LEASE_SECONDS = LEASE
    assert paused_but_shown(boss, programme, elsewhere) == set()


def test_who_does_not_wait_is_found_out(
    settings: LazySettings,
    boss: Client,
    programme: Programme,
    elsewhere: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The negative control: with a lease so long that it never ends here, and without the wait."""
    settings.CATALOGUE_LEASE_SECONDS = 600
    monkeypatch.setattr("rewards.middleware.time.sleep", lambda seconds: None)
    assert len(paused_but_shown(boss, programme, elsewhere)) == 10


def test_a_lease_spares_the_question(settings: LazySettings, programme: Programme, till: ApiClient) -> None:
    settings.CATALOGUE_LEASE_SECONDS = 600
    live_gift(programme, at=now())
    first = till.get("/api/v1/gifts?lang=fr")
    with statements() as sent:
        again = till.get("/api/v1/gifts?lang=fr")
    assert sent == []
    assert again.content == first.content
    assert first.json()["items"][0]["code"] == "GFT-1"


def test_a_lease_ends(settings: LazySettings, programme: Programme) -> None:
    settings.CATALOGUE_LEASE_SECONDS = LEASE
    reward = live_gift(programme, at=now())
    assert shown(shelf, programme) == {"GFT-1"}
    reward_pause(reward=reward, actor="staff:ann", now=now())
    time.sleep(LEASE)
    assert shown(shelf, programme) == set()


def test_it_is_counted_from_before_the_question(
    settings: LazySettings, programme: Programme, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An answer that is long under way is no fresher for it."""
    settings.CATALOGUE_LEASE_SECONDS = LEASE
    reward = live_gift(programme, at=now())
    ask = shelf.rows

    def slowly(*args: Any, **kwargs: Any) -> Any:
        found = ask(*args, **kwargs)
        time.sleep(LEASE)
        return found

    monkeypatch.setattr(shelf, "rows", slowly)
    assert shown(shelf, programme) == {"GFT-1"}
    monkeypatch.setattr(shelf, "rows", ask)
    reward_pause(reward=reward, actor="staff:ann", now=now())
    assert shown(shelf, programme) == set()


def test_what_starts_at_an_instant_is_shown_at_that_instant(
    settings: LazySettings, programme: Programme, elsewhere: ModuleType
) -> None:
    """A lease is about changes; what was planned needs no question."""
    settings.CATALOGUE_LEASE_SECONDS = 600
    start = now().replace(microsecond=0).replace(year=now().year + 1)
    validated(gift(programme, at=now(), live_from=start), at=now())
    assert {row.code for row in elsewhere.shelf_of(programme.pk, now()).gifts} == set()
    assert {row.code for row in elsewhere.shelf_of(programme.pk, start).gifts} == {"GFT-1"}
