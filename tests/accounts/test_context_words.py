"""Passwords made of context-specific words only: e-mail address, name, service (NIST SP 800-63B-4 section 3.1.1.2)."""

import httpx
import pytest

from latchkey.accounts.models import User
from latchkey.accounts.password_validation import ContextWordsValidator
from tests.people import Person, try_register
from tests.problems import assert_problem

EMAIL = "alice.smith99@mail.example.com"
WORDS_OF_THE_EMAIL = [
    *(EMAIL, EMAIL.upper(), f" {EMAIL}\n", "alice.smith99", "Alice_Smith_99", "alicesmith", "smithalice"),
    *("mail.example.com", "examplecom", "alicealice", "aliceALICEalice", "alice2026!", "!!2026-Alice-2026!!"),
    *("smith-99-alice", "A l i c e 1 2 3", "\uff21\uff2c\uff29\uff23\uff25 2026", "alice@alice.com", "1a2l3i4c5e"),
]
WORDS_OF_THE_SERVICE = [
    "latchkey",
    "LatchKey!",
    "latchkey2026!",
    "latchkeylatchkey",
    "l.a.t.c.h.k.e.y",
    "alice@latchkey",
]
ACCEPTED_PASSWORDS = [
    *("password", "alice likes purple trains", "mail me an example", "latchkeys", "alicia.smith", "smithereens"),
    *("malice.smith99", "ecila.htims", "xalice2026!", "12345678", "--------", "2026-11-22", "99999999", "комбинация"),
]


@pytest.mark.ledger("ASVS-2.1.2", "ASVS-6.1.2", "ASVS-6.2.11", "H-PW-07", "NIST-3.1.1.2-10", "NIST-3.1.1.2-11")
@pytest.mark.parametrize("password", [*WORDS_OF_THE_EMAIL, *WORDS_OF_THE_SERVICE])
def test_register_rejects_a_password_made_only_of_context_words(http: httpx.Client, password: str) -> None:
    assert_problem(try_register(http, EMAIL, password), 400, "password_too_obvious", ["password"])
    assert not User.objects.exists()
    assert try_register(http, EMAIL, f"{password} likes purple trains").status_code == 201


@pytest.mark.ledger("NIST-3.1.1.2-10")
@pytest.mark.parametrize("password", ACCEPTED_PASSWORDS)
def test_register_accepts_a_password_that_contains_or_resembles_context_words(
    http: httpx.Client, password: str
) -> None:
    assert try_register(http, EMAIL, password).status_code == 201
    assert Person(http, EMAIL, password).login().me().status_code == 200


@pytest.mark.ledger("H-PW-07")
@pytest.mark.parametrize(
    ("email", "obvious", "good"),
    [
        ("12345678@example.com", "12345678", "12345679"),
        ("j.r.smith@io.example", "jrsmith1", "rjrsmith"),
        ("li@x.example", "li@x.example", "lililili"),
        ("straße@example.com", "STRASSE!!", "strassen"),
        ("zoë@example.com", "zoe\u0308zoë12", "zoezoe12"),
        ("alice+shop@example.com", "shopalice", "alicehops"),
        ("alice@bücher.example", "bücherbücher", "bucherbucher"),
    ],
)
def test_context_words_are_the_parts_of_the_email_address(
    http: httpx.Client, email: str, obvious: str, good: str
) -> None:
    assert_problem(try_register(http, email, obvious), 400, "password_too_obvious", ["password"])
    assert not User.objects.exists()
    assert try_register(http, email, good).status_code == 201


def test_register_accepts_the_documented_example_password_in_development(http: httpx.Client) -> None:
    answer = http.post("/api/register/", json={"password": "password", "email": "user@example.com"})
    assert (answer.status_code, answer.json()["email"]) == (201, "user@example.com")


@pytest.mark.ledger("ASVS-6.2.11")
def test_context_words_of_one_email_address_do_not_apply_to_another(alice: Person) -> None:
    assert_problem(try_register(alice.http, "bob@example.com", "bob2026!!"), 400, "password_too_obvious", ["password"])
    assert try_register(alice.http, "bob@example.com", "alice2026!").status_code == 201


def test_context_words_validator_does_not_backtrack_on_a_hostile_email_and_password() -> None:
    """Whoever registers chooses both the words and the text, so that the validator must not backtrack."""
    pieces = [f"aa{letter}" for letter in "abcdefghijklmnop"]
    user = User(email=f"{'.'.join(pieces)}@example.com", username="a" * 3 + " " + "a" * 4 + " " + "a" * 5)
    validator = ContextWordsValidator(["latchkey"])
    validator.validate("a" * 255 + "z", user)
    with pytest.raises(Exception, match="consists of"):
        validator.validate("a" * 256, user)
