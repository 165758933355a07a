"""djangorestframework-simplejwt: rotation and its blacklist, as its documentation has them."""

from pathlib import Path
from typing import Any

from bench.system import Ask, Person
from bench.systems.django_rival import DjangoRival, make_people


class Simplejwt(DjangoRival):
    name = "simplejwt"
    title = "simplejwt 5.5.1"
    folder = Path(__file__).parent

    def sign_up(self, person: Person) -> Ask | None:
        return None  # it has no registration

    def make_people_command(self, python: Path, people: list[Person]) -> list[str] | None:
        return make_people(python, people)

    def login(self, person: Person) -> Ask:
        return Ask("POST", "/api/token/", {"username": person.email, "password": person.password})

    def refresh(self, person: Person) -> Ask:
        return Ask("POST", "/api/token/refresh/", {"refresh": person.refresh})

    def me(self, person: Person) -> Ask:
        return Ask("GET", "/api/me/", headers={"Authorization": f"Bearer {person.access}"})

    def store_tokens(self, person: Person, body: dict[str, Any], headers: dict[str, str]) -> None:
        person.access, person.refresh = body["access"], body["refresh"]


SYSTEM = Simplejwt()
