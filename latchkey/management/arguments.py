"""What commands share: a host in a URL, the user of an address, and the confirmation that `--yes` answers.

Commands import these from here and not from each other, so that `latchkey mail` loads no web server.
"""

from django.core.exceptions import ImproperlyConfigured

from latchkey.accounts.models import User


def url_host(host: str) -> str:
    """Return a host as it is written in a URL: an IPv6 address in brackets (RFC 3986 section 3.2.2)."""
    return f"[{host}]" if ":" in host else host


def confirm(consequence: str, refusal: str) -> None:
    """Ask on the terminal before an action that cannot be undone; raise ImproperlyConfigured unless 'yes' is typed.

    The consequence is a sentence without its full stop. The refusal says what was not done. The end of the input, as
    in a script without a terminal, is a no.
    """
    try:
        answer = input(f"{consequence}. Type 'yes' to go on: ")
    except EOFError:
        answer = ""
    if answer.strip().lower() != "yes":
        raise ImproperlyConfigured(f"{refusal}; answer 'yes', or give --yes.")


def get_user(email: str) -> User:
    """Return the user with this e-mail address, in any spelling of it; raise ImproperlyConfigured if there is none."""
    try:
        return User.objects.get_by_natural_key(email)
    except User.DoesNotExist as error:
        raise ImproperlyConfigured(f"There is no user with the e-mail address {email!r}.") from error
