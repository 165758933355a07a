"""The measured endpoints: how to build a request, and how to check its response."""

from collections.abc import Callable
from dataclasses import dataclass

from bench.adapter import Adapter, Person, Request
from bench.http_client import Response


@dataclass(frozen=True)
class Endpoint:
    """One kind of request; `check_response` stores its tokens and returns an error, or an empty string."""

    name: str
    build_request: Callable[[Person], Request]
    check_response: Callable[[Person, Response], str]


def baseline(name: str, ask: Request, right: bytes) -> Endpoint:
    """Return an endpoint whose response is always the same."""
    return Endpoint(name, lambda person: ask, lambda person, answer: "" if answer.body == right else describe(answer))


def me(system: Adapter) -> Endpoint:
    def take(person: Person, answer: Response) -> str:
        return "" if answer.ok and system.text_of_me(person).encode() in answer.body else describe(answer)

    return Endpoint("me", system.me, take)


def login(system: Adapter, name: str = "login") -> Endpoint:
    return Endpoint(name, system.login, token_checker(system, set()))


def refresh(system: Adapter) -> Endpoint:
    return Endpoint("refresh", system.refresh, token_checker(system, set()))


def token_checker(system: Adapter, seen: set[str]) -> Callable[[Person, Response], str]:
    """Return a check that stores the tokens of a response, and reports a token that was returned before."""

    def take(person: Person, answer: Response) -> str:
        if not answer.ok:
            return describe(answer)
        access, refresh = person.access, person.refresh
        system.store_tokens(person, answer.json(), answer.headers)
        if not system.rotates:
            return "" if person.access else "no access token"
        if not person.access or (system.unique_access_tokens and (person.access == access or person.access in seen)):
            return "an access token that is not new"
        if not person.refresh or person.refresh == refresh or person.refresh in seen:
            return "a refresh token that is not new"
        seen.update((person.access, person.refresh))
        return ""

    return take


def describe(answer: Response) -> str:
    return f"{answer.status} {answer.body[:200].decode(errors='replace')}"
