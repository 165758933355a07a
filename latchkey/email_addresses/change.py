"""Change of e-mail address: a mail to the new address has to be confirmed, then the old address gets a notice.

So nobody can move an account to an address that is not theirs, and the owner learns of it if somebody else does.
"""

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
from latchkey.mail.outbox import enqueue, require_mail_server
from latchkey.mail.smtputf8 import require_deliverable
from latchkey.rate_limits.attempts import charge, mail_key, refund


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
    display_name = user.safe_display_name
    user.email, user.email_verified_at = code.new_email, clock.now()
    user.save(update_fields=["email", "email_verified_at"])
    _record_and_notify(user, code.email, display_name, client, device)


@transaction.atomic
def after_admin_change(user: User, old_email: str, operator: Operator = COMMAND_LINE) -> None:
    """Complete a change of address that an operator has just stored: the same event and the same notice.

    The notice does not name the operator's address. Nobody has confirmed the new one, so it counts as unverified;
    verify.mark_verified changes that.
    """
    display_name, user.email_verified_at = user.safe_display_name, None
    User.objects.filter(pk=user.pk).update(email_verified_at=None)
    OneTimeCode.objects.filter(user_id=user.pk).delete()
    record_by(operator, Event.EMAIL_CHANGED, user_id=user.pk)
    notify_old_address(old_email, display_name, user, ClientInfo(), device_name(""))


def _record_and_notify(user: User, old_email: str, display_name: str, client: ClientInfo, device: str) -> None:
    """Record the event and send the notice, in the transaction that changes the address.

    Links and codes sent to the old address are deleted: a later change back must not make them valid again.
    """
    OneTimeCode.objects.filter(user_id=user.pk).delete()
    record(Event.EMAIL_CHANGED, client, user_id=user.pk)
    notify_old_address(old_email, display_name, user, client, device)


def notify_old_address(old_email: str, display_name: str, user: User, client: ClientInfo, device: str) -> None:
    """Queue the notice to the old address, in the caller's transaction: what changed, when, and from where.

    It has no link, as its reader may no longer be the account's owner. display_name is the one from before the change:
    that the new address is verified says nothing of the old one.
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
    """Return an address that its owner recognizes and that shows a stranger little: a***@example.com."""
    local, _, domain = email.rpartition("@")
    return f"{local[0]}***@{domain}"
