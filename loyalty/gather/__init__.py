"""Gather: one query for everything that a decision about one member, or many, needs to know.

`columns` says what every query asks and how it is read; each other module is one decision: its query, its context
and the function that reads one into the other.
"""

from loyalty.gather.adjusting import AdjustmentContext, adjustment
from loyalty.gather.columns import (
    HEAD,
    HEAD_END,
    LOT,
    MEMBER,
    MEMBER_SIZE,
    OPEN_LOTS_AND,
    Head,
    Holding,
    Person,
    TierAsk,
    base_params,
    head_of,
    holding_of,
)
from loyalty.gather.earning import Ask, BasketContext, Booked, Gathered, Spent, Used, baskets
from loyalty.gather.events import (
    BookedEvent,
    BookedEventContext,
    EventContext,
    booked_event,
    event,
    lock_device,
)
from loyalty.gather.reversing import ReversalContext, reversal
from loyalty.gather.rules import day_under, under_rules
from loyalty.gather.settling import due
from loyalty.gather.tiers import StandingContext, standings, standings_under

__all__ = [
    "HEAD",
    "HEAD_END",
    "LOT",
    "MEMBER",
    "MEMBER_SIZE",
    "OPEN_LOTS_AND",
    "AdjustmentContext",
    "Ask",
    "BasketContext",
    "Booked",
    "BookedEvent",
    "BookedEventContext",
    "EventContext",
    "Gathered",
    "Head",
    "Holding",
    "Person",
    "ReversalContext",
    "Spent",
    "StandingContext",
    "TierAsk",
    "Used",
    "adjustment",
    "base_params",
    "baskets",
    "booked_event",
    "day_under",
    "due",
    "event",
    "head_of",
    "holding_of",
    "lock_device",
    "reversal",
    "standings",
    "standings_under",
    "under_rules",
]
