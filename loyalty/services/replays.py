"""Replays: a draft over the stored baskets of a period. Only the replay's own row is ever written."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from django.db import OperationalError, transaction
from django.db.models import F
from django.utils import timezone
from procrastinate.contrib.django import app

from config.kernel.errors import FieldError, RistourneError
from loyalty.engine.calendar import start_of_day
from loyalty.errors import ReplayEnded, RuleRefused
from loyalty.models import Promotion, Replay
from loyalty.promotions.drafts import Draft
from loyalty.replay import reading
from loyalty.replay.figures import Figures
from loyalty.replay.reading import Period
from loyalty.replay.simulation import Simulation
from loyalty.rules import PromotionDraft
from loyalty.rulesets import by_hash
from loyalty.versions import promotion_last_version, promotion_rule_of, trial_of
from members.models import Programme

LONGEST = timedelta(days=5 * 366)


def replay_draft(promotion: Promotion, now: datetime) -> Draft | None:
    """What the promotion is to say next, else what it says or said last, with its links; None when it has no
    draft and all its versions are voided."""
    if promotion.draft is not None:
        return trial_of(promotion, PromotionDraft.from_row(promotion.draft), now)
    version = promotion_last_version(promotion)
    if version is None:
        return None
    rule = promotion_rule_of(promotion.programme, version.part)
    return trial_of(promotion, PromotionDraft(promotion.name, rule), now)


@transaction.atomic
def replay_ask(
    *,
    programme: Programme,
    draft: Draft,
    first_day: date,
    last_day: date,
    is_throughout: bool,
    actor: str,
    now: datetime,
) -> Replay:
    """Have a draft run over the baskets of the programme's days `first_day` to `last_day`, both included.

    With `is_throughout` its start and end do not matter. A worker does it. RuleRefused for a draft that could
    not be published, and for a period that is none or longer than five years.
    """
    if last_day < first_day:
        raise RuleRefused(errors=[FieldError("/last_day", "ends_before_start", "It ends before it starts.")])
    if last_day - first_day > LONGEST:
        raise RuleRefused(errors=[FieldError("/last_day", "too_long", "At most five years.")])
    draft.rule.check()
    replay = Replay.objects.create(
        programme=programme,
        code=draft.code,
        draft=draft.content(),
        is_throughout=is_throughout,
        first_day=first_day,
        last_day=last_day,
        asked_by=actor,
        asked_at=now,
    )
    _enqueue(replay)
    return replay


@transaction.atomic
def replay_again(*, replay: Replay, now: datetime) -> None:
    """Run it once more from its start, whatever became of it: what an older start still says no longer counts."""
    Replay.objects.filter(pk=replay.pk).update(
        status=Replay.Status.QUEUED,
        attempt=F("attempt") + 1,
        baskets_found=0,
        baskets_read=0,
        result=None,
        error="",
        asked_at=now,
        started_at=None,
        ended_at=None,
    )
    _enqueue(replay)


def _enqueue(replay: Replay) -> None:
    app.configure_task("loyalty.tasks.replay", queue="long").defer(replay_id=replay.pk)


def replay_cancel(*, replay: Replay, now: datetime) -> None:
    """Stop it: a worker looks after every chunk. ReplayEnded when there is nothing to stop any more."""
    stopped = _open(replay.pk).update(status=Replay.Status.CANCELLED, ended_at=now)
    if not stopped:
        raise ReplayEnded("This replay has ended already.")


def replay_run(*, replay_id: int, clock: Callable[[], datetime] = timezone.now) -> bool:
    """Run a replay from its start; returns whether it was run to the end.

    Harmless twice: the latest start is the one that counts, and one that was cancelled or has ended stays so.
    A worker that was killed leaves it running, and the next start runs it again. What goes wrong is told in
    `error` and raised; only a database that does not answer is left to the next try.
    """
    attempt = _begin(replay_id, clock())
    if attempt is None:
        return False
    try:
        return attempt.run(clock)
    except OperationalError:
        raise
    except Exception as error:
        attempt.fail(_reason(error), clock())
        raise


def _reason(error: Exception) -> str:
    """What staff read: the refusal's own words, or only the kind of what nobody foresaw."""
    if isinstance(error, RistourneError):
        return "; ".join(item.detail for item in error.errors) or error.detail or error.title
    return f"It stopped unexpectedly ({type(error).__name__}). The log has the details; it can be run again."


def _open(replay_id: int) -> Any:
    return Replay.objects.filter(pk=replay_id, status__in=(Replay.Status.QUEUED, Replay.Status.RUNNING))


def _begin(replay_id: int, now: datetime) -> "_Attempt | None":
    started = _open(replay_id).update(
        status=Replay.Status.RUNNING,
        attempt=F("attempt") + 1,
        baskets_read=0,
        started_at=now,
    )
    if not started:
        return None
    return _Attempt(Replay.objects.select_related("programme").get(pk=replay_id))


@dataclass(slots=True)
class _Attempt:
    """One start of a replay."""

    replay: Replay
    figures: Figures = field(default_factory=Figures)

    def run(self, clock: Callable[[], datetime]) -> bool:
        replay, period = self.replay, period_of(self.replay)
        if not self._say(baskets_found=reading.count(replay.programme_id, period)):
            return False
        simulation = simulation_of(replay)
        for read in replayed(replay.programme_id, period, simulation, self.figures):
            if not self._say(baskets_read=read):
                return False
        result = self.figures.result(simulation.promotion, replay.programme.point_value)
        return self._say(status=Replay.Status.DONE, result=result, ended_at=clock())

    def fail(self, reason: str, now: datetime) -> None:
        self._say(status=Replay.Status.FAILED, error=reason, ended_at=now)

    def _say(self, **news: Any) -> bool:
        """Write what is new; False when it was cancelled, or another worker began after this one."""
        running = Replay.objects.filter(
            pk=self.replay.pk, attempt=self.replay.attempt, status=Replay.Status.RUNNING
        )
        return bool(running.update(**news))


def period_of(replay: Replay) -> Period:
    """The instants of its days, on the programme's clock."""
    zone = ZoneInfo(replay.programme.time_zone)
    return Period(
        start_of_day(zone, replay.first_day), start_of_day(zone, replay.last_day + timedelta(days=1))
    )


def simulation_of(replay: Replay) -> Simulation:
    """Before its first basket."""
    draft = Draft.from_content(replay.draft)
    if replay.is_throughout:
        draft = draft.throughout(replay.asked_at)
    return Simulation(draft, partial(by_hash, replay.programme_id))


def replayed(programme_id: int, period: Period, simulation: Simulation, figures: Figures) -> Iterator[int]:
    """Decide the period's baskets and add them up; gives how many are done after each chunk."""
    for chunk in reading.chunks(programme_id, period, simulation.segments):
        for stored in chunk:
            figures.add(stored, simulation.decide(stored))
        yield figures.baskets
