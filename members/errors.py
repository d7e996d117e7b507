"""What members refuses."""

from config.kernel.errors import Family, RistourneError


class MemberExists(RistourneError):
    """The number is enrolled with other content."""

    code = "member_exists"
    family = Family.CONFLICT
    title = "This member number is enrolled with other content."


class MemberNotActive(RistourneError):
    """The member left, or was closed by staff."""

    code = "member_not_active"
    family = Family.CONFLICT
    title = "The member is not active."


class WordingChanged(RistourneError):
    """Somebody agrees to words that are no longer those of the purpose."""

    code = "wording_changed"
    family = Family.CONFLICT
    title = "The text has changed since it was read."


class ProgrammeNotActive(RistourneError):
    """The programme is closed: nothing is written any more."""

    code = "programme_not_active"
    family = Family.CONFLICT
    title = "The programme is not active."


class ProgrammeFrozen(RistourneError):
    """Currency and time zone never change once a transaction was booked in them."""

    code = "programme_frozen"
    family = Family.CONFLICT
    title = "Currency and time zone are frozen since the first transaction."
