"""Logins with wrong passwords."""

from dataclasses import replace
from datetime import timedelta

import httpx
import time_machine

from tests.fixtures.clients import ClientFactory
from tests.people import Person

WRONG_PASSWORD = "not the password"


def try_password(person: Person, password: str = WRONG_PASSWORD, email: str | None = None) -> httpx.Response:
    """Try to log in."""
    return person.http.post("/api/login/", json={"email": email or person.email, "password": password})


def fail_logins(person: Person, times: int, email: str | None = None) -> None:
    """Log in with a wrong password this many times in a row; every attempt must reach the password check."""
    for _ in range(times):
        answer = try_password(person, email=email)
        assert answer.status_code == 401, answer.text


def lock_out(
    person: Person, from_address: ClientFactory, clock: time_machine.Traveller, email: str | None = None
) -> None:
    """Guess 100 times in a row, from 100 addresses, as fast as the limits allow."""
    for guess in range(100):
        place = replace(person, http=from_address(f"198.51.100.{guess}"))
        assert try_password(place, email=email).status_code == 401
        clock.shift(timedelta(hours=1))
