"""LATCHKEY_EMAIL_SPECIAL_DOMAINS: addresses in private networks, and the reason why an address is refused."""

import re
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from django.core.exceptions import ImproperlyConfigured

from latchkey.accounts.models import normalize_email
from latchkey.conf.env import Env
from latchkey.import_export.email_cache import _normalize_domain, normalize_email_cached
from tests.outbox import last_code_mail
from tests.people import try_login, try_register
from tests.problems import assert_problem

ALLOWED = ["local", "test", "localhost", "intranet", "corp.invalid"]
TAKEN = {
    "admin@company.local": "admin@company.local",
    " Admin@Company.LOCAL ": "admin@company.local",
    "admin@local": "admin@local",
    "a@localhost": "a@localhost",
    "a@mail.localhost": "a@mail.localhost",
    "a@x.test": "a@x.test",
    "a@intranet": "a@intranet",
    "a@dept.intranet": "a@dept.intranet",
    "a@mail.corp.invalid": "a@mail.corp.invalid",
    "a@bücher.local": "a@bücher.local",
    "a@xn--bcher-kva.local": "a@bücher.local",
    "zoë@example.test": "zoë@example.test",
}
REFUSED = [
    *("a@x.invalid", "a@corp.invalid.x.onion", "a@other", "a@xlocal", "a@x.onion", "a@notlocalhost", "a@1.2.3.4"),
    *("a@.local", "a@-x.local", "a@x..local", "a@x_y.local", "a b@x.local", "a@b@x.local", "@x.local", "a@x.local."),
    *(
        "a@x.local\r\nBcc: b@x.local",
        "a@x.local,b@x.local",
        "<a@x.local>",
        "A <a@x.local>",
        "a@x.local ./",
        "a@x/local",
    ),
    *(f"{'a' * 65}@x.local", f"a@{'b' * 64}.local", "a@\x00.local", "a@\ud800.local"),
]
REASONS = {
    "a@company.local": "its domain is reserved for special use; the operator of this service can allow it",
    "a@x.test": "its domain is reserved for special use; the operator of this service can allow it",
    "a@localhost": "its domain has no dot",
    "a@example": "its domain has no dot",
    "alice": "it has no at sign",
    "@example.com": "nothing stands before the at sign",
    "a@": "nothing stands after the at sign",
    "a..b@example.com": "it has two dots in a row",
    ".a@example.com": "a dot or a hyphen stands in the wrong place",
    "a b@example.com": "the part before the at sign has a character that is not allowed there",
    "a@exa mple.com": "its domain has a character that is not allowed there",
    f"{'a' * 65}@example.com": "the part before the at sign is too long",
    "Alice <a@example.com>": "write it without a name and brackets",
}


@pytest.fixture
def special_domains(settings: Any) -> None:
    settings.EMAIL_SPECIAL_DOMAINS = ALLOWED
    _normalize_domain.cache_clear()


@pytest.mark.parametrize(("text", "address"), TAKEN.items())
def test_address_at_a_domain_that_the_operator_allows_is_taken(special_domains: None, text: str, address: str) -> None:
    assert normalize_email(text) == address
    assert normalize_email(address) == address
    assert normalize_email_cached(text.strip()) == address


@pytest.mark.parametrize("text", [text for text in TAKEN if "dept" not in text])
def test_address_at_a_special_domain_is_refused_where_the_operator_allows_none(text: str) -> None:
    _normalize_domain.cache_clear()
    for normalize in (normalize_email, normalize_email_cached):
        with pytest.raises(ValueError, match="This is not a valid e-mail address: its domain"):
            normalize(text)


@pytest.mark.parametrize("text", REFUSED)
def test_address_that_is_invalid_or_elsewhere_is_refused_all_the_same(special_domains: None, text: str) -> None:
    with pytest.raises(ValueError, match=r"^This is not a valid e-mail address"):
        normalize_email(text)


def test_allowed_special_domains_change_nothing_for_other_addresses(special_domains: None) -> None:
    assert normalize_email("User@Example.COM") == "user@example.com"
    assert normalize_email("user@example.com.example") == "user@example.com.example"


@pytest.mark.parametrize(("text", "reason"), REASONS.items())
def test_refused_address_is_answered_with_the_reason_and_without_the_input(
    http: httpx.Client, text: str, reason: str
) -> None:
    answer = try_register(http, text)
    assert_problem(answer, 400, "invalid", ["email"])
    assert answer.json()["errors"] == {"email": [f"This is not a valid e-mail address: {reason}."]}


def test_account_at_a_special_domain_registers_verifies_and_signs_in(
    http: httpx.Client, special_domains: None, set_policy: Callable[..., None]
) -> None:
    set_policy(email_verification="required")
    assert try_register(http, "Admin@company.local").status_code == 202
    mail = last_code_mail("admin@company.local")
    assert http.post("/api/email/verify/", json=mail.code_fields).status_code == 200
    assert try_login(http, "ADMIN@company.local").status_code == 200


@pytest.mark.parametrize(
    ("text", "domains"),
    [("local,test", ["local", "test"]), (" .Local , Corp.Example. ", ["local", "corp.example"]), ("", [])],
)
def test_variable_lists_domains_in_any_spelling(text: str, domains: list[str]) -> None:
    assert Env({"X": text}).get_domains("X") == domains


@pytest.mark.parametrize("text", ["*", "*.local", "a@local", "local test", "http://x", "-x", "a..b", "bücher"])
def test_variable_with_something_else_stops_the_start_with_its_name(text: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=re.escape("LATCHKEY_X has")):
        Env({"LATCHKEY_X": text}).get_domains("LATCHKEY_X")
