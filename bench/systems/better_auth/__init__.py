"""Better Auth on Node.js: one session token that is not rotated, and is looked up at every request."""

from pathlib import Path
from typing import Any

from bench.adapter import Adapter, Person, Request


class BetterAuth(Adapter):
    name = "better_auth"
    title = "Better Auth 1.7.25 (node)"
    folder = Path(__file__).parent
    rotates = False
    refreshes = False

    def environment(self, python: Path, port: int, database_url: str, cheap_hash: bool) -> dict[str, str]:
        return {
            "NODE_ENV": "production",
            "BENCH_MODULES": str(python.parents[1] / "node_modules"),  # that directory has no Python
            "BENCH_PORT": str(port),
            "BETTER_AUTH_URL": f"http://127.0.0.1:{port}",
            "BETTER_AUTH_SECRET": "d4k9Zs7wQ2mX8vB1nL6rT3yH5jP0cF4gU7eA9iO2",  # for the bench alone
            "DATABASE_URL": database_url,
            "BENCH_CHEAP_HASH": "1" if cheap_hash else "0",
        }

    def setup_commands(self, python: Path) -> list[list[str]]:
        return [["node", str(self.folder / "app" / "migrate.mjs")]]

    def serve(self, python: Path, port: int) -> list[str]:
        return ["node", str(self.folder / "app" / "server.mjs")]

    def sign_up(self, person: Person) -> Request | None:
        body = {"email": person.email, "password": person.password, "name": "Alice"}
        return Request("POST", "/api/auth/sign-up/email", body)

    def login(self, person: Person) -> Request:
        return Request("POST", "/api/auth/sign-in/email", {"email": person.email, "password": person.password})

    def me(self, person: Person) -> Request:
        return Request("GET", "/api/auth/get-session", headers={"Authorization": f"Bearer {person.access}"})

    def store_tokens(self, person: Person, body: dict[str, Any], headers: dict[str, str]) -> None:
        person.access = headers["set-auth-token"]  # the signed form of the token in the body


SYSTEM = BetterAuth()
