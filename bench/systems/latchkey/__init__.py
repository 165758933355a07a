"""Latchkey in production mode; the rate limits per IP address are raised, as all load comes from one address."""

from pathlib import Path
from typing import Any

from bench.adapter import Adapter, Person, Request

ROOT = Path(__file__).resolve().parents[3]
MAX_SETTING = "100000"


class Latchkey(Adapter):
    name = "latchkey"
    title = "Latchkey"
    folder = Path(__file__).parent

    def environment(self, python: Path, port: int, database_url: str, cheap_hash: bool) -> dict[str, str]:
        return {
            "LATCHKEY_MODE": "production",
            "LATCHKEY_SECRET_KEY": "for the bench alone: nobody else should take this key, 0123456789",
            "LATCHKEY_PUBLIC_URL": "https://auth.example.com",
            "LATCHKEY_ALLOWED_HOSTS": "127.0.0.1",
            "DATABASE_URL": database_url,
            "PYTHONPATH": str(ROOT),
            "DJANGO_SETTINGS_MODULE": "bench.systems.latchkey.cheap_hash" if cheap_hash else "latchkey.settings",
        }

    def setup_commands(self, python: Path) -> list[list[str]]:
        limits = ("FAILURES_PER_ADDRESS", "REGISTRATIONS_PER_ADDRESS")
        command = str(python.with_name("latchkey"))
        return [
            [command, "migrate", "--verbosity", "0"],
            *([command, "constance", "set", limit, MAX_SETTING] for limit in limits),
        ]

    def serve(self, python: Path, port: int, workers: int = 1) -> list[str]:
        command = [str(python.with_name("latchkey")), "serve", "--port", str(port)]
        return [*command, "--workers", str(workers), "--threads", "4"]

    def sign_up(self, person: Person) -> Request | None:
        return Request("POST", "/api/register/", {"email": person.email, "password": person.password})

    def login(self, person: Person) -> Request:
        return Request("POST", "/api/login/", {"email": person.email, "password": person.password})

    def refresh(self, person: Person) -> Request:
        return Request("POST", "/api/refresh/", {"refresh_token": person.refresh})

    def me(self, person: Person) -> Request:
        return Request("GET", "/api/me/", headers={"Authorization": f"Bearer {person.access}"})

    def store_tokens(self, person: Person, body: dict[str, Any], headers: dict[str, str]) -> None:
        person.access, person.refresh = body["access_token"], body["refresh_token"]


SYSTEM = Latchkey()
