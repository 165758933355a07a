"""The users of the tests, who are created through the public API."""

from dataclasses import dataclass, field
from typing import Any

import httpx

PASSWORD = "correct horse battery staple"


def try_register(http: httpx.Client, email: str = "alice@example.com", password: str = PASSWORD) -> httpx.Response:
    return http.post("/api/register/", json={"email": email, "password": password})


def try_login(http: httpx.Client, email: str = "alice@example.com", password: str = PASSWORD) -> httpx.Response:
    return http.post("/api/login/", json={"email": email, "password": password})


@dataclass
class Person:
    """A user with the tokens of the last response."""

    http: httpx.Client
    email: str
    password: str = PASSWORD
    id: int = 0
    access_token: str = ""
    refresh_token: str = ""
    spent: list[str] = field(default_factory=list)

    def register(self) -> "Person":
        answer = try_register(self.http, self.email, self.password)
        assert answer.status_code == 201, answer.text
        self.id = answer.json()["id"]
        return self

    def login(self) -> "Person":
        answer = try_login(self.http, self.email, self.password)
        assert answer.status_code == 200, answer.text
        return self._store_tokens(answer)

    def refresh(self) -> "Person":
        answer = self.try_refresh()
        assert answer.status_code == 200, answer.text
        self.spent.append(self.refresh_token)
        return self._store_tokens(answer)

    def try_refresh(self, token: str | None = None) -> httpx.Response:
        return self.http.post("/api/refresh/", json={"refresh_token": token or self.refresh_token})

    def logout(self, token: str | None = None) -> httpx.Response:
        return self.http.post("/api/logout/", json={"refresh_token": token or self.refresh_token})

    def me(self, token: str | None = None) -> httpx.Response:
        return self.http.get("/api/me/", headers=self.bearer(token))

    def bearer(self, token: str | None = None) -> dict[str, str]:
        return {"Authorization": f"Bearer {token or self.access_token}"}

    def _store_tokens(self, answer: httpx.Response) -> "Person":
        pair: dict[str, Any] = answer.json()
        self.access_token, self.refresh_token = pair["access_token"], pair["refresh_token"]
        return self
