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
