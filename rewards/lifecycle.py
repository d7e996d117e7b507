"""The life of a gift order, pure: which step follows which, and what each gives back.

The table is the programme's promise to members; nothing outside it ever happens to an order.
"""

from enum import StrEnum


class Status(StrEnum):
    """Where a gift order stands."""

    RESERVED = "reserved"
    EXCHANGED = "exchanged"
    RELEASED = "released"
    LAPSED = "lapsed"
    IN_PREPARATION = "in_preparation"
    IN_DELIVERY = "in_delivery"
    DELIVERED = "delivered"
    RETURN_REQUESTED = "return_requested"
    RETURNED = "returned"
    CANCELLED = "cancelled"


MOVES: dict[Status, tuple[Status, ...]] = {
    Status.RESERVED: (Status.EXCHANGED, Status.RELEASED, Status.LAPSED),
    Status.EXCHANGED: (Status.IN_PREPARATION, Status.CANCELLED),
    Status.IN_PREPARATION: (Status.IN_DELIVERY, Status.CANCELLED),
    Status.IN_DELIVERY: (Status.DELIVERED, Status.RETURNED),
    Status.DELIVERED: (Status.RETURN_REQUESTED,),
    Status.RETURN_REQUESTED: (Status.RETURNED, Status.DELIVERED),
    Status.RELEASED: (),
    Status.LAPSED: (),
    Status.RETURNED: (),
    Status.CANCELLED: (),
}
"""What may follow each status. A digital gift goes from exchanged to delivered at once."""

ENDED_BEFORE = (Status.RELEASED, Status.LAPSED)
"""Orders that never spent anything."""
UNDONE = (*ENDED_BEFORE, Status.CANCELLED, Status.RETURNED)
"""Orders that count for no limit of a gift."""


def following(status: Status, *, is_digital: bool) -> tuple[Status, ...]:
    """The statuses that may come next; a digital gift is delivered with its code and never travels."""
    if is_digital and status is Status.EXCHANGED:
        return (Status.DELIVERED,)
    return MOVES[status]


def gives_points_back(to: Status, *, returns_points: bool) -> bool:
    """Whether the step gives spent points back: always when cancelled, when returned as the gift says."""
    return to is Status.CANCELLED or (to is Status.RETURNED and returns_points)


def gives_stock_back(to: Status, *, returns_stock: bool) -> bool:
    """Whether the step puts the pieces back into stock: when nothing left the house, or as the gift says."""
    return to in (*ENDED_BEFORE, Status.CANCELLED) or (to is Status.RETURNED and returns_stock)
