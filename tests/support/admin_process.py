"""The program of the operator process, run in `latchkey shell`.

It reads one command a line on stdin and writes one JSON answer a line on stderr.
"""

import json
import sys
import traceback
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import Any

from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.core.management import call_command

from latchkey.accounts.admin_actions import deactivate, reactivate, sign_out_everywhere
from latchkey.accounts.models import User
from latchkey.api_keys.manage import KeySpec, create_application_key
from latchkey.applications.models import Application
from latchkey.audit.log import COMMAND_LINE
from latchkey.authorization.models import READ_USERS, WRITE_USERS, Scope
from latchkey.core import clock
from latchkey.factors.models import RecoveryCode, TotpSecret
from latchkey.passkeys.models import Passkey
from latchkey.sessions.models import Session
from tests.outbox import last_code_mail

pending_users: dict[int, User] = {}


def delete(user_id: int) -> int:
    """Delete a user as the admin does."""
    return User.objects.get(pk=user_id).delete()[0]


def make_superusers(*user_ids: int) -> None:
    """Make exactly these users superusers."""
    User.objects.filter(is_superuser=True).update(is_superuser=False)
    User.objects.filter(pk__in=user_ids).update(is_superuser=True)


def hash_password(user_id: int, password: str, imported: bool = False) -> None:
    """Hash a new password without saving it; an imported one has an older format, which is slower to verify."""
    pending_users[user_id] = User.objects.get(pk=user_id)
    pending_users[user_id].set_password(password)
    if imported:
        pending_users[user_id].password = PBKDF2PasswordHasher().encode(password, "salt of the import", 400_000)


def save_password(user_id: int) -> None:
    pending_users.pop(user_id).save()


def sessions(user_id: int) -> list[str]:
    """Return the ids of all session rows of a user, live or not."""
    return [str(pk) for pk in Session.objects.filter(user_id=user_id).values_list("pk", flat=True)]


def users(email: str) -> int:
    return User.objects.filter(email__iexact=email).count()


def recovery_codes(user_id: int) -> int:
    """Return how many recovery codes a user has left."""
    return RecoveryCode.objects.filter(user_id=user_id).count()


def factors(user_id: int) -> list[int]:
    """Return how many second factors a user has, as the user's row says, and as there are."""
    apps = TotpSecret.objects.filter(user_id=user_id, confirmed_at__isnull=False).count()
    held = apps + Passkey.objects.filter(user_id=user_id).count()
    return [User.objects.get(pk=user_id).second_factors, held]


def proofs(user_id: int) -> list[int]:
    """Return what the sessions of a user have proved, the oldest first."""
    return list(Session.objects.filter(user_id=user_id).order_by("created_at").values_list("proof", flat=True))


def let_expire(session_id: str, milliseconds: float) -> int:
    """Let a session expire this many milliseconds from now."""
    ends = clock.now() + timedelta(milliseconds=milliseconds)
    return Session.objects.filter(pk=int(session_id)).update(expires_at=ends)


def mail_to(email: str) -> dict[str, str]:
    """Return the token and the code of the newest mail to an address."""
    return {"token": last_code_mail(email).token, "code": last_code_mail(email).code}


def application_key(client_id: str) -> str:
    """Return a key of an application that may change users, which is created where there is none."""
    application, _ = Application.objects.get_or_create(client_id=client_id, defaults={"name": client_id})
    application.scopes.add(*Scope.objects.filter(name__in=[READ_USERS, WRITE_USERS]))
    return create_application_key(client_id, KeySpec("race", [READ_USERS, WRITE_USERS], 1), COMMAND_LINE).key


def prune() -> None:
    call_command("prune", stdout=StringIO(), stderr=StringIO())


COMMANDS: dict[str, Callable[..., Any]] = {
    "deactivate": lambda user_id: deactivate([user_id]),
    "reactivate": lambda user_id: reactivate([user_id]),
    "sign_out_everywhere": lambda user_id: sign_out_everywhere([user_id]),
    **{
        verb.__name__: verb
        for verb in (
            *(delete, make_superusers, hash_password, save_password, sessions, users, let_expire, prune, mail_to),
            *(recovery_codes, factors, proofs, application_key),
        )
    },
}

for line in sys.stdin:
    name, *arguments = json.loads(line)
    try:
        answer = {"answer": COMMANDS[name](*arguments)}
    except Exception:  # whatever it is, the test shows it
        answer = {"failed": traceback.format_exc()}
    print(json.dumps(answer), file=sys.stderr, flush=True)
