"""Database tables of roles and scopes.

A role says what a person is (RFC 9068 section 2.2.3.1), a scope what a token may be used for (RFC 6749 section 3.3).
"""

import re

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.db.models.functions import Now

from latchkey.core import clock

NAME_LENGTH = 64
NAME = re.compile(r"[a-z0-9][a-z0-9_.:-]{0,63}")
"""Form of the name of a role or a scope: a scope-token (RFC 6749 section 3.3) that needs no encoding anywhere."""

DESCRIPTION_LENGTH = 200
NAME_HINT = "Write 1 to 64 lower-case letters, digits, dots, colons, hyphens and underscores."
check_name = RegexValidator(rf"\A{NAME.pattern}\Z", NAME_HINT)
READ_USERS, WRITE_USERS = "users:read", "users:write"
BUILT_IN_SCOPES = {
    READ_USERS: "Read all users, their sessions and their events.",
    WRITE_USERS: "Create, change and delete users.",
}
"""Scopes of this service's own API for back ends, with their descriptions; they cannot be deleted."""


class Scope(models.Model):
    """A scope, one of a closed list: no application, role or API key has one that is not in it."""

    name = models.CharField(max_length=NAME_LENGTH, unique=True, validators=[check_name])
    description = models.CharField(max_length=DESCRIPTION_LENGTH)
    created_at = models.DateTimeField("created", default=clock.now, editable=False)

    class Meta:
        app_label = "latchkey"
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class Role(models.Model):
    """A role that users can have. Its name stands in access tokens, so it never changes.

    scopes are those that a person with this role has: for the API for back ends, and for API keys of that person.
    """

    name = models.CharField(max_length=NAME_LENGTH, unique=True, validators=[check_name])
    description = models.CharField(max_length=DESCRIPTION_LENGTH, blank=True)
    scopes = models.ManyToManyField(Scope, blank=True, related_name="roles")
    created_at = models.DateTimeField("created", default=clock.now, editable=False)

    class Meta:
        app_label = "latchkey"
        ordering = ("name",)
        permissions = (("grant_role", "Can grant and revoke roles, and set the custom claims of a user"),)

    def __str__(self) -> str:
        return self.name


class UserRole(models.Model):
    """A role of a user. `User.token_claims` repeats the names, so roles.py alone writes this table.

    user_created_at is the user's created_at, which never changes: so an index has the users of a role in the order in
    which they are listed.
    """

    id = models.BigAutoField(primary_key=True)
    role = models.ForeignKey(Role, on_delete=models.CASCADE, related_name="grants", db_index=False, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="role_grants", editable=False
    )
    granted_at = models.DateTimeField(default=clock.now, editable=False)
    user_created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        app_label = "latchkey"
        db_table = "latchkey_user_role"
        indexes = (models.Index(fields=("role", "user_created_at", "user"), name="latchkey_user_role_list"),)
        constraints = (models.UniqueConstraint(fields=("role", "user"), name="latchkey_user_role_once"),)

    def __str__(self) -> str:
        return f"{self.role_id} of user {self.user_id}"
