"""Counters of attempts, in the database: every process sees the same ones, and a restart forgets none."""

from django.db import models


class Attempt(models.Model):
    """How many attempts failed in a row, and until when the next one has to wait.

    There is a row for an account, for a place (a network address), and for a device: an account at a place where it
    was signed in to. Both are keyed digests in hex, and '' stands for any, so that the table tells nobody who was
    guessed at from where. Times are milliseconds of Unix time, with which both databases reckon alike.
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
