"""What the loyalty domain refuses, by name."""

from config.kernel.errors import Family, RistourneError


class InsufficientPoints(RistourneError):
    """Fewer points than asked for; `required`, `available` and `missing` say how many."""

    code, family, title = "insufficient_points", Family.CONFLICT, "Not enough points"

    def __init__(self, *, required: int, available: int) -> None:
        super().__init__(
            f"{required} points are needed and {available} are there.",
            required=required,
            available=available,
            missing=required - available,
        )


class IdempotencyKeyMissing(RistourneError):
    code, family, title = "idempotency_key_missing", Family.MALFORMED, "Idempotency-Key is missing"


class IdempotencyKeyReused(RistourneError):
    code, family, title = (
        "idempotency_key_reused",
        Family.UNPROCESSABLE,
        "Idempotency-Key was used for other content",
    )


class RequestInProgress(RistourneError):
    code, family, title = "request_in_progress", Family.CONFLICT, "The same request is being worked on"
    retryable = True

    def __init__(self) -> None:
        super().__init__("Another request with this key is still running.", headers={"Retry-After": "1"})


KEY_FAILURES: tuple[type[RistourneError], ...] = (
    IdempotencyKeyMissing,
    IdempotencyKeyReused,
    RequestInProgress,
)
"""What the key of any write may be refused for."""


class ReferenceConflict(RistourneError):
    code, family, title = "reference_conflict", Family.CONFLICT, "The reference is booked with other content"


class AlreadyReversed(RistourneError):
    code, family, title = "already_reversed", Family.CONFLICT, "The transaction is fully reversed"


class QuantityExceedsRemaining(RistourneError):
    code, family, title = "quantity_exceeds_remaining", Family.UNPROCESSABLE, "More is returned than is left"


class EvaluationStale(RistourneError):
    """The evaluation is expired or no longer true; `difference` says how."""

    code, family, title = "evaluation_stale", Family.CONFLICT, "The evaluation no longer holds"
    retryable = True


class OccurredAtOutOfWindow(RistourneError):
    code, family, title = (
        "occurred_at_out_of_window",
        Family.UNPROCESSABLE,
        "occurred_at is outside the time window",
    )


class CurrencyMismatch(RistourneError):
    code, family, title = "currency_mismatch", Family.UNPROCESSABLE, "Not the programme's currency"


class AdjustmentDecided(RistourneError):
    code, family, title = "illegal_transition", Family.CONFLICT, "The adjustment is decided already"


class PromotionMoveRefused(RistourneError):
    """A promotion cannot do this where it stands; `allowed` says what it can."""

    code, family, title = "illegal_transition", Family.CONFLICT, "The promotion cannot do this now"


class ReplayEnded(RistourneError):
    code, family, title = "illegal_transition", Family.CONFLICT, "The replay has ended"


class EventDecided(RistourneError):
    code, family, title = "illegal_transition", Family.CONFLICT, "The event is decided already"


class SamePerson(RistourneError):
    code, family, title = "second_person_required", Family.CONFLICT, "A second person has to decide"


class RuleRefused(RistourneError):
    """A rule that cannot be: `errors` say what is wrong with it."""

    code, family, title = "validation_error", Family.UNPROCESSABLE, "The rule is not valid"


class FileUnreadable(RistourneError):
    """A file to import whose columns cannot be told."""

    code, family, title = "file_unreadable", Family.UNPROCESSABLE, "The file cannot be read"


class ImportRunning(RistourneError):
    code, family, title = "import_running", Family.CONFLICT, "Another import of this programme is running"
    retryable = True
