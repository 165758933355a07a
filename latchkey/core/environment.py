"""The environment, read strictly: a value that means nothing is refused by name instead of taken for a default."""

from collections.abc import Mapping

from django.core.exceptions import ImproperlyConfigured

_ON, _OFF = ("on", "true", "yes", "1"), ("off", "false", "no", "0")


class Environment:
    """Readers for the kinds of values that there are; each takes a default, or what is allowed."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self.variables = variables

    def text(self, name: str, default: str) -> str:
        """Read text as it stands."""
        return self.variables.get(name, default)

    def words(self, name: str, default: list[str]) -> list[str]:
        """Read words between commas, with or without spaces."""
        words = (word.strip() for word in self.variables.get(name, "").split(","))
        return [word for word in words if word] or default

    def switch(self, name: str, default: bool) -> bool:
        """Read on or off; raises ImproperlyConfigured."""
        text = self.text(name, "on" if default else "off").lower()
        if text not in (*_ON, *_OFF):
            raise ImproperlyConfigured(f"{name} is {text!r}; it must be 'on' or 'off'.")
        return text in _ON

    def count(self, name: str, default: int) -> int:
        """Read a whole number from 0 up; raises ImproperlyConfigured."""
        text = self.text(name, str(default))
        if not (text.isascii() and text.isdecimal() and len(text) < 100):
            raise ImproperlyConfigured(f"{name} is {text!r}; it must be a whole number.")
        return int(text)

    def choice(self, name: str, *allowed: str) -> str:
        """Read one of these words, the first by default; raises ImproperlyConfigured."""
        text = self.text(name, allowed[0])
        if text not in allowed:
            raise ImproperlyConfigured(f"{name} is {text!r}; it must be {' or '.join(map(repr, allowed))}.")
        return text
