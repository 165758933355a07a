"""Changes of second factors at once, in threads: one succeeds, the counts stay right, and none waits for another."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier
from typing import Any

import pytest
from django.db import connection

from latchkey.accounts.models import User
from latchkey.conf import policy
from latchkey.core import clock
from latchkey.core.client import ClientInfo
from latchkey.core.exceptions import ApiError
from latchkey.factors import recovery_codes, totp
from latchkey.factors.models import TotpSecret
from latchkey.factors.own_factors import Caller, begin_totp, confirm_totp, remove_totp, renew_recovery_codes
from latchkey.factors.tickets import TicketPurpose, issue_ticket
from latchkey.profile.erasure import erase
from latchkey.sign_in.factor_checks import FactorAnswer
from latchkey.sign_in.second_factor import sign_in_with_second_factor
from latchkey.tokens.authentication_methods import Authentication, Proof
from tests.factors.apps import code_at

CLIENT = ClientInfo(None, "Firefox")  # without an address, so that no limit of it is met

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def fresh_policy() -> None:
    policy.clear_cache()


@pytest.fixture
def user() -> User:
    return User.objects.create_user("alice@example.com")


def caller(user: User) -> Caller:
    """Return a session of this user that has just proved two factors."""
    proof = Proof.PASSWORD | Proof.TOTP
    return Caller(user.pk, 1, Authentication(int(proof), int(clock.now().timestamp())))


def run_at_once(*actions: Callable[[], Any]) -> list[Any]:
    """Run all actions at once; return their results, and the codes of their errors."""
    start = Barrier(len(actions))

    def run(action: Callable[[], Any]) -> Any:
        try:
            connection.ensure_connection()
            start.wait(10)
            return action()
        except ApiError as error:
            return error.code
        finally:
            connection.close()

    with ThreadPoolExecutor(len(actions)) as pool:
        return list(pool.map(run, actions))


def add_app(user: User) -> tuple[str, list[str]]:
    """Set up an app; return its secret and the recovery codes."""
    secret = begin_totp(caller(user)).secret
    return secret, confirm_totp(caller(user), code_at(secret, clock.now(), -1), CLIENT)


def test_parallel_confirmations_add_one_factor_and_one_set_of_recovery_codes(user: User) -> None:
    secret = begin_totp(caller(user)).secret
    code = code_at(secret, clock.now())
    results = run_at_once(*[lambda: confirm_totp(caller(user), code, CLIENT)] * 20)
    shown = [result for result in results if isinstance(result, list)]
    assert [len(codes) for codes in shown] == [10]
    refused = Counter(result for result in results if isinstance(result, str))
    assert set(refused) <= {"invalid_code", "invalid_token", "too_many_attempts"}
    user.refresh_from_db()
    assert (user.second_factors, recovery_codes.count(user.pk)) == (1, 10)


def test_parallel_removals_and_renewals_leave_the_counts_right(user: User) -> None:
    for _ in range(3):
        add_app(user)
        actions = [lambda: remove_totp(caller(user), CLIENT), lambda: renew_recovery_codes(caller(user), CLIENT)]
        results = run_at_once(*actions * 8)
        assert {each for each in results if isinstance(each, str)} <= {"invalid_token", "not_found", "no_second_factor"}
        user.refresh_from_db()
        assert user.second_factors == TotpSecret.objects.count()
        assert recovery_codes.count(user.pk) == 10 * user.second_factors
        if user.second_factors:
            remove_totp(caller(user), CLIENT)
        totp.remove(user.pk)


def test_sign_ins_changes_and_a_deletion_of_one_account_at_once_never_deadlock() -> None:
    """A deadlock is an error of the database, not an answer: it would end the test."""
    for number in range(5):
        user = User.objects.create_user(f"alice.{number}@example.com")
        secret, codes = add_app(user)
        user.refresh_from_db()
        tickets = [issue_ticket(TicketPurpose.SECOND_FACTOR, clock.now(), user, Proof.PASSWORD) for _ in range(6)]
        answers = [FactorAnswer(recovery_code=code) for code in codes[:4]]
        answers += [FactorAnswer(code_at(secret, clock.now(), step)) for step in (0, 1)]
        results = run_at_once(
            *(
                partial(sign_in_with_second_factor, ticket, answer, CLIENT)
                for ticket, answer in zip(tickets, answers, strict=True)
            ),
            partial(renew_recovery_codes, caller(user), CLIENT),
            partial(remove_totp, caller(user), CLIENT),
            partial(erase, user),
        )
        expected = {"invalid_ticket", "invalid_token", "invalid_code", "no_second_factor", "not_found"}
        assert {each for each in results if isinstance(each, str)} <= expected
        assert results[-1] is True
        assert not User.objects.filter(pk=user.pk).exists()
