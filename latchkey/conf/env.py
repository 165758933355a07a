"""Environment variables, parsed strictly: an invalid value is an error with the variable's name, never a default.

Written by hand because django-environ reads mistakes such as 'maybe' as off (docs/decisions/0004).
"""

import re
from collections.abc import Mapping

from django.core.exceptions import ImproperlyConfigured

_ON, _OFF = ("on", "true", "yes", "1"), ("off", "false", "no", "0")
_HOST = re.compile(r"[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]")  # IPv6 as in a URL (RFC 3986 section 3.2.2)
_PORT = re.compile("[0-9]{1,5}")


class Env:
    """Typed access to environment variables; the methods raise ImproperlyConfigured for values that they cannot parse.

    The variables are passed in, so that `settings.py` remains the only reader of the environment.
    """

    def __init__(self, variables: Mapping[str, str]) -> None:
        self.variables = variables

    def get_str(self, name: str, default: str) -> str:
        """Return the text of a variable, unchanged."""
        return self.variables.get(name, default)

    def get_list(self, name: str, default: list[str]) -> list[str]:
        """Return the comma-separated words of a variable, without the spaces around them."""
        words = (word.strip() for word in self.variables.get(name, "").split(","))
        return [word for word in words if word] or default

    def get_bool(self, name: str, default: bool) -> bool:
        """Return a switch: on, true, yes, 1, or off, false, no, 0; raises ImproperlyConfigured."""
        text = self.get_str(name, "on" if default else "off").lower()
        if text not in (*_ON, *_OFF):
            raise ImproperlyConfigured(f"{name} is {text!r}; it must be 'on' or 'off'.")
        return text in _ON

    def get_int(self, name: str, default: int) -> int:
        """Return an integer of 0 or more; raises ImproperlyConfigured."""
        text = self.get_str(name, str(default))
        if not (text.isascii() and text.isdecimal() and len(text) < 100):
            raise ImproperlyConfigured(f"{name} is {text!r}; it must be a whole number.")
        return int(text)

    def get_host_port(self, name: str) -> tuple[str, int] | None:
        """Return a host and a port, None if the variable is empty; raises ImproperlyConfigured."""
        text = self.get_str(name, "")
        host, _, port = text.rpartition(":")
        if text and not (_HOST.fullmatch(host) and _PORT.fullmatch(port) and 0 < int(port) < 2**16):
            raise ImproperlyConfigured(f"{name} is {text!r}; write a host and a port, such as '127.0.0.1:9100'.")
        return (host.strip("[]"), int(port)) if text else None

    def get_choice(self, name: str, *allowed: str) -> str:
        """Return one of the allowed words, by default the first; raises ImproperlyConfigured."""
        text = self.get_str(name, allowed[0])
        if text not in allowed:
            raise ImproperlyConfigured(f"{name} is {text!r}; it must be {' or '.join(map(repr, allowed))}.")
        return text
