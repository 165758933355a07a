"""E-mail addresses: every variant of an address belongs to one account, and invalid addresses are rejected."""

import httpx
import pytest

from latchkey.accounts.models import User
from tests.people import Person, try_login, try_register
from tests.problems import assert_problem
from tests.support.endpoints import nothing_changes

VARIANTS = [
    "ALICE@EXAMPLE.COM",
    "Alice@Example.Com",
    " alice@example.com",
    "alice@example.com ",
    "\talice@example.com\r\n",
    "alice@\uff45\uff58\uff41\uff4d\uff50\uff4c\uff45.com",
]
INVALID_ADDRESSES = [
    *("a", "@", "a@", "@example.com", "example.com", "a@@example.com", "a@b@example.com", "a@b.example@example.com"),
    *("a..b@example.com", ".a@example.com", "a.@example.com", "a b@example.com", "a@exam ple.com"),
    *('"a b"@example.com', "a(x)@example.com", "Alice <a@example.com>", "<a@example.com>", "a@b.example, b@b.example"),
    *("a@localhost", "a@[127.0.0.1]", "a@127.0.0.1", "a@[IPv6:::1]", "a@example", "a@example..com", "a@.example.com"),
    *("a@-example.com", "a@example-.com", "a@exa_mple.com", "a@example.com.", "a@" + "b" * 64 + ".com", "a@xn--.com"),
    *("a\nb@example.com", "a@example.com\nBcc: b@example.com", "a@exa\r\nmple.com", "a\x7f@example.com"),
    *("a\x1b@example.com", "a@exam\x00ple.com", "a\u200bb@example.com", "a@exam\u200bple.com", "a\ufeff@example.com"),
    *("a\u202eb@example.com", "a@exam\u202eple.com", "a@\u2024example.com", "a@examp\u3002\u3002le.com"),
    *("a" * 65 + "@example.com", "a@" + "b." * 130 + "com", "a" * 300 + "@example.com", "x" * 60_000 + "@example.com"),
]


@pytest.mark.ledger("H-EM-01", "H-EM-02", "REG-KEYCLOAK-13")
@pytest.mark.parametrize("variant", VARIANTS)
def test_register_and_login_treat_variants_of_an_email_address_as_one_account(alice: Person, variant: str) -> None:
    with nothing_changes():
        assert_problem(try_register(alice.http, variant, "another password"), 400, "email_taken", ["email"])
    assert try_login(alice.http, variant).status_code == 200


@pytest.mark.parametrize("variant", VARIANTS)
def test_register_stores_the_canonical_form_of_an_email_address(http: httpx.Client, variant: str) -> None:
    answer = try_register(http, variant)
    assert (answer.status_code, answer.json()["email"]) == (201, "alice@example.com")
    assert User.objects.get().email == "alice@example.com"
    assert try_login(http, "alice@example.com").status_code == 200


@pytest.mark.ledger("H-EM-05")
@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a@bücher.example", "a@xn--bcher-kva.example"),
        ("a@BÜCHER.example", "a@bu\u0308cher.example"),
        ("é@example.com", "e\u0301@example.com"),
        ("É@example.com", "é@example.com"),
    ],
)
def test_register_treats_unicode_and_punycode_forms_of_an_address_as_one_account(
    http: httpx.Client, one: str, other: str
) -> None:
    assert try_register(http, one).status_code == 201
    assert_problem(try_register(http, other), 400, "email_taken", ["email"])
    assert try_login(http, other).status_code == try_login(http, one).status_code == 200


@pytest.mark.parametrize(
    "email", ["alice@example.org", "alice+x@example.com", "al.ice@example.com", "a1ice@example.com"]
)
def test_register_treats_a_similar_email_address_as_another_account(alice: Person, email: str) -> None:
    assert_problem(try_login(alice.http, email), 401, "invalid_credentials")
    assert try_register(alice.http, email).status_code == 201


@pytest.mark.ledger("H-EM-03", "H-EM-07", "H-STR-04", "H-EM-06", "RFC5321-4.5.3")
def test_register_rejects_an_invalid_email_address(alice: Person) -> None:
    with nothing_changes():
        for text in INVALID_ADDRESSES:
            answer = try_register(alice.http, text)
            assert answer.status_code == 400, text
            assert_problem(answer, 400, "invalid", ["email"])
            assert len(text) < 10 or text not in answer.json()["errors"]["email"][0]


@pytest.mark.parametrize("text", INVALID_ADDRESSES[:32:4])
def test_login_with_an_invalid_email_address_returns_invalid_credentials(http: httpx.Client, text: str) -> None:
    assert_problem(try_login(http, text), 401, "invalid_credentials")


@pytest.mark.ledger("H-EM-06", "RFC5321-4.5.3")
def test_register_accepts_an_email_address_of_at_most_254_characters(http: httpx.Client) -> None:
    longest = "a" * 64 + "@" + ".".join(["b" * 61] * 3) + ".com"
    assert len(longest) == 254
    assert_problem(try_register(http, longest.replace(".com", ".come")), 400, "invalid", ["email"])
    assert not User.objects.exists()
    assert try_register(http, longest).status_code == 201
    assert try_login(http, longest.upper()).status_code == 200


@pytest.mark.ledger("H-EM-09", "ASVS-1.1.1")
@pytest.mark.parametrize(
    "email", ["a%2540@example.com", "o'hara@example.com", "{{7*7}}@example.com", "$`|/?^@example.com"]
)
def test_register_stores_unusual_but_valid_email_addresses_unchanged(http: httpx.Client, email: str) -> None:
    answer = try_register(http, email)
    assert (answer.status_code, answer.json()["email"]) == (201, email)
    assert try_login(http, email).status_code == 200
