"""Database tables of applications (clients of OAuth 2.0), and of their secrets as digests.

An application of kind service is one of the operator's own back ends: it may introspect tokens, and get access tokens
of its own with the client credentials grant.
"""

import re
from hashlib import sha256

from django.core.validators import RegexValidator
from django.db import models

from latchkey.authorization.models import Scope
from latchkey.core import clock

CLIENT_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
"""Form of a client_id (RFC 6749 appendix A.1) that needs no encoding anywhere."""

NAME_LENGTH = 100
IS_USER_ID = re.compile(r"[0-9]+")
"""A client_id of digits alone could be taken for the id of a user in `sub` (RFC 9700 section 4.15)."""


def hash_secret(secret: str) -> bytes:
    """Return the SHA-256 of a secret, which the database keeps: 32 bytes.

    256 random bits cannot be guessed, so one round of SHA-256 protects them even in a leaked database; Argon2 would
    cost 14 ms per request. The hash has no key, so that a new secret key does not invalidate the credentials.
    """
    return sha256(secret.encode()).digest()


class ApplicationKind(models.TextChoices):
    """What an application is. A service keeps a secret; kinds that sign people in are to come."""

    SERVICE = "service", "service"


class Application(models.Model):
    """A client of OAuth 2.0 (RFC 6749 section 2).

    resources are the audiences that its access tokens may name (RFC 8707), the first by default; without any it is this
    service's own. public_keys is a JSON Web Key Set (RFC 7517) for private_key_jwt. Access tokens that were issued
    before tokens_valid_from are refused.
    """

    client_id = models.CharField(
        "client id", max_length=64, unique=True, validators=[RegexValidator(r"\A" + CLIENT_ID.pattern + r"\Z")]
    )
    name = models.CharField(max_length=NAME_LENGTH, blank=True)
    kind = models.CharField(max_length=16, choices=ApplicationKind, default=ApplicationKind.SERVICE)
    scopes = models.ManyToManyField(Scope, blank=True, related_name="applications")
    resources = models.JSONField(default=list, blank=True)
    public_keys = models.JSONField(default=list, blank=True)
    is_active = models.BooleanField("active", default=True)
    tokens_valid_from = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField("created", default=clock.now, editable=False)

    class Meta:
        app_label = "latchkey"
        ordering = ("client_id",)

    def __str__(self) -> str:
        return self.name or self.client_id


class ClientCredential(models.Model):
    """One secret of an application; an application has two while it changes from one to the next.

    client_id is no foreign key: an older version of the service, during an upgrade, creates secrets without an
    application.
    """

    client_id = models.CharField("service", max_length=64, editable=False)
    digest = models.BinaryField(max_length=32, unique=True)
    created_at = models.DateTimeField("added", default=clock.now, editable=False)

    class Meta:
        app_label = "latchkey"
        verbose_name = "service credential"
        ordering = ("client_id", "id")

    def __str__(self) -> str:
        return f"credential of {self.client_id}"
