"""djangorestframework-simplejwt with rotation and blacklist, configured as its documentation recommends."""

from pathlib import Path
from typing import Any

from bench.adapter import Person, Request
from bench.systems.django_adapter import DjangoAdapter, make_people_command


class Simplejwt(DjangoAdapter):
    name = "simplejwt"
    title = "simplejwt 5.5.1"
    folder = Path(__file__).parent

    def sign_up(self, person: Person) -> Request | None:
        return None  # it has no registration

    def make_people_command(self, python: Path, people: list[Person]) -> list[str] | None:
        return make_people_command(python, people)

    def login(self, person: Person) -> Request:
        return Request("POST", "/api/token/", {"username": person.email, "password": person.password})

    def refresh(self, person: Person) -> Request:
        return Request("POST", "/api/token/refresh/", {"refresh": person.refresh})

    def me(self, person: Person) -> Request:
        return Request("GET", "/api/me/", headers={"Authorization": f"Bearer {person.access}"})

    def store_tokens(self, person: Person, body: dict[str, Any], headers: dict[str, str]) -> None:
        person.access, person.refresh = body["access"], body["refresh"]


SYSTEM = Simplejwt()
