"""Change of e-mail address: a mail to the new address has to be confirmed, then the old address gets a notice.

So nobody can move an account to an address that is not theirs, and the owner learns of it if somebody else does.
"""

from dataclasses import dataclass

from django.db import IntegrityError, transaction

from latchkey.accounts.models import User
from latchkey.accounts.reauthentication import get_user, reauthenticate
from latchkey.audit.events import Event
from latchkey.audit.log import COMMAND_LINE, Operator, record, record_by
from latchkey.core import clock
from latchkey.core.client import ClientInfo
from latchkey.core.exceptions import EmailTaken, InvalidCode
from latchkey.core.user_agent import device_name
from latchkey.email_codes.models import OneTimeCode, Purpose
from latchkey.email_codes.one_time_codes import Submitted, consume, lookup, send
from latchkey.mail.models import MailKind
from latchkey.mail.notices import may_notify_stranger
from latchkey.mail.outbox import enqueue, require_mail_server
from latchkey.mail.smtputf8 import require_deliverable
from latchkey.rate_limits.attempts import charge, refund
from latchkey.rate_limits.keys import mail_key


def request_email_change(user_id: int, email: str, password: str, client: ClientInfo, redirect_to: str = "") -> None:
    """Send a link and a code to the new normalized address; nothing changes until one of the two comes back.

    Whether another account has the address is not answered here, but at the confirmation, to a person with access to
    its mailbox. Raises WrongPassword, TooManyAttempts, EmailTaken where it is the address of the account itself,
    InvalidInput for an address that no mail can reach, or ServiceUnavailable without a mail server.
    """
    require_mail_server()
    user = get_user(user_id)
    if email == user.email:
        raise EmailTaken
    require_deliverable(email)
    refund(reauthenticate(user, password, client))
    with transaction.atomic():
        charge(mail_key(email, client), client)
        send(user, Purpose.EMAIL_CHANGE, new_email=email, redirect_to=redirect_to)
        record(Event.EMAIL_CHANGE_REQUESTED, client, user_id=user.pk)


def confirm_email_change(presented: Submitted, client: ClientInfo) -> None:
    """Store the new address, which counts as verified; sessions continue. The unique index decides concurrent changes.

    Raises InvalidCode, TooManyAttempts, or EmailTaken.
    """
    code = lookup(Purpose.EMAIL_CHANGE, presented, client)
    device = device_name(client.user_agent)  # before any row is locked, as the first call takes a while
    try:
        _store(code, client, device)
    except IntegrityError as error:
        raise EmailTaken from error


@transaction.atomic
def _store(code: OneTimeCode, client: ClientInfo, device: str) -> None:
    user = User.objects.select_for_update().filter(pk=code.user.pk).first()
    if user is None:
        raise InvalidCode  # the account was deleted a moment ago
    consume(code)
    before = FormerAddress(code.email, user.safe_display_name, user.email_verified_at is not None)
    user.email, user.email_verified_at = code.new_email, clock.now()
    user.save(update_fields=["email", "email_verified_at"])
    _record_and_notify(user, before, client, device)


@transaction.atomic
def after_admin_change(user: User, old_email: str, operator: Operator = COMMAND_LINE) -> None:
    """Complete a change of address that an operator has just stored: the same event and the same notice.

    The notice does not name the operator's address. Nobody has confirmed the new one, so it counts as unverified;
    verify.mark_verified changes that.
    """
    before = FormerAddress(old_email, user.safe_display_name, user.email_verified_at is not None)
    user.email_verified_at = None
    User.objects.filter(pk=user.pk).update(email_verified_at=None)
    OneTimeCode.objects.filter(user_id=user.pk).delete()
    record_by(operator, Event.EMAIL_CHANGED, user_id=user.pk)
    notify_former_address(before, user, ClientInfo(), device_name(""))


@dataclass(frozen=True, slots=True)
class FormerAddress:
    """The address that an account had, with the display name that a mail to it may repeat."""

    email: str
    display_name: str
    is_verified: bool


def _record_and_notify(user: User, before: FormerAddress, client: ClientInfo, device: str) -> None:
    """Record the event and send the notice, in the transaction that changes the address.

    Links and codes sent to the old address are deleted: a later change back must not make them valid again.
    """
    OneTimeCode.objects.filter(user_id=user.pk).delete()
    record(Event.EMAIL_CHANGED, client, user_id=user.pk)
    notify_former_address(before, user, client, device)


def notify_former_address(before: FormerAddress, user: User, client: ClientInfo, device: str) -> None:
    """Queue the notice to the old address, in the caller's transaction: that it was changed, when, and from where.

    It has no link, as its reader may no longer be the account's owner, and nothing of the new address, which anybody
    can choose. An address that was never confirmed gets neither device nor IP address, and few of these mails.
    """
    if not before.is_verified and not may_notify_stranger(before.email, client):
        return
    context = {
        "username": before.display_name,
        "when": f"{clock.now():%Y-%m-%d %H:%M} UTC",
        "device": device if before.is_verified else "",
        "address": client.address or "unknown" if before.is_verified else "",
    }
    enqueue(MailKind.EMAIL_CHANGED, before.email, context, user.pk)
