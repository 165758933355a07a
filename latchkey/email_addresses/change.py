"""Tell the old address that it is the account's no more.

Change the e-mail address that signs in: the new one is confirmed first, and the old one is told.
"""

from django.db import IntegrityError, transaction

from latchkey.accounts.models import User
from latchkey.accounts.reauthentication import get_user, reauthenticate
from latchkey.audit.events import Event
from latchkey.audit.log import record
from latchkey.core import clock
from latchkey.core.client import ClientInfo
from latchkey.core.exceptions import EmailTaken, InvalidCode
from latchkey.core.user_agent import device_name
from latchkey.email_codes.issue import send
from latchkey.email_codes.models import OneTimeCode, Purpose
from latchkey.email_codes.redeem import Submitted, consume, lookup
from latchkey.mail.models import MailKind
from latchkey.mail.outbox import enqueue
from latchkey.rate_limits.attempts import charge, mail_key, refund


def notify_old_address(old_email: str, display_name: str, user: User, client: ClientInfo, device: str) -> None:
    """Put the notice into the outbox, in the transaction around: what happened, when and whence; there is no link.

    greeted_as is how the old address was greeted: that the new one is confirmed says nothing of it.
    """
    context = {
        "username": display_name,
        "new_email": mask_email(user.email),
        "when": f"{clock.now():%Y-%m-%d %H:%M} UTC",
        "device": device,
        "address": client.address or "unknown",
    }
    enqueue(MailKind.EMAIL_CHANGED, old_email, context, user.pk)


def mask_email(email: str) -> str:
    """Return an address that its owner recognises, and that tells a stranger little: a***@example.com."""
    local, _, domain = email.rpartition("@")
    return f"{local[0]}***@{domain}"


def request_email_change(user_id: int, email: str, password: str, client: ClientInfo) -> None:
    """Post a link and a code to the new canonical address; until they come back nothing changes.

    Nobody is told whether another account has it: that is seen at the end, by who reads its mailbox. Raises
    WrongPassword, TooManyAttempts, or EmailTaken where the address is that of the account itself.
    """
    user = get_user(user_id)
    if email == user.email:
        raise EmailTaken
    refund(reauthenticate(user, password, client))
    with transaction.atomic():
        charge(mail_key(email, client), client)
        send(user, Purpose.EMAIL_CHANGE, new_email=email)
        record(Event.EMAIL_CHANGE_REQUESTED, client, user_id=user.pk)


def confirm_email_change(presented: Submitted, client: ClientInfo) -> None:
    """Make the confirmed address the account's own; sessions go on. The unique index decides where two want it.

    Raises InvalidCode, TooManyAttempts, or EmailTaken.
    """
    code = lookup(Purpose.EMAIL_CHANGE, presented, client)
    device = device_name(client.user_agent)  # before any row is locked, as the first one takes a while
    try:
        _store(code, client, device)
    except IntegrityError as error:
        raise EmailTaken from error


@transaction.atomic
def _store(code: OneTimeCode, client: ClientInfo, device: str) -> None:
    user = User.objects.select_for_update().filter(pk=code.user.pk).first()
    if user is None:
        raise InvalidCode  # the account was deleted this very moment
    consume(code)
    greeted_as = user.safe_display_name
    user.email, user.email_verified_at = code.new_email, clock.now()
    user.save(update_fields=["email", "email_verified_at"])
    _record_and_notify(user, code.email, greeted_as, client, device)


def _record_and_notify(user: User, old_email: str, display_name: str, client: ClientInfo, device: str) -> None:
    """Keep the event and post the notice, in the transaction that changes the address.

    What was sent to the old address is deleted: a later change back must not bring it to life again.
    """
    OneTimeCode.objects.filter(user_id=user.pk).delete()
    record(Event.EMAIL_CHANGED, client, user_id=user.pk)
    notify_old_address(old_email, display_name, user, client, device)


@transaction.atomic
def after_admin_change(user: User, old_email: str, client: ClientInfo) -> None:
    """Do for an address that the admin has just stored what a change by its owner does.

    Nobody has confirmed the new one, so it counts as not verified; mark_verified says otherwise.
    """
    greeted_as, user.email_verified_at = user.safe_display_name, None
    User.objects.filter(pk=user.pk).update(email_verified_at=None)
    _record_and_notify(user, old_email, greeted_as, client, device_name(client.user_agent))
