"""Database table of API keys, of people and of applications, with digests of the keys."""

from django.conf import settings
from django.db import models

from latchkey.api_keys.api_key import ID_LENGTH
from latchkey.applications.models import Application
from latchkey.core import clock

NAME_LENGTH = 100


class ApiKey(models.Model):
    """An API key of a person or of an application; deleting the row revokes it.

    scopes is a space-separated list. What counts is what the owner has, too, at the time of the request. last_used_at
    is written at most once a minute.
    """

    id = models.BigAutoField(primary_key=True)
    key_id = models.CharField("id", max_length=ID_LENGTH, unique=True, editable=False)
    digest = models.BinaryField(max_length=32, unique=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, related_name="api_keys", editable=False
    )
    application = models.ForeignKey(
        Application, on_delete=models.CASCADE, null=True, related_name="api_keys", editable=False
    )
    name = models.CharField(max_length=NAME_LENGTH)
    scopes = models.TextField(default="", blank=True, editable=False)
    created_at = models.DateTimeField("created", default=clock.now, editable=False)
    expires_at = models.DateTimeField("expires", null=True, editable=False)
    last_used_at = models.DateTimeField("last used", null=True, editable=False)

    class Meta:
        app_label = "latchkey"
        db_table = "latchkey_api_key"
        verbose_name = "API key"
        ordering = ("-id",)
        indexes = (
            models.Index("expires_at", name="latchkey_api_key_expiry", condition=models.Q(expires_at__isnull=False)),
        )
        constraints = (
            models.CheckConstraint(
                condition=models.Q(user__isnull=True) ^ models.Q(application__isnull=True),
                name="latchkey_api_key_one_owner",
            ),
        )

    def __str__(self) -> str:
        return f"{self.name} ({self.key_id})"
