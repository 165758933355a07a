"""Database table of hourly event counts, for the charts of the admin area."""

from django.db import models


class HourlyCount(models.Model):
    """The count of one event in one hour, summed over all workers of all nodes.

    `hour` counts from 1970 in UTC, so that days and weeks are integer divisions on both databases. `name` is that of an
    event, or 'sessions.live' for a sample of the number of live sessions.
    """

    pk = models.CompositePrimaryKey("hour", "name")
    hour = models.PositiveIntegerField(editable=False)
    name = models.CharField(max_length=40, editable=False)
    count = models.BigIntegerField(editable=False)

    class Meta:
        app_label = "latchkey"
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"{self.name} in hour {self.hour}"
