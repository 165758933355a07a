"""Assertions for every recipe: live bearer tokens identify their user, all others get 401."""

import httpx

from tests.people import Person
from tests.server import Server
from tests.support.simultaneous import decode_claims

CLIENT_ID = "payments"
INVALID_AUTHORIZATIONS = ["", "Bearer", "Bearer x", "Bearer x.y.z", "Bearer x&token=y", "Basic YWxpY2U6c2VjcmV0"]


def get_hello(url: str, authorization: str, **headers: str) -> httpx.Response:
    sent = {"Authorization": authorization} if authorization else {}
    sent |= {name.replace("_", "-"): value for name, value in headers.items()} | headers
    return httpx.get(f"{url}/hello", headers=sent, timeout=10)


def assert_identity(person: Person, body: dict[str, str | bool | None], verified: bool = False) -> None:
    """Assert that the service received the right identity and no token."""
    sid = decode_claims(person.access_token)["sid"]
    known = {"user": str(person.id), "email": person.email, "session": sid, "authorization": None}
    known |= {"email_verified": verified, "roles": "", "client": "", "scope": ""}
    assert "user" in body
    assert body == {name: known[name] for name in body}


def assert_bearer_checks(url: str, server: Server) -> None:
    """Assert that only live access tokens are accepted, each as its user; stops Latchkey at the end."""
    with httpx.Client(base_url=server.url) as http:
        alice = Person(http, "alice@example.com").register().login()
        bob = Person(http, "bob@example.com").register().login()
        server.shell(f"User.objects.filter(pk={alice.id}).update(email_verified_at='2026-01-01T00:00Z')")
        for person in (alice, bob):
            for scheme in ("Bearer", "bearer"):
                answer = get_hello(
                    url,
                    f"{scheme} {person.access_token}",
                    X_User_Id="7",
                    X_Session_Id="7",
                    X_User_Email_Verified="true",
                    X_User_Roles="editor",
                    X_Client_Id="7",
                    X_Scope="reports:read",
                    Cookie="a=b",
                )
                assert answer.status_code == 200, answer.text
                assert_identity(person, answer.json(), verified=person is alice)
        for authorization in (
            *INVALID_AUTHORIZATIONS,
            f"Bearer {alice.refresh_token}",
            f"Bearer {alice.access_token}A",
        ):
            answer = get_hello(url, authorization, X_User_Id=str(alice.id))
            assert answer.status_code == 401, authorization
            assert answer.headers["WWW-Authenticate"].startswith("Bearer"), authorization
        bob.logout()
        assert get_hello(url, f"Bearer {bob.access_token}").status_code == 401
        assert get_hello(url, f"Bearer {alice.access_token}").status_code == 200
        server.kill()
        assert get_hello(url, f"Bearer {alice.access_token}").status_code in (502, 503)
