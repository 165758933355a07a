"""How often what happened, hour by hour: for the plots of the admin, where there is no Prometheus."""

from django.db import models


class HourlyCount(models.Model):
    """A number of an hour, summed over all workers of all nodes.

    hour counts from 1970, in UTC: days and weeks are divisions, on both databases. name is that of an event, or
    'sessions.live' for a sample of how many there are.
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
