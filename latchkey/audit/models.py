"""Database table of the audit log: for the user's own history, and for operators who investigate an incident."""

from django.db import models

from latchkey.audit.events import DETAIL_LENGTH
from latchkey.core import clock
from latchkey.core.client import USER_AGENT_LENGTH


class AuditEvent(models.Model):
    """One event of the audit log. It outlives the user that it is about, so `user_id` is no foreign key.

    `actor_id` is the operator who made the change, if it was one, and `client_id` the application through which it was
    made; `ip` and `user_agent` are then the operator's or the application's, which the user must not learn.
    `notification_pending` is true until the mail worker has decided whether to mail the user about the event. Ids
    increase with time, so they order the list without an index on `at`.
    """

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField("when", default=clock.now, editable=False)
    name = models.CharField("event", max_length=40, editable=False)
    user_id = models.BigIntegerField("user", null=True, editable=False)
    session_id = models.BigIntegerField("session", null=True, editable=False)
    actor_id = models.BigIntegerField("operator", null=True, editable=False)
    ip = models.GenericIPAddressField("address", null=True, editable=False)
    user_agent = models.CharField(max_length=USER_AGENT_LENGTH, blank=True, editable=False)
    detail = models.CharField(max_length=DETAIL_LENGTH, blank=True, editable=False)
    notification_pending = models.BooleanField(default=False, editable=False)
    client_id = models.CharField("application", max_length=64, blank=True, default="", db_default="", editable=False)

    class Meta:
        app_label = "latchkey"
        db_table = "latchkey_event"
        verbose_name = "event"
        indexes = (
            models.Index("user_id", "id", name="latchkey_event_of_user"),
            models.Index("id", name="latchkey_event_waiting", condition=models.Q(notification_pending=True)),
            models.Index("actor_id", name="latchkey_event_of_operator", condition=models.Q(actor_id__isnull=False)),
            models.Index("client_id", "id", name="latchkey_event_of_client", condition=~models.Q(client_id="")),
        )

    def __str__(self) -> str:
        return f"{self.name} at {self.at:%Y-%m-%d %H:%M:%S}"

    @property
    def is_by_another(self) -> bool:
        """Whether somebody else than the user caused the event: its client is that of an operator."""
        return bool(self.client_id) or (self.actor_id is not None and self.actor_id != self.user_id)
