"""What segments refuses."""

from config.kernel.errors import Family, RistourneError


class SegmentExists(RistourneError):
    """The programme has a segment with this code."""

    code = "segment_exists"
    family = Family.CONFLICT
    title = "This segment code is taken."


class BackdatedMembership(RistourneError):
    """Only staff and commands may say that a member was in a segment before now."""

    code = "validation_error"
    family = Family.UNPROCESSABLE
    title = "A membership may not start in the past."


class SegmentIsDynamic(RistourneError):
    """Criteria decide who is in: a hand may only pin, with a reason."""

    code = "segment_is_dynamic"
    family = Family.CONFLICT
    title = "Criteria decide who is in this segment."

    def __init__(self) -> None:
        super().__init__("Criteria decide who is in this segment; pin the member in or out, with a reason.")


class SegmentIsStatic(RistourneError):
    """Only a dynamic segment has criteria and pins."""

    code = "validation_error"
    family = Family.UNPROCESSABLE
    title = "This segment has no criteria and no pins: put members in or take them out."
