"""The environment, read strictly: a value that means nothing is refused by name instead of taken for a default."""

import environ
from django.core.exceptions import ImproperlyConfigured

_ON, _OFF = ("on", "true", "yes", "1"), ("off", "false", "no", "0")


class Environment(environ.Env):  # type: ignore[misc]  # django-environ's types stop at its methods
    """django-environ, whose readers let nonsense pass or raise without saying which variable it was."""

    def switch(self, name: str, default: bool) -> bool:
        """Read on or off; raises ImproperlyConfigured."""
        text = self.str(name, "on" if default else "off").lower()
        if text not in (*_ON, *_OFF):
            raise ImproperlyConfigured(f"{name} is {text!r}; it must be 'on' or 'off'.")
        return text in _ON

    def count(self, name: str, default: int) -> int:
        """Read a whole number from 0 up; raises ImproperlyConfigured."""
        text: str = self.str(name, str(default))
        if not (text.isascii() and text.isdecimal()):
            raise ImproperlyConfigured(f"{name} is {text!r}; it must be a whole number.")
        return int(text)

    def choice(self, name: str, *allowed: str) -> str:
        """Read one of these words, the first by default; raises ImproperlyConfigured."""
        text: str = self.str(name, allowed[0])
        if text not in allowed:
            raise ImproperlyConfigured(f"{name} is {text!r}; it must be {' or '.join(map(repr, allowed))}.")
        return text
