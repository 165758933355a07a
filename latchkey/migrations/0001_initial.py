"""The tables of Latchkey, as of version 0.1.0."""

import django.db.models.deletion
import latchkey.core.clock
import latchkey.sessions.models
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [
        migrations.CreateModel(
            name="Attempt",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "account", "address", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("account", models.CharField(max_length=32)),
                ("address", models.CharField(max_length=32)),
                ("failures", models.IntegerField()),
                ("last_at", models.BigIntegerField()),
                ("blocked_until", models.BigIntegerField()),
            ],
        ),
        migrations.CreateModel(
            name="ClientCredential",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("client_id", models.CharField(editable=False, max_length=64, verbose_name="service")),
                ("digest", models.BinaryField(max_length=32, unique=True)),
                (
                    "created_at",
                    models.DateTimeField(default=latchkey.core.clock.now, editable=False, verbose_name="added"),
                ),
            ],
            options={
                "verbose_name": "service credential",
                "ordering": ("client_id", "id"),
            },
        ),
        migrations.CreateModel(
            name="HourlyCount",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "hour", "name", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("hour", models.PositiveIntegerField(editable=False)),
                ("name", models.CharField(editable=False, max_length=40)),
                ("count", models.BigIntegerField(editable=False)),
            ],
            options={
                "default_permissions": ("view",),
            },
        ),
        migrations.CreateModel(
            name="SigningKey",
            fields=[
                ("number", models.PositiveIntegerField(primary_key=True, serialize=False)),
                ("kid", models.CharField(max_length=43, unique=True)),
                ("algorithm", models.CharField(max_length=8)),
                ("public", models.TextField()),
                ("private", models.BinaryField()),
                ("created_at", models.DateTimeField()),
                ("signs_from", models.DateTimeField()),
                ("retires_at", models.DateTimeField(null=True)),
                ("verifies_until", models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="User",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "is_superuser",
                    models.BooleanField(
                        default=False,
                        help_text="Designates that this user has all permissions without explicitly assigning them.",
                        verbose_name="superuser status",
                    ),
                ),
                ("password", models.CharField(max_length=256)),
                ("email", models.EmailField(max_length=254, unique=True, verbose_name="e-mail address")),
                (
                    "email_verified_at",
                    models.DateTimeField(blank=True, editable=False, null=True, verbose_name="e-mail verified"),
                ),
                (
                    "username",
                    models.CharField(
                        blank=True,
                        help_text="Display only: people sign in with the e-mail address.",
                        max_length=150,
                        verbose_name="display name",
                    ),
                ),
                (
                    "is_active",
                    models.BooleanField(
                        default=True, help_text="Inactive users cannot sign in.", verbose_name="active"
                    ),
                ),
                (
                    "is_staff",
                    models.BooleanField(default=False, help_text="May open this admin area.", verbose_name="staff"),
                ),
                (
                    "created_at",
                    models.DateTimeField(default=latchkey.core.clock.now, editable=False, verbose_name="registered"),
                ),
                ("credential_version", models.PositiveIntegerField(default=0, editable=False)),
                (
                    "groups",
                    models.ManyToManyField(
                        blank=True,
                        help_text="The groups this user belongs to. A user will get all permissions granted to each of their groups.",
                        related_name="user_set",
                        related_query_name="user",
                        to="auth.group",
                        verbose_name="groups",
                    ),
                ),
                (
                    "user_permissions",
                    models.ManyToManyField(
                        blank=True,
                        help_text="Specific permissions for this user.",
                        related_name="user_set",
                        related_query_name="user",
                        to="auth.permission",
                        verbose_name="user permissions",
                    ),
                ),
            ],
            options={
                "ordering": ("id",),
            },
        ),
        migrations.CreateModel(
            name="AuditEvent",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("at", models.DateTimeField(default=latchkey.core.clock.now, editable=False, verbose_name="when")),
                ("name", models.CharField(editable=False, max_length=40, verbose_name="event")),
                ("user_id", models.BigIntegerField(editable=False, null=True, verbose_name="user")),
                ("session_id", models.BigIntegerField(editable=False, null=True, verbose_name="session")),
                ("ip", models.GenericIPAddressField(editable=False, null=True, verbose_name="address")),
                ("user_agent", models.CharField(blank=True, editable=False, max_length=255)),
                ("detail", models.CharField(blank=True, editable=False, max_length=64)),
                ("notification_pending", models.BooleanField(default=False, editable=False)),
            ],
            options={
                "verbose_name": "event",
                "db_table": "latchkey_event",
                "indexes": [
                    models.Index(models.F("user_id"), models.F("id"), name="latchkey_event_of_user"),
                    models.Index(
                        models.F("id"),
                        condition=models.Q(("notification_pending", True)),
                        name="latchkey_event_waiting",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Mail",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("kind", models.CharField(editable=False, max_length=40)),
                ("to_address", models.CharField(editable=False, max_length=254, verbose_name="to")),
                ("encrypted_context", models.BinaryField()),
                ("user_id", models.BigIntegerField(editable=False, null=True, verbose_name="user")),
                (
                    "created_at",
                    models.DateTimeField(default=latchkey.core.clock.now, editable=False, verbose_name="written"),
                ),
                (
                    "next_attempt_at",
                    models.DateTimeField(default=latchkey.core.clock.now, editable=False, verbose_name="due"),
                ),
                ("attempts", models.PositiveSmallIntegerField(default=0, editable=False)),
                ("sent_at", models.DateTimeField(editable=False, null=True, verbose_name="sent")),
                ("failed_at", models.DateTimeField(editable=False, null=True, verbose_name="failed")),
                ("last_error", models.CharField(blank=True, editable=False, max_length=100)),
            ],
            options={
                "verbose_name": "mail",
                "indexes": [
                    models.Index(models.F("user_id"), name="latchkey_mail_of_user"),
                    models.Index(
                        models.F("next_attempt_at"),
                        condition=models.Q(("failed_at", None), ("sent_at", None)),
                        name="latchkey_mail_waiting",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="OneTimeCode",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("purpose", models.CharField(editable=False, max_length=20)),
                ("token_digest", models.BinaryField(max_length=32, unique=True)),
                ("code_digest", models.BinaryField(max_length=32)),
                ("email", models.CharField(editable=False, max_length=254)),
                ("new_email", models.CharField(blank=True, editable=False, max_length=254)),
                ("credential_version", models.PositiveIntegerField(editable=False)),
                ("failures", models.PositiveSmallIntegerField(default=0, editable=False)),
                ("created_at", models.DateTimeField(editable=False)),
                ("expires_at", models.DateTimeField(editable=False)),
                (
                    "user",
                    models.ForeignKey(
                        editable=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="codes",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Session",
            fields=[
                (
                    "id",
                    models.BigIntegerField(
                        default=latchkey.sessions.models.random_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("selector", models.BigIntegerField(editable=False, unique=True)),
                ("digest", models.BinaryField(max_length=32)),
                ("next_digest", models.BinaryField(max_length=32)),
                ("credential_version", models.PositiveIntegerField(editable=False)),
                ("created_at", models.DateTimeField(editable=False, verbose_name="signed in")),
                ("rotated_at", models.DateTimeField(editable=False, verbose_name="last refreshed")),
                ("expires_at", models.DateTimeField(editable=False, verbose_name="ends")),
                ("ip", models.GenericIPAddressField(editable=False, null=True, verbose_name="address")),
                ("user_agent", models.CharField(blank=True, editable=False, max_length=255)),
                (
                    "user",
                    models.ForeignKey(
                        editable=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="sessions",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
    ]
