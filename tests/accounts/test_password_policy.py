"""The password policy: length and blocklist instead of composition rules, no expiry, and the strength of each hash."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
import time_machine
from django.conf import settings
from django.contrib.auth.hashers import get_hashers
from django.contrib.auth.password_validation import CommonPasswordValidator, get_default_password_validators

from latchkey.accounts.models import User
from latchkey.accounts.password_validation import BlocklistValidator, ContextWordsValidator
from tests.people import Person, try_login, try_register
from tests.problems import assert_problem
from tests.support.security_notes import PAGE, code_spans, read_table

COMPOSED = [
    "onlylowercaseletters",
    "123456789012345678",
    " " * 15,
    "🔑" * 15,
    "正しい馬のバッテリーの留め金です",
    "---------------",
]
COMPOSED += ["".join(map(chr, range(32, 127))), "ALLCAPITALLETTERS", "a b c d e f g h i"]


@pytest.mark.ledger("ASVS-6.2.5")
@pytest.mark.parametrize("password", COMPOSED)
def test_strictest_password_policy_has_no_composition_rules(
    http: httpx.Client, set_policy: Callable[..., None], password: str
) -> None:
    set_policy(password_min_length=15, password_blocklist=True)
    assert try_register(http, password=password).status_code == 201
    assert try_login(http, password=password).status_code == 200


@pytest.mark.ledger("ASVS-6.2.9")
@pytest.mark.parametrize("length", [64, 72, 73, 128])
def test_login_compares_long_passwords_to_the_last_character(http: httpx.Client, length: int) -> None:
    password = "x" * (length - 1) + "y"
    assert try_register(http, password=password).status_code == 201
    assert_problem(try_login(http, password="x" * length), 401, "invalid_credentials")
    assert_problem(try_login(http, password=password + "y"), 401, "invalid_credentials")
    assert try_login(http, password=password).status_code == 200


@pytest.mark.parametrize("min_length", [8, 15])
def test_register_rejects_common_passwords_that_satisfy_the_minimum_length(
    http: httpx.Client, set_policy: Callable[..., None], min_length: int
) -> None:
    set_policy(password_min_length=min_length, password_blocklist=True)
    common = sorted(word for word in CommonPasswordValidator().passwords if len(word) >= min_length)
    sample = common[:: max(1, len(common) // 50)]
    assert len(sample) >= 40
    for word in sample:
        assert_problem(try_register(http, password=word), 400, "password_too_common", ["password"])
        assert_problem(try_register(http, password=f" {word.upper()}"), 400, "password_too_common", ["password"])
    assert not User.objects.exists()


@pytest.mark.ledger("ASVS-6.2.10")
def test_login_accepts_a_password_that_was_set_two_years_ago(clock: time_machine.Traveller, alice: Person) -> None:
    clock.shift(timedelta(days=2 * 365))
    assert alice.login().me().status_code == 200


@pytest.mark.hashing
@pytest.mark.ledger("ASVS-11.2.5")
@pytest.mark.parametrize(
    "broken",
    [
        *("", "x", "!", "$", "argon2", "argon2$", "argon2$argon2id$v=19$m=19456,t=2,p=1$$", "argon2$argon2id$x$y$z$w"),
        *("pbkdf2_sha256$", "pbkdf2_sha256$x$y$z", "md5$a$b", "scrypt$1$2", "plain$correct horse battery staple"),
        *("correct horse battery staple", "argon2$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$"),
    ],
)
def test_login_with_a_malformed_password_hash_returns_invalid_credentials(alice: Person, broken: str) -> None:
    User.objects.filter(pk=alice.id).update(password=broken)
    assert_problem(try_login(alice.http, password=alice.password), 401, "invalid_credentials")
    assert_problem(try_login(alice.http, password="x"), 401, "invalid_credentials")
    assert alice.me().status_code == 200


@pytest.mark.ledger("REG-KEYCLOAK-16")
@pytest.mark.parametrize("nothing", ["", None])
def test_login_without_a_password_answers_known_and_unknown_emails_alike(alice: Person, nothing: Any) -> None:
    known, unknown = (try_login(alice.http, email, nothing) for email in (alice.email, "nobody@example.com"))
    assert_problem(known, 400, "invalid", ["password"])
    assert (known.content, known.headers) == (unknown.content, unknown.headers)


def test_password_blocklist_has_the_documented_size_and_is_loaded_once() -> None:
    (blocklist,) = (one for one in get_default_password_validators() if isinstance(one, BlocklistValidator))
    assert isinstance(blocklist.passwords, set)
    assert len(blocklist.passwords) >= 10_000
    counts = [sum(len(word) >= length for word in blocklist.passwords) for length in (0, 8, 15)]
    (written,) = (rule for what, rule in read_table("Passwords") if what == "common ones")
    assert [int(number.replace(",", "")) for number in re.findall(r"[\d,]*\d", written)] == [
        counts[0],
        counts[1],
        8,
        counts[2],
        15,
    ]
    assert blocklist in get_default_password_validators()


@pytest.mark.ledger("ASVS-6.1.2", "ASVS-2.1.2")
def test_context_words_of_the_service_are_the_documented_ones() -> None:
    (validator,) = (one for one in get_default_password_validators() if isinstance(one, ContextWordsValidator))
    assert validator.words == ("latchkey", settings.PUBLIC_URL.partition("://")[2])
    of_the_service = [word for word, whose in read_table("Context words") if whose == "the service's"]
    assert [code_spans(word) for word in of_the_service] == [["latchkey"], ["LATCHKEY_PUBLIC_URL"]]
    assert "compared with the e-mail address and the display name" in PAGE.read_text()


@pytest.mark.hashing
@pytest.mark.ledger("ASVS-11.4.2")
def test_password_hash_parameters_are_the_documented_ones_and_meet_owasp() -> None:
    hashers: dict[str, Any] = {str(hasher.algorithm): hasher for hasher in get_hashers()}
    argon2, pbkdf2, scrypt = (hashers[name] for name in ("argon2", "pbkdf2_sha256", "scrypt"))
    written = {code: row[1] for row in read_table("Passwords", 1) for code in code_spans(row[0])}
    assert set(written) == set(hashers)
    assert get_hashers()[0].algorithm == "argon2"
    assert {name: written[name] for name in ("argon2", "pbkdf2_sha256", "scrypt")} == {
        "argon2": f"m={argon2.memory_cost}, t={argon2.time_cost}, p={argon2.parallelism}",
        "pbkdf2_sha256": f"{pbkdf2.iterations:,} iterations",
        "scrypt": f"N={scrypt.work_factor}, r={scrypt.block_size}, p={scrypt.parallelism}",
    }
    assert (argon2.memory_cost >= 19 * 1024, argon2.time_cost >= 2, pbkdf2.iterations >= 600_000) == (True,) * 3
    assert scrypt.work_factor * scrypt.parallelism >= 5 * 2**14  # the cheat sheet's last but one choice
