"""Adapter of a system under test: how to install, serve and call it."""

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
    """A user of the system, with the tokens of the last response."""

    email: str
    password: str
    access: str = ""
    refresh: str = ""
    extra: dict[str, str] = field(default_factory=dict)


class Adapter:
    """One sign-in service under test. Subclasses live in bench/systems/<name>/__init__.py as SYSTEM."""

    name: str = ""
    title: str = ""  # heading of its column
    folder: Path = Path()  # directory of its requirements.txt (or package.json) and its application
    rotates: bool = True  # whether a refresh rotates the token, with a durable write
    refreshes: bool = True  # whether there is a refresh at all
    unique_access_tokens: bool = True  # whether two access tokens of one session always differ

    def environment(self, python: Path, port: int, database_url: str, cheap_hash: bool) -> dict[str, str]:
        """Return the environment variables of its processes, without PATH, HOME and LANG."""
        raise NotImplementedError

    def setup_commands(self, python: Path) -> list[list[str]]:
        """Return the commands that create its tables, in order."""
        raise NotImplementedError

    def serve(self, python: Path, port: int) -> list[str]:
        """Return the command that serves on 127.0.0.1 in the foreground, with one worker of four threads."""
        raise NotImplementedError

    def sign_up(self, person: Person) -> Request | None:
        """Return the request that creates the account; None if `make_people_command` does it."""
        raise NotImplementedError

    def make_people_command(self, python: Path, people: list[Person]) -> list[str] | None:
        """Return a command that creates all accounts, for a system without an endpoint for it."""
        return None

    def login(self, person: Person) -> Request:
        """Return the request that signs in."""
        raise NotImplementedError

    def refresh(self, person: Person) -> Request:
        """Return the request that refreshes the tokens."""
        raise NotImplementedError

    def me(self, person: Person) -> Request:
        """Return the request for the user's own record, with the access token."""
        raise NotImplementedError

    def text_of_me(self, person: Person) -> str:
        """Return a text that the right answer to `me` contains."""
        return person.email

    def store_tokens(self, person: Person, body: dict[str, Any], headers: dict[str, str]) -> None:
        """Store the tokens of a response to login or refresh in the person."""
        raise NotImplementedError
