"""Environment variables, parsed strictly: an invalid value is an error with the variable's name, never a default.

Written by hand because django-environ reads mistakes such as 'maybe' as off (docs/decisions/0004).
"""

import re
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from latchkey.conf.urls import parse_allowed_host, parse_base_url, parse_endpoint, parse_origin

_ON, _OFF = ("on", "true", "yes", "1"), ("off", "false", "no", "0")
_HOST = re.compile(r"[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]")  # IPv6 as in a URL (RFC 3986 section 3.2.2)
_DOMAIN = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")
_PORT = re.compile("[0-9]{1,5}")
PREFIX, FILE_SUFFIX = "LATCHKEY_", "_FILE"
MAX_SECRET_BYTES = 65_536
"""Bytes of a file with a secret; a larger one is most likely another file."""

SIMILAR = 0.7
"""Similarity from which on a name counts as another one misspelt (difflib)."""


class Env:
    """Typed access to environment variables; the methods raise ImproperlyConfigured for values that they cannot parse.

    The variables are passed in, so that `settings.py` remains the only reader of the environment.
    """

    def __init__(self, variables: Mapping[str, str]) -> None:
        self.variables, self.known = variables, set[str]()

    def get_str(self, name: str, default: str) -> str:
        """Return the text of a variable, unchanged."""
        self.known.add(name)
        return self.variables.get(name, default)

    def get_secret(self, name: str, default: str) -> str:
        """Return a secret: the text of the variable, or of the file that NAME_FILE names; raises ImproperlyConfigured.

        One line break at the end of the file is left out. A file is for systemd credentials, Docker and Kubernetes, as
        the environment of a process is visible in more places.
        """
        path = self.get_str(f"{name}{FILE_SUFFIX}", "")
        if not path:
            return self.get_str(name, default)
        if self.get_str(name, ""):
            raise ImproperlyConfigured(f"{name} and {name}{FILE_SUFFIX} are both set; remove one of them.")
        return _read_secret(f"{name}{FILE_SUFFIX}", path)

    def get_secrets(self, name: str) -> list[str]:
        """Return secrets that are separated by commas, in a file also by line breaks; raises ImproperlyConfigured."""
        return [word.strip() for word in re.split("[,\n]", self.get_secret(name, "")) if word.strip()]

    def get_list(self, name: str, default: list[str]) -> list[str]:
        """Return the comma-separated words of a variable, without the spaces around them."""
        words = (word.strip() for word in self.get_str(name, "").split(","))
        return [word for word in words if word] or default

    def get_domains(self, name: str) -> list[str]:
        """Return comma-separated domain names in lower case; raises ImproperlyConfigured."""
        domains = [word.strip(".").lower() for word in self.get_list(name, [])]
        for domain in domains:
            if not _DOMAIN.fullmatch(domain):
                raise ImproperlyConfigured(f"{name} has {domain!r}; write domain names, such as 'local,test'.")
        return domains

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

    def get_url(self, name: str, default: str) -> str:
        """Return an http or https URL, normalized and without a slash at its end; raises ImproperlyConfigured."""
        text = self.get_str(name, "").strip() or default
        hint = "write a URL, such as 'https://auth.example.com'"
        return _parse(parse_base_url, name, text, "is", hint) if text else ""

    def get_endpoint(self, name: str) -> str:
        """Return the http or https URL of a collector, unchanged; raises ImproperlyConfigured."""
        text = self.get_str(name, "")
        return _parse(parse_endpoint, name, text, "is", "write a URL, such as 'http://127.0.0.1:4318'") if text else ""

    def get_origins(self, name: str) -> list[str]:
        """Return a comma-separated list of origins, normalized; raises ImproperlyConfigured."""
        hint = "write an origin: scheme, host and port, such as 'https://app.example.com'"
        return [_parse(parse_origin, name, text, "contains", hint) for text in self.get_list(name, [])]

    def get_hosts(self, name: str, default: list[str]) -> list[str]:
        """Return a comma-separated list of hosts for ALLOWED_HOSTS, normalized; raises ImproperlyConfigured."""
        hint = "write a host, such as 'auth.example.com', or '.example.com' for all its subdomains"
        return [_parse(parse_allowed_host, name, text, "contains", hint) for text in self.get_list(name, default)]

    def get_choice(self, name: str, *allowed: str) -> str:
        """Return one of the allowed words, by default the first; raises ImproperlyConfigured."""
        text = self.get_str(name, allowed[0])
        if text not in allowed:
            raise ImproperlyConfigured(f"{name} is {text!r}; it must be {' or '.join(map(repr, allowed))}.")
        return text

    def unknown_names(self) -> dict[str, str]:
        """Return the variables that look like ours and were not read, with the name that each may stand for, or ''."""
        names = {name.removeprefix(PREFIX): name for name in sorted(self.known)}
        ours = [name for name in names.values() if name.startswith(PREFIX)]
        found = {}
        for name in sorted({*self.variables} - self.known):
            if name.upper().startswith(PREFIX):
                near = get_close_matches(name.upper().removeprefix(PREFIX), names, n=1, cutoff=SIMILAR)
                found[name] = names[near[0]] if near else ""
            elif name[:1] in PREFIX[:1] and (near := get_close_matches(name, ours, n=1, cutoff=SIMILAR)):
                found[name] = near[0]
        return found


def _parse(parse: Callable[[str], str], name: str, text: str, verb: str, hint: str) -> str:
    """Return the parsed value; raises ImproperlyConfigured with one sentence, which repeats no password of a URL."""
    try:
        return parse(text)
    except ValueError as error:
        shown = repr(text) if "@" not in text else "a value with an '@'"
        raise ImproperlyConfigured(f"{name} {verb} {shown}; {hint}.") from error


def _read_secret(name: str, path: str) -> str:
    """Return the text of a file; raises ImproperlyConfigured, without a word of the text."""
    try:
        with Path(path).open("rb") as file:
            content = file.read(MAX_SECRET_BYTES + 1)
        text = content.decode().removesuffix("\n").removesuffix("\r")
    except OSError as error:
        raise ImproperlyConfigured(f"{name} names {path!r}, which cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError:
        raise ImproperlyConfigured(f"{name} names {path!r}, which is not UTF-8.") from None
    if not text or len(content) > MAX_SECRET_BYTES or "\0" in text:
        what = "has a NUL byte" if "\0" in text else f"is larger than {MAX_SECRET_BYTES} bytes" if text else "is empty"
        raise ImproperlyConfigured(f"{name} names {path!r}, which {what}.")
    return text
