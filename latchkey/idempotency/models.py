"""Database table of idempotency keys, as digests."""

from django.db import models

from latchkey.core import clock


class IdempotencyKey(models.Model):
    """A key that a caller has sent with a request, and the id of what the request created.

    Both digests are keyed, and of the key and the body nothing else is kept, as a body may have a password. resource_id
    is no foreign key: a retry must not create again what has been deleted since.
    """

    id = models.BigAutoField(primary_key=True)
    key_digest = models.BinaryField(max_length=32, unique=True)
    request_digest = models.BinaryField(max_length=32)
    resource_id = models.BigIntegerField(null=True, editable=False)
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        app_label = "latchkey"
        db_table = "latchkey_idempotency_key"

    def __str__(self) -> str:
        return f"idempotency key {self.pk}"
