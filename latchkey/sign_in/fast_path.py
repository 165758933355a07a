"""Fast handler of sign-in (web/fast_path.py), whose attempt is counted before it waits for hashing."""

from typing import Any, TypeGuard

from latchkey.accounts.models import EMAIL_MAX_LENGTH
from latchkey.core.client import client_info
from latchkey.core.exceptions import PASSWORD_MAX_LENGTH
from latchkey.rate_limits.attempts import withdraw
from latchkey.sessions.fast_path import pair_body
from latchkey.sign_in.login import charge_login, login
from latchkey.tokens.access_token import TokenPair
from latchkey.web.fast_path import Admission, Environ, FastHandler, read_json_object

CHARGE = "latchkey.charge"
"""Key in a WSGI environment: the attempt that was counted before the request waited for hashing."""


def parse_login(environ: Environ) -> tuple[str, str] | None:
    """Return the e-mail address and the password as LoginInput validates them, None where it might object."""
    body = read_json_object(environ)
    email, password = body.get("email"), body.get("password")
    if _is_plain(email, EMAIL_MAX_LENGTH) and _is_plain(password, PASSWORD_MAX_LENGTH):
        return email.strip(), password
    return None


def _is_plain(text: Any, max_length: int) -> TypeGuard[str]:
    """Tell whether any validation accepts this text: printable, not blank, not too long."""
    return isinstance(text, str) and text.isprintable() and bool(text.strip()) and len(text) <= max_length


def handle_login(credentials: tuple[str, str], environ: Environ) -> dict[str, Any]:
    """Do as LoginView does, with the attempt that admit_login has counted."""
    return pair_body(login_charged(credentials, environ))


def login_charged(credentials: tuple[str, str], environ: Environ) -> TokenPair:
    """Sign in by the attempt that admit_login has counted, or else by one that is counted now."""
    return login(*credentials, client_info(environ), environ.pop(CHARGE, None))


def admit_login(credentials: tuple[str, str], environ: Environ) -> None:
    """Count the sign-in before it waits for hashing; raises TooManyAttempts."""
    environ[CHARGE] = charge_login(credentials[0], client_info(environ))


def withdraw_login(environ: Environ) -> None:
    """Take a sign-in back that found no place in the queue: neither a failure nor a success."""
    if charged := environ.pop(CHARGE, None):
        withdraw(charged)


LOGIN = FastHandler(parse_login, handle_login, admission=Admission(admit_login, withdraw_login))
