"""What commands share: a host in a URL, and the confirmation that `--yes` answers beforehand.

Commands import these from here and not from each other, so that `latchkey mail` loads no web server.
"""

from django.core.exceptions import ImproperlyConfigured


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
