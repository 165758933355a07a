"""Encryption of signing keys under the secret key: rotation, a lost secret key, missing keys and outages."""

from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import Any

import httpx
import jwt
import pytest
import time_machine
from django.conf import settings as shipped
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.test import override_settings

from latchkey.core import clock as clocks
from latchkey.rate_limits.models import Attempt
from latchkey.sessions.models import Session
from latchkey.signing_keys import key_set
from latchkey.signing_keys.models import PRIVATE_KEY_ENCRYPTION, SigningKey
from latchkey.signing_keys.rotation import rotate
from latchkey.signing_keys.startup import prepare_keys
from tests.fixtures.database import DatabaseDown
from tests.people import Person, try_login
from tests.problems import assert_problem
from tests.support.captured_log import CapturedLog

NEW = "the-secret-key-that-the-operator-has-just-made-0123456789-abcdefghij"


def node(key: str, *fallbacks: str) -> Any:
    """Act as a node with this secret key and these fallbacks, with an empty key set cache."""
    key_set.clear_cache()
    return override_settings(SECRET_KEY=key, SECRET_KEY_FALLBACKS=list(fallbacks))


@pytest.fixture
def alice(http: httpx.Client, settings: Any) -> Person:
    """A user who signed in at a node with a key pair."""
    settings.SIGNING_ALGORITHM = "EdDSA"
    prepare_keys()
    return Person(http, "alice@example.com").register().login()


def kid_of(person: Person) -> str:
    return str(jwt.get_unverified_header(person.access_token)["kid"])


@pytest.mark.ledger("H-INF-13", "ASVS-13.3.4", "ASVS-11.2.2")
def test_secret_key_rotation_reencrypts_signing_keys_and_signs_no_user_out(alice: Person) -> None:
    old, kid = shipped.SECRET_KEY, kid_of(alice)
    for key, fallback in ((old, NEW), (NEW, old), (old, NEW), (NEW, old)):
        with node(key, fallback):
            prepare_keys()
            assert PRIVATE_KEY_ENCRYPTION.is_current(bytes(SigningKey.objects.get().private))
            assert alice.me().status_code == 200
            assert alice.refresh().me().status_code == 200
        with node(fallback, key):
            assert alice.refresh().me().status_code == 200
    with node(NEW, old):
        alice.refresh()
    with node(NEW):
        prepare_keys()
        assert alice.me().status_code == 200
        assert alice.refresh().me().status_code == 200
        assert kid_of(alice) == kid


@pytest.mark.ledger("ASVS-16.5.3")
def test_login_and_refresh_get_503_and_change_nothing_if_the_signing_key_is_undecryptable(
    alice: Person, captured_log: CapturedLog
) -> None:
    sessions, attempts = list(Session.objects.values()), list(Attempt.objects.values())
    with node(NEW):
        assert_problem(try_login(alice.http), 503, "unavailable")
        assert_problem(alice.try_refresh(), 503, "unavailable")
        assert alice.me().status_code == 200  # the public key is not encrypted
    assert list(Session.objects.values()) == sessions
    assert list(Attempt.objects.values()) == attempts
    lines = [line for line in captured_log.lines() if line["event"] == "key.unusable"]
    assert {line["key_id"] for line in lines} == {kid_of(alice)}
    with node(shipped.SECRET_KEY):
        assert alice.refresh().me().status_code == 200


def test_prepare_keys_and_the_deploy_check_refuse_an_undecryptable_signing_key(alice: Person) -> None:
    call_command("check", "--deploy", stdout=StringIO(), stderr=StringIO())
    with node(NEW):
        sentence = f"^The signing key {kid_of(alice)} cannot be decrypted: add the secret key that it was created with"
        with pytest.raises(ImproperlyConfigured, match=sentence):
            prepare_keys()
        with pytest.raises(SystemCheckError, match=r"latchkey\.E010"):
            call_command("check", "--deploy", stdout=StringIO(), stderr=StringIO())
        rotate("EdDSA", clocks.now() - timedelta(minutes=1), immediately=True)
        prepare_keys()
        key_set.clear_cache()
        assert alice.me().status_code == 200
        assert alice.login().me().status_code == 200


def test_refresh_gets_503_while_there_is_no_signing_key(alice: Person) -> None:
    SigningKey.objects.all().delete()
    key_set.clear_cache()
    assert_problem(alice.try_refresh(), 503, "unavailable")
    assert_problem(alice.me(), 401, "invalid_token")
    prepare_keys()
    key_set.clear_cache()
    assert alice.refresh().me().status_code == 200


def test_me_and_refresh_get_503_not_401_while_signing_keys_cannot_be_read(
    alice: Person, database_down: DatabaseDown
) -> None:
    for forgotten in (False, True):
        with database_down():
            key_set._Cache.read_at = 0.0
            if forgotten:
                key_set.clear_cache()
            assert_problem(alice.me(), 503, "unavailable")
            assert_problem(alice.try_refresh(), 503, "unavailable")
        assert alice.me().status_code == 200
        assert alice.refresh().me().status_code == 200


def test_nodes_that_switch_their_signing_algorithm_accept_the_tokens_of_each_other(
    clock: time_machine.Traveller, http: httpx.Client, settings: Any
) -> None:
    people = [Person(http, f"{name}@example.com").register().login() for name in ("alice", "bob")]
    nodes, signed = ["HS256", "HS256"], list[str]()
    for number, algorithm in enumerate(["EdDSA", "EdDSA", "ES256", "ES256", "RS256", "RS256", "HS256", "HS256"]):
        settings.SIGNING_ALGORITHM = nodes[number % 2] = algorithm
        prepare_keys()
        for _ in range(2):  # at the start of a node, and when its new key has been published long enough
            for settings.SIGNING_ALGORITHM in nodes:
                key_set.clear_cache()
                assert [person.me().status_code for person in people] == [200, 200]
            for person, settings.SIGNING_ALGORITHM in zip(people, nodes, strict=True):
                signed.append(jwt.get_unverified_header(person.refresh().access_token)["alg"])
            clock.shift(timedelta(seconds=20))
        clock.shift(timedelta(minutes=10))
        for person in people:
            person.refresh()
    assert set(signed) == {"HS256", "EdDSA", "ES256", "RS256"}
    assert signed[:8] == ["EdDSA", "HS256"] * 2 + ["EdDSA"] * 4
    assert signed[-4:] == ["HS256"] * 4


@pytest.mark.parametrize("at_once", [False, True])
def test_nodes_with_clocks_30_s_apart_accept_the_tokens_of_each_other_during_a_key_rotation(
    clock: time_machine.Traveller, http: httpx.Client, settings: Any, set_policy: Callable[..., None], at_once: bool
) -> None:
    """A node 15 s ahead and a node 15 s behind issue and verify in turns, every 5 s across a rotation.

    A token lives for a minute here: after 30 s it would be over as it arrives, whatever signed it.
    """
    set_policy(access_token_lifetime=timedelta(minutes=1))
    settings.SIGNING_ALGORITHM = "EdDSA"
    prepare_keys()
    alice = Person(http, "alice@example.com").register().login()
    rotate("EdDSA", clocks.now(), at_once)
    ahead, signed = timedelta(seconds=15), set()
    for _ in range(130):
        for issues, verifies in ((ahead, -ahead), (-ahead, ahead)):
            clock.shift(issues)
            key_set.clear_cache()
            alice.refresh()
            signed.add(kid_of(alice))
            clock.shift(verifies - issues)
            key_set.clear_cache()
            assert alice.me().status_code == 200
            clock.shift(-verifies)
        clock.shift(timedelta(seconds=5))
    assert len(signed) == 2
