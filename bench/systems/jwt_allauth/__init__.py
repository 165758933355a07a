"""django-jwt-allauth: tokens of simplejwt, accounts of allauth, and an allow-list of refresh tokens."""

from pathlib import Path
from typing import Any

from bench.adapter import Person, Request
from bench.systems.django_adapter import DjangoAdapter


class JwtAllauth(DjangoAdapter):
    name = "jwt_allauth"
    title = "django-jwt-allauth 1.5.1"
    folder = Path(__file__).parent

    def setup_commands(self, python: Path) -> list[list[str]]:
        # The package ships no migrations; its documentation tells each project to create them.
        return [[str(python), "-m", "django", "makemigrations", "jwt_allauth"], *super().setup_commands(python)]

    def sign_up(self, person: Person) -> Request | None:
        names = {"first_name": "Alice", "last_name": "Example"}  # it asks for both
        passwords = {"password1": person.password, "password2": person.password}
        return Request("POST", "/jwt-allauth/registration/", {"email": person.email, **passwords, **names})

    def login(self, person: Person) -> Request:
        return Request("POST", "/jwt-allauth/login/", {"email": person.email, "password": person.password})

    def refresh(self, person: Person) -> Request:
        return Request("POST", "/jwt-allauth/refresh/", {"refresh": person.refresh})

    def me(self, person: Person) -> Request:
        return Request("GET", "/jwt-allauth/user/", headers={"Authorization": f"Bearer {person.access}"})

    def store_tokens(self, person: Person, body: dict[str, Any], headers: dict[str, str]) -> None:
        person.access, person.refresh = body["access"], body["refresh"]


SYSTEM = JwtAllauth()
