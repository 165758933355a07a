"""What the bench knows of a system: how it is made, served, and spoken to."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Request:
    """One request; the body is sent as JSON, or as a form where `form` says so."""

    method: str
    path: str
    body: dict[str, Any] | None = None
    headers: dict[str, str] = field(default_factory=dict)
    form: bool = False


@dataclass
class Person:
    """Somebody who signs in, and what they hold: the tokens of the last answer."""

    email: str
    password: str
    access: str = ""
    refresh: str = ""
    extra: dict[str, str] = field(default_factory=dict)


class Adapter:
    """One sign-in service under test. Subclasses live in bench/systems/<name>/__init__.py as SYSTEM."""

    name: str = ""
    title: str = ""  # as the table says it
    folder: Path = Path()  # where its requirements.txt (or package.json) and its application are
    rotates: bool = True  # whether it has a refresh with a durable write
    refreshes: bool = True  # whether it has a refresh at all

    def environment(self, python: Path, port: int, database_url: str, cheap_hash: bool) -> dict[str, str]:
        """Return the variables its processes get, besides PATH, HOME and LANG."""
        raise NotImplementedError

    def setup_commands(self, python: Path) -> list[list[str]]:
        """Return the commands that make its tables, in order."""
        raise NotImplementedError

    def serve(self, python: Path, port: int) -> list[str]:
        """Return the command that serves with one worker of four threads on 127.0.0.1 in the foreground."""
        raise NotImplementedError

    def sign_up(self, person: Person) -> Request | None:
        """Return the request that makes the account; None where `prepare_people` does it."""
        raise NotImplementedError

    def make_people_command(self, python: Path, people: list[Person]) -> list[str] | None:
        """Return a command that makes all accounts, where the system has no door for it."""
        return None

    def login(self, person: Person) -> Request:
        raise NotImplementedError

    def refresh(self, person: Person) -> Request:
        raise NotImplementedError

    def me(self, person: Person) -> Request:
        raise NotImplementedError

    def store_tokens(self, person: Person, body: dict[str, Any], headers: dict[str, str]) -> None:
        """Take the tokens out of an answer to login or refresh into the person."""
        raise NotImplementedError
