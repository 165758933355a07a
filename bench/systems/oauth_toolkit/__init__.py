"""django-oauth-toolkit: the password grant, and refresh tokens that rotate."""

from pathlib import Path
from typing import Any

from bench.adapter import Person, Request
from bench.systems.django_adapter import DjangoAdapter, make_people_command

CLIENT = "bench"


class OauthToolkit(DjangoAdapter):
    name = "oauth_toolkit"
    title = "django-oauth-toolkit 3.4.1"
    folder = Path(__file__).parent

    def setup_commands(self, python: Path) -> list[list[str]]:
        # A public client has no secret; the secret of a confidential client would be hashed at every refresh.
        register = ["createapplication", "public", "password", "--client-id", CLIENT]
        return [*super().setup_commands(python), [str(python), "-m", "django", *register]]

    def sign_up(self, person: Person) -> Request | None:
        return None  # it registers clients, but no users

    def make_people_command(self, python: Path, people: list[Person]) -> list[str] | None:
        return make_people_command(python, people)

    def login(self, person: Person) -> Request:
        return grant("password", username=person.email, password=person.password)

    def refresh(self, person: Person) -> Request:
        return grant("refresh_token", refresh_token=person.refresh)

    def me(self, person: Person) -> Request:
        return Request("GET", "/api/me/", headers={"Authorization": f"Bearer {person.access}"})

    def store_tokens(self, person: Person, body: dict[str, Any], headers: dict[str, str]) -> None:
        person.access, person.refresh = body["access_token"], body["refresh_token"]


def grant(kind: str, **fields: str) -> Request:
    return Request("POST", "/o/token/", {"grant_type": kind, "client_id": CLIENT, **fields}, form=True)


SYSTEM = OauthToolkit()
