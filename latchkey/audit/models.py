"""What happened, in the database: for the person concerned, and for whoever has to explain last night."""

from django.db import models

from latchkey.audit.events import DETAIL_LENGTH
from latchkey.core import clock
from latchkey.core.client import USER_AGENT_LENGTH


class AuditEvent(models.Model):
    """One event, as it was logged. It outlives the account that it tells of, hence no foreign key.

    notification_pending is true until the outbox worker has decided whether to mail the person about the event. Ids
    grow in the order in which events begin to be written: they are the order of the list, without an index on the time.
    """

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField("when", default=clock.now, editable=False)
    name = models.CharField("event", max_length=40, editable=False)
    user_id = models.BigIntegerField("user", null=True, editable=False)
    session_id = models.BigIntegerField("session", null=True, editable=False)
    ip = models.GenericIPAddressField("address", null=True, editable=False)
    user_agent = models.CharField(max_length=USER_AGENT_LENGTH, blank=True, editable=False)
    detail = models.CharField(max_length=DETAIL_LENGTH, blank=True, editable=False)
    notification_pending = models.BooleanField(default=False, editable=False)

    class Meta:
        app_label = "latchkey"
        db_table = "latchkey_event"
        verbose_name = "event"
        indexes = (
            models.Index("user_id", "id", name="latchkey_event_of_user"),
            models.Index("id", name="latchkey_event_waiting", condition=models.Q(notification_pending=True)),
        )

    def __str__(self) -> str:
        return f"{self.name} at {self.at:%Y-%m-%d %H:%M:%S}"
