"""Logins with wrong passwords."""

import httpx

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
