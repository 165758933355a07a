"""Adapter of a described server: fills in the templates of its requests, and finds the tokens in its answers."""

import re
from typing import Any
from urllib.parse import quote

from bench.adapter import Adapter, Person, Request
from bench.beside.description import RequestTable, ServerTable
from bench.server import BenchmarkError

COOKIE = "cookie:"


class DescribedSystem(Adapter):
    """A server out of a file; it is running already, so it has no command and no environment."""

    unique_access_tokens = False  # two of the same second are equal where they have no id of their own

    def __init__(self, table: ServerTable) -> None:
        self.table = table
        self.name = self.title = table.name
        self.rotates, self.refreshes = table.rotates, table.refresh is not None

    def sign_up(self, person: Person) -> Request | None:
        return self.fill(self.table.register_request, person) if self.table.register_request else None

    def login(self, person: Person) -> Request:
        return self.fill(self.table.login, person)

    def refresh(self, person: Person) -> Request:
        assert self.table.refresh is not None
        return self.fill(self.table.refresh, person)

    def me(self, person: Person) -> Request:
        assert self.table.me is not None
        return self.fill(self.table.me, person)

    def text_of_me(self, person: Person) -> str:
        assert self.table.me is not None
        return str(fill_text(self.table.me.contains, placeholders(person)))

    def store_tokens(self, person: Person, body: Any, headers: dict[str, str]) -> None:
        tokens = self.table.tokens
        person.access = find_token("access_token", tokens.access_token, body, headers)
        if tokens.refresh_token is not None:
            person.refresh = find_token("refresh_token", tokens.refresh_token, body, headers)

    def fill(self, table: RequestTable, person: Person) -> Request:
        """Return the request of a template for this user."""
        values = placeholders(person)
        headers = {"Host": self.table.host} | self.table.headers | table.headers
        path = fill_text(table.path, {name: quote(value, safe="") for name, value in values.items()})
        return Request(
            table.method,
            f"{self.table.prefix}{path}",
            fill_text(table.form if table.json_body is None else table.json_body, values),
            fill_text(headers, values),
            form=table.form is not None,
        )


def placeholders(person: Person) -> dict[str, str]:
    return {
        "{email}": person.email,
        "{password}": person.password,
        "{access_token}": person.access,
        "{refresh_token}": person.refresh,
    }


def fill_text(template: Any, values: dict[str, str]) -> Any:
    """Replace the placeholders in a text, and in the texts of a table or array; other values stay."""
    if isinstance(template, str):
        if "{" in template:
            for name, value in values.items():
                template = template.replace(name, value)
        return template
    if isinstance(template, dict):
        return {key: fill_text(part, values) for key, part in template.items()}
    if isinstance(template, list):
        return [fill_text(part, values) for part in template]
    return template


def find_token(key: str, place: str, body: Any, headers: dict[str, str]) -> str:
    """Return the token at a dotted path of the body, or of a cookie; raise BenchmarkError if it is not there."""
    if place.startswith(COOKIE):
        pattern = rf"(?:^|, ){re.escape(place.removeprefix(COOKIE))}=([^;,]*)"  # Set-Cookie headers, joined by commas
        found = re.search(pattern, headers.get("set-cookie", ""))
        value = found[1].strip('"') if found else None
    else:
        value = body
        for part in place.split("."):
            if isinstance(value, list) and part.isdigit() and int(part) < len(value):
                value = value[int(part)]
            else:
                value = value.get(part) if isinstance(value, dict) else None
    if not isinstance(value, str) or not value:
        raise BenchmarkError(f"tokens.{key}: an answer has no token at {place!r}")
    return value
