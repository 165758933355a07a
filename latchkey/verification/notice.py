"""Tell the old address that it is the account's no more."""

from latchkey.accounts.models import User
from latchkey.core import clock
from latchkey.core.client import Client
from latchkey.mail.kinds import Kind
from latchkey.mail.outbox import post


def post_notice(old_email: str, greeted_as: str, user: User, client: Client, device: str) -> None:
    """Put the notice into the outbox, in the transaction around: what happened, when and whence; there is no link.

    greeted_as is how the old address was greeted: that the new one is confirmed says nothing of it.
    """
    context = {
        "username": greeted_as,
        "new_email": masked(user.email),
        "when": f"{clock.now():%Y-%m-%d %H:%M} UTC",
        "device": device,
        "address": client.address or "unknown",
    }
    post(Kind.EMAIL_CHANGED, old_email, context, user.pk)


def masked(email: str) -> str:
    """Return an address that its owner recognises, and that tells a stranger little: a***@example.com."""
    local, _, domain = email.rpartition("@")
    return f"{local[0]}***@{domain}"
