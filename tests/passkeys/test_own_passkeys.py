"""/api/me/passkeys/: add, list, rename and remove one's own passkeys, and what each does to sessions and events."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
import time_machine

from latchkey.accounts.models import User
from latchkey.audit.models import AuditEvent
from latchkey.factors.models import RecoveryCode
from latchkey.passkeys.models import MAX_PASSKEYS, Passkey
from tests.passkeys.requests import add, list_passkeys, try_add, try_options
from tests.people import Person
from tests.problems import assert_problem
from tests.support.software_authenticator import USER_PRESENT, SoftwareAuthenticator, decode

SetPolicy = Callable[..., None]


def events(name: str) -> list[str]:
    return list(AuditEvent.objects.filter(name=name).order_by("id").values_list("detail", flat=True))


def test_options_name_the_site_the_account_and_a_random_user_handle_that_stays(alice: Person) -> None:
    first, second = try_options(alice).json(), try_options(alice).json()
    assert sorted(first) == ["expires_in", "options", "ticket"]
    assert first["expires_in"] == 300
    user = first["options"]["user"]
    assert user["name"] == "alice@example.com"
    assert len(decode(user["id"])) == 32
    assert second["options"]["user"] == user
    assert bytes(User.objects.get().user_handle or b"") == decode(user["id"])
    assert len({one["options"]["challenge"] for one in (first, second)}) == 2
    assert len(decode(first["options"]["challenge"])) == 32


def test_allauth_4058_rp_id_is_that_of_the_settings_whatever_the_host_header(alice: Person, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    answer = alice.http.post(
        "/api/me/passkeys/options/",
        headers={**alice.bearer(), "Host": "evil.example", "Origin": "https://evil.example"},
    )
    assert answer.json()["options"]["rp"]["id"] == "localhost"


def test_first_passkey_is_added_with_recovery_codes_and_the_second_without(
    alice: Person, phone: SoftwareAuthenticator
) -> None:
    added = add(alice, phone, "Phone")
    assert added["passkey"] == list_passkeys(alice)[0]
    assert (added["passkey"]["name"], added["passkey"]["replaces_password"], added["passkey"]["rp_id"]) == (
        "Phone",
        True,
        "localhost",
    )
    assert len(added["recovery_codes"]) == 10
    assert add(alice, SoftwareAuthenticator(), "Laptop")["recovery_codes"] == []
    assert [one["name"] for one in list_passkeys(alice)] == ["Phone", "Laptop"]
    assert User.objects.get().second_factors == 2
    assert events("factor.added") == ["passkey", "passkey"]


def test_list_of_factors_has_the_passkeys(alice: Person, phone: SoftwareAuthenticator) -> None:
    added = add(alice, phone)
    listed = alice.http.get("/api/me/factors/", headers=alice.bearer()).json()
    assert listed == {"totp": None, "passkeys": [added["passkey"]], "recovery_codes": 10}


def test_passkey_without_a_name_gets_that_of_the_device(alice: Person, phone: SoftwareAuthenticator) -> None:
    alice.http.headers["User-Agent"] = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"
    assert add(alice, phone, "")["passkey"]["name"] == "Firefox on Linux"


def test_adding_a_passkey_ends_the_other_sessions_and_keeps_this_one(
    alice: Person, phone: SoftwareAuthenticator
) -> None:
    other = Person(alice.http, alice.email).login()
    add(alice, phone)
    assert_problem(other.me(), 401, "invalid_token")
    assert_problem(other.try_refresh(), 401, "invalid_refresh_token")
    assert alice.me().status_code == 200
    assert alice.refresh().me().status_code == 200


def test_session_that_added_a_passkey_has_proved_it_and_may_add_another(
    alice: Person, phone: SoftwareAuthenticator
) -> None:
    add(alice, phone)
    assert try_options(alice).status_code == 200


def test_mymate_42_session_with_a_password_alone_cannot_add_a_passkey_to_an_account_that_has_one(
    alice: Person, phone: SoftwareAuthenticator
) -> None:
    stolen = Person(alice.http, alice.email, id=alice.id).login()
    add(alice, phone)
    assert_problem(try_options(stolen), 401, "invalid_token")


def test_options_need_a_recent_authentication(
    clock: time_machine.Traveller, alice: Person, set_policy: SetPolicy
) -> None:
    set_policy(access_token_lifetime=timedelta(hours=1))
    alice.login()
    clock.shift(timedelta(minutes=11))
    answer = try_options(alice)
    assert (answer.status_code, answer.json()["code"]) == (403, "step_up_required")


def test_ticket_serves_for_one_attempt(alice: Person, phone: SoftwareAuthenticator) -> None:
    begun = try_options(alice).json()
    wrong = phone.create(begun["options"], origin="https://evil.example")
    body = {"ticket": begun["ticket"], "passkey": wrong}
    refused = alice.http.post("/api/me/passkeys/", json=body, headers=alice.bearer())
    assert_problem(refused, 400, "invalid_passkey", ["passkey"])
    right = {"ticket": begun["ticket"], "passkey": phone.create(begun["options"])}
    again = alice.http.post("/api/me/passkeys/", json=right, headers=alice.bearer())
    assert_problem(again, 400, "invalid_ticket", ["ticket"])
    assert (Passkey.objects.count(), User.objects.get().second_factors) == (0, 0)
    assert events("factor.refused") == ["passkey: wrong origin"]


def test_posthog_43625_challenge_of_a_registration_is_used_once(alice: Person, phone: SoftwareAuthenticator) -> None:
    begun = try_options(alice).json()
    body = {"ticket": begun["ticket"], "passkey": phone.create(begun["options"])}
    assert alice.http.post("/api/me/passkeys/", json=body, headers=alice.bearer()).status_code == 201
    again = alice.http.post("/api/me/passkeys/", json=body, headers=alice.bearer())
    assert_problem(again, 400, "invalid_ticket", ["ticket"])
    assert Passkey.objects.count() == 1


def test_ticket_of_another_account_is_refused(alice: Person, bob: Person, phone: SoftwareAuthenticator) -> None:
    begun = try_options(alice).json()
    body = {"ticket": begun["ticket"], "passkey": phone.create(begun["options"])}
    answer = bob.http.post("/api/me/passkeys/", json=body, headers=bob.bearer())
    assert_problem(answer, 400, "invalid_ticket", ["ticket"])
    assert Passkey.objects.count() == 0


def test_ticket_dies_with_a_new_password_and_after_five_minutes(
    clock: time_machine.Traveller, alice: Person, phone: SoftwareAuthenticator
) -> None:
    alice.login()
    begun = try_options(alice).json()
    clock.shift(timedelta(minutes=5, seconds=1))
    alice.refresh()
    body = {"ticket": begun["ticket"], "passkey": phone.create(begun["options"])}
    answer = alice.http.post("/api/me/passkeys/", json=body, headers=alice.bearer())
    assert_problem(answer, 400, "invalid_ticket", ["ticket"])


def test_credential_of_another_account_is_refused_and_nothing_changes(
    alice: Person, bob: Person, phone: SoftwareAuthenticator
) -> None:
    add(alice, phone)
    before = bob.me().status_code
    answer = try_add(bob, SoftwareAuthenticator(), credential_id=phone.passkeys[0].credential_id)
    assert_problem(answer, 400, "invalid_passkey", ["passkey"])
    assert Passkey.objects.get().user_id == alice.id
    assert User.objects.get(pk=bob.id).second_factors == 0
    assert (before, bob.me().status_code) == (200, 200)


def test_account_has_twenty_passkeys_at_most(alice: Person) -> None:
    for _ in range(MAX_PASSKEYS):
        add(alice, SoftwareAuthenticator())
    assert_problem(try_options(alice), 400, "invalid", ["body"])


@pytest.mark.parametrize(
    "change",
    [
        {"passkey": None},
        {"passkey": []},
        {"passkey": {}},
        {"name": "x" * 101},
        {"name": 5},
        {"ticket": "x" * 65},
        {"ticket": None},
        {"passkey": {"id": "a!", "type": "public-key", "response": {}}},
        {"passkey": {"id": "abcd=", "type": "public-key", "response": {}}},
        {"passkey": {"id": "abcd", "type": "password", "response": {}}},
        {"passkey": {"id": "A" * 1365, "type": "public-key", "response": {}}},
    ],
)
def test_malformed_passkey_is_an_invalid_input(
    alice: Person, phone: SoftwareAuthenticator, change: dict[str, Any]
) -> None:
    begun = try_options(alice).json()
    body = {"ticket": begun["ticket"], "passkey": phone.create(begun["options"]), **change}
    answer = alice.http.post("/api/me/passkeys/", json=body, headers=alice.bearer())
    assert_problem(answer, 400, "invalid")


def test_passkey_is_renamed_by_its_owner_alone(alice: Person, bob: Person, phone: SoftwareAuthenticator) -> None:
    path = f"/api/me/passkeys/{add(alice, phone)['passkey']['id']}/"
    assert_problem(bob.http.patch(path, json={"name": "Mine"}, headers=bob.bearer()), 404, "not_found")
    answer = alice.http.patch(path, json={"name": "  Key ring "}, headers=alice.bearer())
    assert (answer.status_code, answer.json()["name"]) == (200, "Key ring")
    assert list_passkeys(alice) == [answer.json()]
    assert alice.http.patch(path, json={}, headers=alice.bearer()).json()["name"] == "Key ring"
    assert_problem(alice.http.patch(path, json={"name": ""}, headers=alice.bearer()), 400, "invalid", ["name"])


def test_removing_the_last_passkey_removes_the_recovery_codes_and_ends_the_other_sessions(
    alice: Person, phone: SoftwareAuthenticator
) -> None:
    first, second = add(alice, phone), add(alice, SoftwareAuthenticator())
    for added, left in ((first, 1), (second, 0)):
        path = f"/api/me/passkeys/{added['passkey']['id']}/"
        assert alice.http.delete(path, headers=alice.bearer()).status_code == 204
        assert (Passkey.objects.count(), User.objects.get().second_factors) == (left, left)
        assert RecoveryCode.objects.count() == (10 if left else 0)
    assert events("factor.removed") == ["passkey", "passkey"]
    assert Person(alice.http, alice.email).login().me().status_code == 200


def test_passkey_of_another_account_cannot_be_removed(alice: Person, bob: Person, phone: SoftwareAuthenticator) -> None:
    path = f"/api/me/passkeys/{add(alice, phone)['passkey']['id']}/"
    assert_problem(bob.http.delete(path, headers=bob.bearer()), 404, "not_found")
    assert bob.me().status_code == 200
    assert User.objects.get(pk=bob.id).second_factors == 0
    assert events("factor.removed") == []
    for path in ("/api/me/passkeys/0/", "/api/me/passkeys/x/", "/api/me/passkeys/-1/", f"/api/me/passkeys/{'9' * 18}/"):
        assert_problem(alice.http.delete(path, headers=alice.bearer()), 404, "not_found")


def test_keycloak_16442_removing_a_passkey_needs_a_recent_authentication(
    clock: time_machine.Traveller, alice: Person, phone: SoftwareAuthenticator, set_policy: SetPolicy
) -> None:
    set_policy(access_token_lifetime=timedelta(hours=1))
    alice.login()
    path = f"/api/me/passkeys/{add(alice, phone)['passkey']['id']}/"
    clock.shift(timedelta(minutes=11))
    answer = alice.http.delete(path, headers=alice.bearer())
    assert (answer.status_code, answer.json()["code"]) == (403, "step_up_required")
    assert Passkey.objects.count() == 1


@pytest.mark.parametrize("path", ["/api/me/passkeys/", "/api/me/passkeys/options/", "/api/me/passkeys/1/"])
def test_passkeys_need_an_access_token(http: httpx.Client, path: str) -> None:
    method = {"/api/me/passkeys/options/": "POST", "/api/me/passkeys/1/": "DELETE"}.get(path, "GET")
    assert_problem(http.request(method, path), 401, "not_authenticated")


def test_policy_off_allows_no_new_passkey_and_keeps_those_there_are(
    alice: Person, phone: SoftwareAuthenticator, set_policy: SetPolicy
) -> None:
    add(alice, phone)
    set_policy(second_factor="off")
    assert_problem(try_options(alice), 403, "enrolment_closed")
    assert len(list_passkeys(alice)) == 1


def test_unverified_address_gets_no_passkey_where_addresses_are_verified(alice: Person, set_policy: SetPolicy) -> None:
    set_policy(email_verification="optional")
    assert_problem(try_options(alice), 403, "email_not_verified")


def test_service_without_a_domain_has_no_passkeys(alice: Person, settings: Any) -> None:
    settings.PASSKEY_RP_ID = ""
    assert_problem(try_options(alice), 404, "not_found")
    assert_problem(alice.http.post("/api/login/passkey/options/"), 404, "not_found")


def test_deleting_the_account_deletes_its_passkeys(alice: Person, phone: SoftwareAuthenticator) -> None:
    add(alice, phone)
    assert alice.http.request(
        "DELETE", "/api/me/", json={"password": alice.password}, headers=alice.bearer()
    ).status_code in (204,)
    assert Passkey.objects.count() == 0


def test_security_key_without_a_pin_is_a_second_factor_only(alice: Person) -> None:
    added = add(alice, SoftwareAuthenticator(flags=USER_PRESENT, counter_step=1), "Key")
    assert added["passkey"]["replaces_password"] is False
