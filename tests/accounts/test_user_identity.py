"""User identity: the user id is stable, whatever becomes of the e-mail address and the display name."""

from typing import Any

import jwt
import pytest

from latchkey.accounts.models import User
from latchkey.sessions.models import Session
from tests.people import PASSWORD, Person
from tests.problems import assert_problem


def decode_claims(person: Person) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(person.access_token, options={"verify_signature": False})
    return claims


@pytest.mark.ledger("ASVS-10.3.3", "REG-ALLAUTH-02")
def test_tokens_stay_with_their_user_when_another_user_takes_the_email_address(alice: Person) -> None:
    address = alice.email
    user = User.objects.get(pk=alice.id)
    user.email = "alice@example.org"
    user.save()
    heir = Person(alice.http, address, "another long password").register().login()
    assert heir.id != alice.id
    assert alice.me().json() == {"id": alice.id, "username": "", "email": "alice@example.org"}
    assert alice.refresh().me().json()["id"] == alice.id
    assert heir.me().json() == {"id": heir.id, "username": "", "email": address}


@pytest.mark.ledger("RFC9700-4.15", "REG-KEYCLOAK-12")
def test_display_name_equal_to_another_users_email_or_id_gives_no_access(alice: Person, bob: Person) -> None:
    for name in (alice.email, str(alice.id), f" {alice.email} "):
        bob.http.put("/api/me/", json={"username": name, "sub": str(alice.id)}, headers=bob.bearer())
        bob.login()
        assert (decode_claims(bob)["sub"], decode_claims(bob)["user_id"]) == (str(bob.id), bob.id)
        assert bob.me().json()["email"] == bob.email
    bob.password = "a password of bob alone"
    user = User.objects.get(pk=bob.id)
    user.set_password(bob.password)
    user.save()
    answer = alice.http.post("/api/login/", json={"email": alice.email, "password": bob.password})
    assert_problem(answer, 401, "invalid_credentials")
    assert decode_claims(alice.login())["user_id"] == alice.id


@pytest.mark.ledger("REG-ZITADEL-12")
def test_user_id_of_a_deleted_account_is_never_reused(alice: Person, bob: Person) -> None:
    highest = bob.id
    User.objects.get(pk=bob.id).delete()
    again = Person(alice.http, bob.email).register()
    assert again.id > highest
    User.objects.all().delete()
    assert Person(alice.http, bob.email).register().id > again.id


@pytest.mark.ledger("REG-KEYCLOAK-09")
def test_session_id_of_an_ended_session_is_never_reused(alice: Person) -> None:
    session_ids, tokens = [decode_claims(alice)["sid"]], [alice.refresh_token]
    for _ in range(5):
        alice.logout()
        alice.login()
        session_ids.append(decode_claims(alice)["sid"])
        tokens.append(alice.refresh_token)
    assert len(set(session_ids)) == len(set(tokens)) == 6
    assert Session.objects.count() == 1
    for token in tokens[:-1]:
        assert_problem(alice.try_refresh(token), 401, "invalid_refresh_token")


@pytest.mark.ledger("ASVS-6.3.2")
def test_new_installation_has_no_default_accounts(http: Any) -> None:
    from latchkey.management.commands.demo import EMAIL
    from latchkey.management.commands.demo import PASSWORD as DEMO_PASSWORD

    assert not User.objects.exists()
    names = ["admin@example.com", "root@example.com", "demo@example.com", "user@example.com", EMAIL]
    for name in names:
        for password in ("admin", "password", "root", "demo", "changeme", "latchkey", DEMO_PASSWORD):
            answer = http.post("/api/login/", json={"email": name, "password": password})
            assert_problem(answer, 401, "invalid_credentials")
    assert Person(http, names[0], PASSWORD).register().login().me().status_code == 200
