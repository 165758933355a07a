"""Many requests with one passkey at once, in threads: one ticket opens one session, and counts stay right."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection

from latchkey.accounts.models import User
from latchkey.conf import policy
from latchkey.core import clock
from latchkey.core.client import ClientInfo
from latchkey.core.exceptions import ApiError, SecondFactorRequired
from latchkey.passkeys.manage import begin_registration, finish_registration, remove_passkey
from latchkey.passkeys.models import Passkey
from latchkey.passkeys.serializers import NewPasskeyInput, PasskeyInput
from latchkey.sessions.models import Session
from latchkey.sign_in.factor_checks import FactorAnswer
from latchkey.sign_in.login import login
from latchkey.sign_in.passkey import begin_passkey_second_factor, begin_passkey_sign_in, sign_in_with_passkey
from latchkey.sign_in.second_factor import sign_in_with_second_factor
from latchkey.tokens.authentication_methods import Authentication, Proof
from tests.people import PASSWORD
from tests.support.software_authenticator import USER_PRESENT, USER_VERIFIED, SoftwareAuthenticator

CLIENT = ClientInfo(None, "Firefox")  # without an address, so that no limit of it is met

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def fresh_policy() -> None:
    policy.clear_cache()


def outcomes(action: Callable[[], Any], times: int = 50) -> Counter[str]:
    """Run an action many times at once; count the errors by their code, and successes as 'done'."""

    def run(_: int) -> str:
        try:
            action()
        except ApiError as error:
            return error.code
        finally:
            connection.close()
        return "done"

    with ThreadPoolExecutor(25) as pool:
        return Counter(pool.map(run, range(times)))


def proven() -> Authentication:
    return Authentication(int(Proof.PASSWORD | Proof.PASSKEY), int(clock.now().timestamp()))


def registration(user: User, key: SoftwareAuthenticator) -> Callable[[], Any]:
    begun = begin_registration(user.pk, proven())
    answer = NewPasskeyInput(data=key.create(begun.options))
    answer.is_valid(raise_exception=True)
    return lambda: finish_registration(user.pk, None, begun.ticket, answer.validated_data, "Key", CLIENT)


def signature(key: SoftwareAuthenticator, options: dict[str, Any]) -> Any:
    answer = PasskeyInput(data=key.get(options))
    answer.is_valid(raise_exception=True)
    return answer.validated_data


@pytest.fixture
def user() -> User:
    return User.objects.create_user("alice@example.com", PASSWORD)


@pytest.fixture
def key(user: User) -> SoftwareAuthenticator:
    """A security key that counts, with a passkey of the user's."""
    authenticator = SoftwareAuthenticator(flags=USER_PRESENT | USER_VERIFIED, counter_step=1)
    registration(user, authenticator)()
    return authenticator


def test_fifty_parallel_sign_ins_with_one_answer_open_one_session(key: SoftwareAuthenticator) -> None:
    begun = begin_passkey_sign_in(CLIENT)
    answer = signature(key, begun.options)
    done = outcomes(lambda: sign_in_with_passkey(begun.ticket, answer, CLIENT))
    assert done == {"done": 1, "invalid_ticket": 49}
    assert Session.objects.count() == 1


def test_fifty_parallel_second_factors_with_one_answer_open_one_session(key: SoftwareAuthenticator) -> None:
    with pytest.raises(SecondFactorRequired) as asked:
        login("alice@example.com", PASSWORD, CLIENT)
    ticket = asked.value.ticket
    answer = FactorAnswer(passkey=signature(key, begin_passkey_second_factor(ticket).options))
    done = outcomes(lambda: sign_in_with_second_factor(ticket, answer, CLIENT))
    assert done["done"] == 1, done
    assert set(done) <= {"done", "invalid_ticket", "invalid_passkey"}
    assert Session.objects.count() == 1


def test_parallel_registrations_with_one_ticket_add_one_passkey(user: User) -> None:
    done = outcomes(registration(user, SoftwareAuthenticator()), 20)
    assert done == {"done": 1, "invalid_ticket": 19}
    assert (Passkey.objects.count(), User.objects.get().second_factors) == (1, 1)


def test_parallel_registrations_of_several_passkeys_keep_the_count_right(user: User) -> None:
    several = [registration(user, SoftwareAuthenticator()) for _ in range(8)]

    def register() -> None:
        several.pop()()

    done = outcomes(register, 8)
    assert done["done"] >= 1
    assert set(done) <= {"done", "invalid_ticket", "invalid_token"}
    assert Passkey.objects.count() == User.objects.get().second_factors == done["done"]


def test_parallel_removals_of_one_passkey_count_it_once(user: User, key: SoftwareAuthenticator) -> None:
    registration(user, SoftwareAuthenticator())()
    passkey = Passkey.objects.order_by("id")[0]
    done = outcomes(lambda: remove_passkey(user.pk, None, proven(), passkey.pk, CLIENT), 20)
    assert done["done"] == 1, done
    assert set(done) <= {"done", "not_found", "invalid_token"}
    assert (Passkey.objects.count(), User.objects.get().second_factors) == (1, 1)
