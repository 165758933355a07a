"""django-allauth, headless, for an app client with its JWT strategy."""

from pathlib import Path
from typing import Any

from bench.adapter import Person, Request
from bench.systems.django_adapter import DjangoAdapter

API_ROOT = "/_allauth/app/v1"


class Allauth(DjangoAdapter):
    name = "allauth"
    title = "django-allauth 65.21.1, headless JWT"
    folder = Path(__file__).parent

    def sign_up(self, person: Person) -> Request | None:
        return Request("POST", f"{API_ROOT}/auth/signup", {"email": person.email, "password": person.password})

    def login(self, person: Person) -> Request:
        return Request("POST", f"{API_ROOT}/auth/login", {"email": person.email, "password": person.password})

    def refresh(self, person: Person) -> Request:
        return Request("POST", f"{API_ROOT}/tokens/refresh", {"refresh_token": person.refresh})

    def me(self, person: Person) -> Request:
        return Request("GET", "/api/me/", headers={"Authorization": f"Bearer {person.access}"})

    def store_tokens(self, person: Person, body: dict[str, Any], headers: dict[str, str]) -> None:
        tokens = body["meta"] if "meta" in body else body["data"]  # the first is login's, the second refresh's
        person.access, person.refresh = tokens["access_token"], tokens["refresh_token"]


SYSTEM = Allauth()
