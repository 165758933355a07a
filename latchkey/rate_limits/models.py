"""Database table of the rate limit counters: shared by all processes, and kept over a restart."""

from django.db import models


class Attempt(models.Model):
    """A counter of failed attempts in a row, and the time until which further attempts are blocked.

    There are rows for accounts, for IP addresses, and for devices (an account at an address where it signed in before).
    Both columns are keyed digests in hexadecimal, and '' means any, so that the table does not reveal who was attacked
    from where. Times are Unix time in milliseconds: both databases calculate with integers in the same way.
    """

    pk = models.CompositePrimaryKey("account", "address")
    account = models.CharField(max_length=32)
    address = models.CharField(max_length=32)
    failures = models.IntegerField()
    last_at = models.BigIntegerField()
    blocked_until = models.BigIntegerField()

    class Meta:
        app_label = "latchkey"

    def __str__(self) -> str:
        return f"{self.failures} failures"
