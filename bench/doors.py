"""What is asked of a system again and again, and what counts as a right answer."""

from collections.abc import Callable
from dataclasses import dataclass

from bench.system import Ask, Person, System
from bench.wire import Answer


@dataclass(frozen=True)
class Door:
    """One kind of request. `take` keeps what an answer brought, and says what is wrong with it, if anything."""

    name: str
    ask: Callable[[Person], Ask]
    take: Callable[[Person, Answer], str]


def of_limit(name: str, ask: Ask, right: bytes) -> Door:
    """Return the door of something that gives one answer to all."""
    return Door(name, lambda person: ask, lambda person, answer: "" if answer.body == right else said(answer))


def me(system: System) -> Door:
    def take(person: Person, answer: Answer) -> str:
        return "" if answer.status == 200 and person.email.encode() in answer.body else said(answer)

    return Door("me", system.me, take)


def login(system: System, name: str = "login") -> Door:
    return Door(name, system.login, tokens_of(system, set()))


def refresh(system: System) -> Door:
    return Door("refresh", system.refresh, tokens_of(system, set()))


def tokens_of(system: System, seen: set[str]) -> Callable[[Person, Answer], str]:
    """Return what keeps the tokens of an answer, and counts as wrong any that anybody has had before."""

    def take(person: Person, answer: Answer) -> str:
        if answer.status != 200:
            return said(answer)
        access, refresh = person.access, person.refresh
        system.keep(person, answer.json(), answer.headers)
        if not system.rotates:
            return "" if person.access else "no access token"
        if not person.access or person.access == access or person.access in seen:
            return "an access token that is not new"
        if not person.refresh or person.refresh == refresh or person.refresh in seen:
            return "a refresh token that is not new"
        seen.update((person.access, person.refresh))
        return ""

    return take


def said(answer: Answer) -> str:
    return f"{answer.status} {answer.body[:200].decode(errors='replace')}"
