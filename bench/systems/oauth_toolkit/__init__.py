"""django-oauth-toolkit: the password grant, and refresh tokens that rotate."""

from pathlib import Path
from typing import Any

from bench.system import Ask, Person
from bench.systems.django_rival import DjangoRival, make_people

CLIENT = "bench"


class OauthToolkit(DjangoRival):
    name = "oauth_toolkit"
    title = "django-oauth-toolkit 3.4.1"
    folder = Path(__file__).parent

    def setup_commands(self, python: Path) -> list[list[str]]:
        # A public client has no secret; that of a confidential one would be hashed anew at every refresh.
        register = ["createapplication", "public", "password", "--client-id", CLIENT]
        return [*super().prepare(python), [str(python), "-m", "django", *register]]

    def sign_up(self, person: Person) -> Ask | None:
        return None  # it has no registration of people, only of clients

    def make_people_command(self, python: Path, people: list[Person]) -> list[str] | None:
        return make_people(python, people)

    def login(self, person: Person) -> Ask:
        return grant("password", username=person.email, password=person.password)

    def refresh(self, person: Person) -> Ask:
        return grant("refresh_token", refresh_token=person.refresh)

    def me(self, person: Person) -> Ask:
        return Ask("GET", "/api/me/", headers={"Authorization": f"Bearer {person.access}"})

    def store_tokens(self, person: Person, body: dict[str, Any], headers: dict[str, str]) -> None:
        person.access, person.refresh = body["access_token"], body["refresh_token"]


def grant(kind: str, **fields: str) -> Ask:
    return Ask("POST", "/o/token/", {"grant_type": kind, "client_id": CLIENT, **fields}, form=True)


SYSTEM = OauthToolkit()
