"""Delayed recovery, the table: who has lost every second factor gets back in by mail, after days of warnings.

The flow is in `factor_recovery`, which sends the mails. What is here is what a sign-in needs: a second factor that was
given shows that nothing is lost, so it cancels the recovery.
"""

from django.conf import settings
from django.db import models

from latchkey.accounts.models import User
from latchkey.audit.events import Event
from latchkey.audit.log import record
from latchkey.core.client import USER_AGENT_LENGTH, ClientInfo
from latchkey.db.statements import fetch_all
from latchkey.tokens.authentication_methods import SECOND, Proof

EMAIL_LENGTH = 254
"""Characters of an e-mail address, as in accounts.models."""

CANCEL = "DELETE FROM latchkey_factor_recovery WHERE user_id = %(user_id)s RETURNING id"


class FactorRecovery(models.Model):
    """A recovery that waits until it is due: one a user.

    It is void as soon as the account has another credential_version or e-mail address: a new password, a factor that
    was added or removed, and an operator's reset all raise the version, so none of them can forget to cancel it.
    next_notice_at is when the mail worker has to do something: warn, send the code, or delete what nobody used. due_at
    is when the code may be sent; code_sent_at is null until then. ip and user_agent are those of the request.
    """

    id = models.BigAutoField(primary_key=True)
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="factor_recovery", editable=False
    )
    credential_version = models.PositiveIntegerField(editable=False)
    email = models.CharField(max_length=EMAIL_LENGTH, editable=False)
    requested_at = models.DateTimeField(editable=False)
    due_at = models.DateTimeField(editable=False)
    next_notice_at = models.DateTimeField(editable=False)
    code_sent_at = models.DateTimeField(null=True, editable=False)
    ip = models.GenericIPAddressField("address", null=True, editable=False)
    user_agent = models.CharField(max_length=USER_AGENT_LENGTH, blank=True, editable=False)

    class Meta:
        app_label = "latchkey"
        db_table = "latchkey_factor_recovery"
        indexes = (models.Index("next_notice_at", name="latchkey_factor_recovery_next"),)

    def __str__(self) -> str:
        return f"factor recovery {self.pk}"


def cancel_recovery(user_id: int, reason: str, client: ClientInfo | None = None) -> bool:
    """Delete the recovery of a user in the caller's transaction, with an event; return whether there was one."""
    if not fetch_all(CANCEL, {"user_id": user_id}):
        return False
    record(Event.FACTOR_RECOVERY_CANCELLED, client, user_id=user_id, reason=reason)
    return True


def cancel_after_proof(user: User, proof: Proof, client: ClientInfo) -> None:
    """Cancel the recovery of a user who has just given a second factor, in the caller's transaction.

    A sign-in with a password alone costs no statement. This comes last in the transaction: the user's row,
    if it is locked at all, is locked before (locking.py).
    """
    if proof & SECOND:
        cancel_recovery(user.pk, "second factor used", client)
