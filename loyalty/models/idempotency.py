from django.db import models


class IdempotencyKey(models.Model):
    """The first answer under a client's key, written in the same database transaction as its effect.

    `status` null: claimed, still being worked on; 0: bound to its content, no answer kept (a batch). An empty
    `body` is made again of the transaction under the request's reference. `account_id` is whose points the answer
    tells of, where that is one member: the answer is deleted when the person is erased.
    """

    pk = models.CompositePrimaryKey("partner_id", "key")
    partner_id = models.BigIntegerField()
    key = models.CharField(max_length=255)
    programme = models.ForeignKey(
        "members.Programme", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    fingerprint = models.BinaryField(max_length=32)
    status = models.PositiveSmallIntegerField(null=True)
    body = models.TextField(blank=True, default="")
    account_id = models.BigIntegerField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=("created_at",), name="idempotency_key_age")]

    def __str__(self) -> str:
        return self.key
