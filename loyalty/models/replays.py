from django.db import models
from django.db.models import F, Q


class Replay(models.Model):
    """A draft run over the baskets of a period: what they would have earned. Nothing of it is booked.

    `draft` is what `loyalty.promotions.drafts.Draft.content` wrote when it was asked for; `result` is what
    `loyalty.replay.figures.Figures.result` says at the end. Days are the programme's, both included. `attempt`
    counts how often a worker began: what an older one says no longer counts.
    """

    class Status(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"
        CANCELLED = "cancelled"

    programme = models.ForeignKey("members.Programme", on_delete=models.PROTECT, related_name="replays")
    code = models.CharField(max_length=64, help_text="Of the promotion that the draft is for.")
    draft = models.JSONField()
    is_throughout = models.BooleanField(
        default=False, help_text="Without the draft's start and end: as if it ran the whole period."
    )
    first_day = models.DateField()
    last_day = models.DateField()
    status = models.CharField(max_length=9, choices=Status, default=Status.QUEUED)
    attempt = models.PositiveIntegerField(default=0)
    baskets_found = models.PositiveBigIntegerField(default=0)
    baskets_read = models.PositiveBigIntegerField(default=0)
    result = models.JSONField(null=True)
    error = models.TextField(blank=True)
    asked_by = models.CharField(max_length=200)
    asked_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-id",)
        constraints = [
            models.CheckConstraint(condition=Q(last_day__gte=F("first_day")), name="replay_days_in_order"),
            models.CheckConstraint(
                condition=~Q(status="done") | Q(result__isnull=False), name="replay_done_with_result"
            ),
        ]
        indexes = [models.Index(fields=("programme", "code"), name="replay_of_promotion")]

    def __str__(self) -> str:
        return f"{self.code}, {self.first_day} to {self.last_day}"

    @property
    def is_open(self) -> bool:
        """Whether a worker has, or will have, something to do for it."""
        return self.status in (self.Status.QUEUED, self.Status.RUNNING)
