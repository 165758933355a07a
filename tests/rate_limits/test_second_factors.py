"""Rate limits of one-time passwords, recovery codes and passkeys: apart from sign-ins and from each other."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import time_machine
from django.db import connection

from latchkey.accounts.admin_actions import reset_rate_limits
from latchkey.core.client import ClientInfo
from latchkey.core.exceptions import TooManyAttempts
from latchkey.rate_limits.attempts import charge, raise_if_device_is_hidden, refund, withdraw
from latchkey.rate_limits.keys import RateLimitKey, factor_key, login_key, passkey_key, recovery_key
from latchkey.rate_limits.models import Attempt
from tests.outbox import last_mail
from tests.people import Person, try_login

EMAIL = "alice@example.com"
HOME, ELSEWHERE, NOWHERE = ClientInfo("192.0.2.1"), ClientInfo("192.0.2.66"), ClientInfo(None)
FREE = 5
AccountKey = Callable[[str, ClientInfo], RateLimitKey]
both = pytest.mark.parametrize("key", [factor_key, recovery_key])


def fail(key: RateLimitKey, times: int = 1, client: ClientInfo = ELSEWHERE) -> None:
    """Charge this many attempts, which all must be admitted, and refund none."""
    for _ in range(times):
        charge(key, client)


def wait_seconds(key: RateLimitKey, client: ClientInfo = ELSEWHERE) -> int:
    """Return the Retry-After of an attempt that must be refused."""
    with pytest.raises(TooManyAttempts) as refused:
        charge(key, client)
    assert refused.value.headers is not None
    return int(refused.value.headers["Retry-After"])


@pytest.mark.ledger("ASVS-6.3.1")
@both
def test_wrong_codes_wait_after_five_and_are_never_locked_for_longer_than_an_hour(
    db: None, clock: time_machine.Traveller, key: AccountKey
) -> None:
    guessed = key(EMAIL, ELSEWHERE)
    fail(guessed, FREE - 1)
    waits = []
    for _ in range(120):
        fail(guessed)
        waits.append(wait_seconds(guessed))
        clock.shift(timedelta(seconds=waits[-1]))
    assert waits == [30, 60, 120, 240, 480, 960, 1920] + [3600] * 113


@both
def test_wrong_codes_are_forgotten_one_for_each_day_without_an_attempt(
    db: None, clock: time_machine.Traveller, key: AccountKey
) -> None:
    guessed = key(EMAIL, ELSEWHERE)
    fail(guessed, FREE)
    clock.shift(timedelta(days=3))
    fail(guessed, 3)
    assert wait_seconds(guessed) == 30


def test_guesses_at_passwords_one_time_passwords_and_recovery_codes_do_not_limit_each_other(
    db: None, clock: time_machine.Traveller
) -> None:
    limits = {login_key: 10, factor_key: FREE, recovery_key: FREE}
    for key, free in limits.items():
        fail(key(EMAIL, ELSEWHERE), free)
        assert wait_seconds(key(EMAIL, ELSEWHERE)) == 30


def passkey(email: str, client: ClientInfo) -> RateLimitKey:
    return passkey_key(client)


@pytest.mark.parametrize("key", [factor_key, recovery_key, passkey])
def test_failures_of_one_kind_at_an_address_do_not_limit_the_others(
    db: None, set_policy: Callable[..., None], key: AccountKey
) -> None:
    set_policy(failures_per_address=2)
    fail(key("one@example.com", ELSEWHERE))
    fail(key("two@example.com", ELSEWHERE))
    assert wait_seconds(key("three@example.com", ELSEWHERE)) == 30
    keys: list[AccountKey] = [login_key, factor_key, recovery_key, passkey]
    for other in keys:
        if other is not key:
            fail(other("four@example.com", ELSEWHERE))


def test_keys_of_sign_ins_and_second_factors_have_no_counter_in_common(db: None) -> None:
    keys = [key(EMAIL, HOME) for key in (login_key, factor_key, recovery_key)]
    digests = {digest for key in keys for digest in (key.account, key.address, key.known_devices)}
    assert len(digests) == 9


@both
def test_device_with_a_right_code_before_goes_on_while_others_wait_and_its_success_resets_them(
    db: None, clock: time_machine.Traveller, key: AccountKey
) -> None:
    owned, guessed = key(EMAIL, HOME), key(EMAIL, ELSEWHERE)
    refund(charge(owned, HOME))
    fail(guessed, FREE)
    assert wait_seconds(guessed) == 30
    wrong = charge(owned, HOME)
    with pytest.raises(TooManyAttempts):  # as an unknown device is answered
        raise_if_device_is_hidden(wrong, HOME)
    refund(charge(owned, HOME))
    fail(guessed, FREE)


def test_device_known_by_its_password_alone_is_not_known_to_the_second_factor(db: None) -> None:
    refund(charge(login_key(EMAIL, HOME), HOME))
    fail(factor_key(EMAIL, ELSEWHERE), FREE)
    assert wait_seconds(factor_key(EMAIL, HOME), HOME) > 0


def test_passkeys_are_limited_by_network_alone(db: None, set_policy: Callable[..., None]) -> None:
    set_policy(failures_per_address=3)
    fail(passkey_key(ELSEWHERE), 3)
    assert wait_seconds(passkey_key(ELSEWHERE)) > 0
    fail(passkey_key(HOME), 3, HOME)
    assert set(Attempt.objects.values_list("account", flat=True)) == {""}


@pytest.mark.parametrize("take_back", [refund, withdraw])
def test_right_passkey_gets_its_attempt_back_and_no_other(
    db: None, set_policy: Callable[..., None], take_back: Callable[..., None]
) -> None:
    set_policy(failures_per_address=3)
    fail(passkey_key(ELSEWHERE))
    for _ in range(5):
        take_back(charge(passkey_key(ELSEWHERE), ELSEWHERE))
    fail(passkey_key(ELSEWHERE), 2)
    assert wait_seconds(passkey_key(ELSEWHERE)) > 0


@pytest.mark.parametrize("take_back", [refund, withdraw])
def test_passkeys_of_clients_without_an_address_are_counted_nowhere(db: None, take_back: Callable[..., None]) -> None:
    take_back(charge(passkey_key(NOWHERE), NOWHERE))
    assert not Attempt.objects.exists()


@both
def test_one_time_passwords_of_clients_without_an_address_are_counted_by_account(db: None, key: AccountKey) -> None:
    fail(key(EMAIL, NOWHERE), FREE, NOWHERE)
    assert wait_seconds(key(EMAIL, NOWHERE), NOWHERE) > 0


@both
def test_unlock_by_an_operator_resets_the_limits_of_second_factors(alice: Person, key: AccountKey) -> None:
    fail(key(alice.email, ELSEWHERE), FREE)
    assert wait_seconds(key(alice.email, ELSEWHERE)) > 0
    assert reset_rate_limits([alice.id]) == 1
    fail(key(alice.email, ELSEWHERE), FREE)


@pytest.mark.ledger("ASVS-6.4.3")
@both
def test_password_reset_by_mail_resets_the_limit_of_sign_ins_and_not_those_of_second_factors(
    alice: Person, key: AccountKey
) -> None:
    fail(key(alice.email, ELSEWHERE), FREE)
    fail(login_key(alice.email, ELSEWHERE), 10)
    assert alice.http.post("/api/password/reset/", json={"email": alice.email}).status_code == 202
    body = {"token": last_mail(alice.email).token, "new_password": "a wholly new passphrase"}
    assert alice.http.post("/api/password/reset/confirm/", json=body).status_code == 200
    assert wait_seconds(key(alice.email, ELSEWHERE)) > 0
    fail(login_key(alice.email, ELSEWHERE))


@both
def test_later_owner_of_an_address_inherits_no_limit_and_no_known_device(bob: Person, key: AccountKey) -> None:
    later = "later@example.com"
    refund(charge(key(later, HOME), HOME))
    fail(key(later, ELSEWHERE), FREE)
    Person(bob.http, later).register()
    fail(key(later, ELSEWHERE), FREE - 1)
    fail(key(later, HOME), 1, HOME)  # counts at the account, as that of an unknown device
    assert wait_seconds(key(later, ELSEWHERE)) > 0


@both
def test_export_has_the_failures_at_second_factors(alice: Person, key: AccountKey) -> None:
    fail(key(alice.email, ELSEWHERE), 4)
    answer = alice.http.get("/api/me/export/", headers=alice.bearer())
    assert 4 in [each["failures"] for each in answer.json()["attempts"]]


def test_wrong_one_time_passwords_leave_sign_in_with_the_password_as_it_was(alice: Person) -> None:
    fail(factor_key(alice.email, ELSEWHERE), FREE)
    assert try_login(alice.http, alice.email).status_code == 200


@pytest.mark.django_db(transaction=True)
@both
def test_five_of_fifty_parallel_guesses_at_a_code_are_compared(key: AccountKey) -> None:
    def guess(number: int) -> bool:
        client = ClientInfo(f"198.51.100.{number}")
        try:
            charge(key(EMAIL, client), client)
        except TooManyAttempts:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(10) as threads:
        admitted = list(threads.map(guess, range(50)))
    assert admitted.count(True) == FREE
