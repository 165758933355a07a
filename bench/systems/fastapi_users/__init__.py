"""fastapi-users with its JWT strategy, which has no refresh: a token is valid until it expires."""

from pathlib import Path
from typing import Any

from bench.adapter import Adapter, Person, Request

APP = Path(__file__).parent / "app"


class FastapiUsers(Adapter):
    name = "fastapi_users"
    title = "fastapi-users 15.0.5, JWT"
    folder = Path(__file__).parent
    rotates = False
    refreshes = False

    def environment(self, python: Path, port: int, database_url: str, cheap_hash: bool) -> dict[str, str]:
        return {
            "PYTHONPATH": str(APP),
            "DATABASE_URL": database_url,
            "BENCH_SECRET_KEY": "a key for the bench alone, longer than the hash that it keys, and not secret",
            "BENCH_CHEAP_HASH": "1" if cheap_hash else "0",
        }

    def setup_commands(self, python: Path) -> list[list[str]]:
        return [[str(python), "-m", "tables"]]

    def serve(self, python: Path, port: int) -> list[str]:
        # One worker is one event loop; it has no counterpart to the four threads of the other systems.
        command = [str(python), "-m", "granian", "--interface", "asgi", "--http", "1", "--no-ws", "--loop", "uvloop"]
        return [*command, "--workers", "1", "--port", str(port), f"{APP}/main.py:app"]

    def sign_up(self, person: Person) -> Request | None:
        return Request("POST", "/auth/register", {"email": person.email, "password": person.password})

    def login(self, person: Person) -> Request:
        return Request("POST", "/auth/jwt/login", {"username": person.email, "password": person.password}, form=True)

    def me(self, person: Person) -> Request:
        return Request("GET", "/users/me", headers={"Authorization": f"Bearer {person.access}"})

    def store_tokens(self, person: Person, body: dict[str, Any], headers: dict[str, str]) -> None:
        person.access = body["access_token"]


SYSTEM = FastapiUsers()
