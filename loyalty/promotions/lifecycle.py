"""Where a promotion stands, in one word, and what may be done with it next. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

Status = Literal["draft", "scheduled", "active", "paused", "ended"]
"""draft: never published; scheduled and active: published, its window ahead or open; paused: taken out of
force; ended: by staff for good, or because its window is over."""
STATUSES: tuple[Status, ...] = get_args(Status)

_MOVES = {
    "draft": ("publish", "end"),
    "scheduled": ("publish", "pause", "end"),
    "active": ("publish", "pause", "end"),
    "paused": ("publish", "resume", "end"),
    "ended": ("publish",),
}
_ENDED_FOR_GOOD = "It was ended for good. Make a new promotion."
_REFUSALS = {
    ("draft", "pause"): "It was never published, so there is nothing to pause.",
    ("draft", "resume"): "It was never published. Publish it instead.",
    ("scheduled", "resume"): "It is not paused.",
    ("active", "resume"): "It is not paused.",
    ("paused", "pause"): "It is paused already.",
    ("ended", "pause"): "Its window is over, so there is nothing to pause.",
    ("ended", "resume"): "Its window is over. Publish it with a later end instead.",
    ("ended", "end"): "Its window is over already.",
}


@dataclass(frozen=True, slots=True)
class Life:
    """The status, and whether staff ended it for good."""

    status: Status
    is_final: bool = False

    @property
    def moves(self) -> tuple[str, ...]:
        """publish, pause, resume, end: those that are possible now."""
        return () if self.is_final else _MOVES[self.status]

    def refusal(self, move: str) -> str | None:
        """Why a move is impossible now, in plain words; None for a possible one."""
        if self.is_final:
            return _ENDED_FOR_GOOD
        return None if move in self.moves else _REFUSALS[self.status, move]


def life(
    *,
    is_published: bool,
    window: Mapping[str, str | None] | None,
    valid_until: datetime | None,
    ended_at: datetime | None,
    now: datetime,
) -> Life:
    """From the version in force, else the last one: its `window` (None: every version is voided) and its end."""
    if ended_at is not None:
        return Life("ended", is_final=True)
    if not is_published:
        return Life("draft")
    if window is None:
        return Life("paused")
    start, end = window["from"], window["until"]
    if end and datetime.fromisoformat(end) <= now:
        return Life("ended")
    if valid_until is not None:
        return Life("paused")
    return Life("scheduled" if start and now < datetime.fromisoformat(start) else "active")
