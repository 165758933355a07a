"""TOTP: codes of an authenticator app are right in their window and accepted once; secrets are encrypted."""

from base64 import b32decode, b32encode
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote
from xml.etree import ElementTree

import pytest
import time_machine
from django.conf import settings as shipped
from django.db import connection, transaction
from django.test import override_settings

from latchkey.accounts.models import User
from latchkey.core import clock as clocks
from latchkey.core.exceptions import TotpExists
from latchkey.factors import totp
from latchkey.factors.models import TOTP_ENCRYPTION, TotpSecret
from tests.factors.apps import code_at, read_uri, wrong_code
from tests.security.test_leaked_database import every_value, written_forms
from tests.support.captured_log import CapturedLog

RFC_SECRET = b"12345678901234567890"
RFC_6238_APPENDIX_B = {
    59: "287082",
    1111111109: "081804",
    1111111111: "050471",
    1234567890: "005924",
    2000000000: "279037",
    20000000000: "353130",
}
"""Unix times and codes of RFC 6238 appendix B, of which apps with 6 digits show the last six."""

NEW_KEY = "the-secret-key-that-the-operator-has-just-made-0123456789-abcdefghij"


@pytest.fixture
def user(db: None) -> User:
    return User.objects.create_user("alice@example.com", "correct horse battery staple")


def add_app(user: User, secret: bytes = RFC_SECRET) -> bytes:
    """Give the user an authenticator app that is confirmed and was never used."""
    encrypted, now = TOTP_ENCRYPTION.encrypt(secret), clocks.now()
    TotpSecret.objects.create(user=user, secret=encrypted, created_at=now, confirmed_at=now)
    return secret


@pytest.fixture
def secret(clock: time_machine.Traveller, user: User) -> str:
    """The secret of a confirmed app in base32; the clock stands still."""
    return b32encode(add_app(user)).decode()


def enrol(user: User) -> str:
    return totp.begin_enrolment(user).secret


@pytest.mark.parametrize(("at", "code"), RFC_6238_APPENDIX_B.items())
def test_codes_are_those_of_rfc_6238(user: User, at: int, code: str) -> None:
    add_app(user)
    assert totp.use_code(user.pk, code, datetime.fromtimestamp(at, UTC))


@pytest.mark.parametrize(("steps", "accepted"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
@pytest.mark.ledger("RFC6238", "REG-KEYCLOAK-14", "ASVS-6.5.8")
def test_code_is_accepted_one_step_before_and_after_its_own(
    user: User, secret: str, steps: int, accepted: bool
) -> None:
    now = clocks.now()
    assert totp.use_code(user.pk, code_at(secret, now, steps), now) is accepted


@pytest.mark.ledger("RFC6238", "NIST-3.1.4", "ASVS-6.5.1")
def test_code_is_accepted_once_even_within_its_window_zitadel_6452(user: User, secret: str) -> None:
    now = clocks.now()
    code = code_at(secret, now)
    assert totp.use_code(user.pk, code, now)
    for later in range(0, 90, 10):
        assert not totp.use_code(user.pk, code, now + timedelta(seconds=later))


def test_code_of_an_earlier_step_than_the_last_one_is_refused(user: User, secret: str) -> None:
    now = clocks.now()
    assert totp.use_code(user.pk, code_at(secret, now, 1), now)
    assert not totp.use_code(user.pk, code_at(secret, now, 0), now)
    assert not totp.use_code(user.pk, code_at(secret, now, 1), now)
    later = now + timedelta(seconds=30)
    assert totp.use_code(user.pk, code_at(secret, later, 1), later)


def test_every_code_of_an_hour_is_accepted_in_turn(user: User, secret: str) -> None:
    start = clocks.now()
    for step in range(120):
        at = start + timedelta(seconds=30 * step)
        assert totp.use_code(user.pk, code_at(secret, at), at)


def spell(code: str, first: int) -> str:
    """Return the code with the digits of another script."""
    return "".join(chr(first + int(digit)) for digit in code)


SPELLINGS: dict[str, Callable[[str], str]] = {
    "full-width digits": lambda code: spell(code, 0xFF10),
    "Arabic digits": lambda code: spell(code, 0x0660),
    "mathematical digits": lambda code: spell(code, 0x1D7CE),
    "one full-width digit": lambda code: code[:5] + spell(code[5], 0xFF10),
    "a space inside": lambda code: f"{code[:3]} {code[3:]}",
    "a space before": lambda code: f" {code}",
    "a line break after": lambda code: f"{code}\n",
    "five digits": lambda code: code[:5],
    "a leading zero": lambda code: f"0{code}",
    "seven digits": lambda code: f"{code}0",
    "a sign": lambda code: f"+{code[1:]}",
    "an underscore": lambda code: f"{code[:3]}_{code[3:]}",
    "nothing": lambda code: "",
    "NUL": lambda code: f"{code}\0",
    "a thousand digits": lambda code: code * 1000,
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_only_six_ascii_digits_are_a_code(user: User, secret: str, spelling: str) -> None:
    now = clocks.now()
    code = code_at(secret, now)
    assert not totp.use_code(user.pk, SPELLINGS[spelling](code), now)
    assert totp.use_code(user.pk, code, now)


@pytest.mark.parametrize("years", [10, 100, 500])
def test_codes_of_later_centuries_fit_the_column(user: User, secret: str, years: int) -> None:
    at = datetime(2030 + years, 1, 1, tzinfo=UTC)
    assert totp.use_code(user.pk, code_at(secret, at), at)
    assert TotpSecret.objects.get().last_step == int(at.timestamp()) // 30


def test_wrong_code_and_the_code_of_another_user_change_nothing(user: User, secret: str) -> None:
    bob = User.objects.create_user("bob@example.com")
    other = add_app(bob, b"98765432109876543210")
    now, before = clocks.now(), list(TotpSecret.objects.values())
    assert not totp.use_code(user.pk, wrong_code(secret, now), now)
    assert not totp.use_code(user.pk, code_at(other, now), now)
    assert not totp.use_code(User.objects.create_user("carol@example.com").pk, code_at(secret, now), now)
    assert list(TotpSecret.objects.values()) == before


def test_pending_secret_is_no_factor_until_it_is_confirmed(clock: time_machine.Traveller, user: User) -> None:
    enrolled, now = enrol(user), clocks.now()
    code = code_at(enrolled, now)
    assert not totp.use_code(user.pk, code, now)
    assert not totp.confirm_enrolment(user.pk, wrong_code(enrolled, now), now)
    assert not totp.use_code(user.pk, code, now)
    assert totp.confirm_enrolment(user.pk, code, now)
    assert not totp.use_code(user.pk, code, now), "the code that confirms is used"
    assert totp.use_code(user.pk, code_at(enrolled, now, 1), now)
    stored = TotpSecret.objects.get()
    assert (stored.confirmed_at, stored.last_used_at) == (now, now)


def test_confirmed_secret_cannot_be_confirmed_again(clock: time_machine.Traveller, user: User) -> None:
    enrolled, now = enrol(user), clocks.now()
    assert totp.confirm_enrolment(user.pk, code_at(enrolled, now), now)
    assert not totp.confirm_enrolment(user.pk, code_at(enrolled, now, 1), now)
    assert not totp.confirm_enrolment(user.pk, code_at(enrolled, now), now)


def test_next_enrolment_replaces_the_pending_one_supabase_979(clock: time_machine.Traveller, user: User) -> None:
    first, now = enrol(user), clocks.now()
    clock.shift(timedelta(minutes=9))
    secrets, later = [enrol(user) for _ in range(20)], clocks.now()
    assert len({first, *secrets}) == 21
    assert TotpSecret.objects.count() == 1
    assert not totp.confirm_enrolment(user.pk, code_at(first, now), now)
    clock.shift(timedelta(minutes=9))
    assert not totp.confirm_enrolment(user.pk, code_at(secrets[0], clocks.now()), clocks.now())
    assert totp.confirm_enrolment(user.pk, code_at(secrets[-1], clocks.now()), clocks.now())
    assert later < clocks.now()


def test_pending_secret_expires_after_ten_minutes_and_is_pruned(clock: time_machine.Traveller, user: User) -> None:
    enrolment = totp.begin_enrolment(user)
    assert enrolment.expires_at == clocks.now() + timedelta(minutes=10)
    clock.shift(timedelta(minutes=9, seconds=59))
    assert sum(totp.prune_enrolments()) == 0
    clock.shift(timedelta(seconds=1))
    now = clocks.now()
    assert not totp.confirm_enrolment(user.pk, code_at(enrolment.secret, now), now)
    assert sum(totp.prune_enrolments()) == 1
    assert not TotpSecret.objects.exists()


def test_pruning_keeps_confirmed_secrets(user: User, secret: str, clock: time_machine.Traveller) -> None:
    clock.shift(timedelta(days=1000))
    assert sum(totp.prune_enrolments()) == 0
    assert totp.use_code(user.pk, code_at(secret, clocks.now()), clocks.now())


def test_enrolment_does_not_replace_a_confirmed_secret(user: User, secret: str) -> None:
    with pytest.raises(TotpExists):
        totp.begin_enrolment(user)
    assert totp.use_code(user.pk, code_at(secret, clocks.now()), clocks.now())
    assert totp.remove(user.pk)
    assert enrol(user)


def test_removed_secret_is_accepted_no_more(user: User, secret: str) -> None:
    assert totp.remove(user.pk)
    assert not totp.use_code(user.pk, code_at(secret, clocks.now()), clocks.now())
    assert not totp.remove(user.pk)
    assert not TotpSecret.objects.exists()


def test_remove_deletes_a_pending_secret_and_says_that_it_was_no_factor(user: User) -> None:
    enrol(user)
    assert not totp.remove(user.pk)
    assert not TotpSecret.objects.exists()


def test_secrets_are_160_random_bits_in_base32(user: User) -> None:
    secrets = {enrol(user) for _ in range(50)}
    assert len(secrets) == 50
    assert {len(b32decode(secret)) for secret in secrets} == {20}


def test_uri_names_site_and_address_and_is_quoted(user: User, set_policy: Callable[..., None]) -> None:
    set_policy(site_name="Müller & Söhne: 100 %/Café+?#")
    user.email = "a.b+c/d&e=f#g@example.com"
    enrolment = totp.begin_enrolment(user)
    label, parameters = read_uri(enrolment.uri)
    issuer = "Müller & Söhne  100 %/Café+?#"
    assert unquote(label) == f"{issuer}:{user.email}"
    assert parameters == {"secret": enrolment.secret, "issuer": issuer}
    assert enrolment.uri.isascii()
    assert "+" not in enrolment.uri, "an app may show it instead of a space"
    assert label.count(":") == 1
    assert "/" not in label


def test_qr_code_of_the_longest_names_can_be_made(user: User, set_policy: Callable[..., None]) -> None:
    set_policy(site_name="中" * 60)
    user.email = f"{'文' * 60}@{'字' * 180}.com"
    assert totp.qr_code_svg(totp.begin_enrolment(user).uri).startswith("<svg ")


def test_qr_code_is_an_svg_element_without_scripts_styles_and_sizes(user: User) -> None:
    uri = totp.begin_enrolment(user).uri
    svg = totp.qr_code_svg(uri)
    root = ElementTree.fromstring(svg)
    namespace = "{http://www.w3.org/2000/svg}"
    assert (root.tag, set(root.attrib)) == (f"{namespace}svg", {"viewBox"})
    assert [child.tag.removeprefix(namespace) for child in root] == ["title", "path", "path"]
    _, background, modules = root
    size = int(root.attrib["viewBox"].split()[2])
    assert background.attrib == {"fill": "#fff", "d": f"M0 0h{size}v{size}h-{size}z"}
    assert modules.attrib["d"].startswith("M4 4.5h7"), "the quiet zone is 4 modules wide"
    assert set(modules.attrib) == {"stroke", "d"}
    assert not [word for word in ("script", "style", "href", "secret", "otpauth") if word in svg]
    assert svg == totp.qr_code_svg(uri) != totp.qr_code_svg(f"{uri}A")


def test_secret_is_encrypted_anew_when_it_is_used_after_a_rotation_of_the_secret_key(user: User, secret: str) -> None:
    old, now = shipped.SECRET_KEY, clocks.now()
    before = bytes(TotpSecret.objects.get().secret)
    with override_settings(SECRET_KEY=NEW_KEY, SECRET_KEY_FALLBACKS=[old]):
        assert not totp.use_code(user.pk, wrong_code(secret, now), now)
        assert bytes(TotpSecret.objects.get().secret) == before
        assert totp.use_code(user.pk, code_at(secret, now), now)
        after = bytes(TotpSecret.objects.get().secret)
        assert TOTP_ENCRYPTION.is_current(after)
        assert totp.use_code(user.pk, code_at(secret, now, 1), now)
        assert bytes(TotpSecret.objects.get().secret) == after
    with override_settings(SECRET_KEY=NEW_KEY):
        later = now + timedelta(minutes=1)
        assert totp.use_code(user.pk, code_at(secret, later), later)


@pytest.mark.ledger("ASVS-11.3.3")
def test_secret_that_cannot_be_decrypted_accepts_no_code_and_is_logged(
    user: User, secret: str, captured_log: CapturedLog
) -> None:
    now = clocks.now()
    with override_settings(SECRET_KEY=NEW_KEY):
        assert not totp.use_code(user.pk, code_at(secret, now), now)
    stored = bytearray(bytes(TotpSecret.objects.get().secret))
    stored[40] ^= 1
    TotpSecret.objects.update(secret=bytes(stored))
    assert not totp.use_code(user.pk, code_at(secret, now), now)
    lines = [line for line in captured_log.lines() if line["event"] == "totp.undecryptable"]
    assert [line["user_id"] for line in lines] == [user.pk] * 2


@pytest.mark.ledger("ASVS-11.3.1", "ASVS-11.3.2")
def test_no_column_contains_the_secret(user: User) -> None:
    secret = enrol(user)
    assert_not_stored(secret)
    now = clocks.now()
    assert totp.confirm_enrolment(user.pk, code_at(secret, now), now)
    assert totp.use_code(user.pk, code_at(secret, now, 1), now)
    assert_not_stored(secret)


def assert_not_stored(secret: str) -> None:
    """Assert that no column has the secret: in base32, as bytes or in hexadecimal, nor anything of 8 bytes of it."""
    stored, raw = written_forms(every_value()), b32decode(secret)
    assert "alice@example.com" in stored
    assert secret[:12].lower() not in stored
    assert raw.hex()[:16] not in stored
    assert raw[:8].decode("latin-1").lower() not in stored


@pytest.mark.django_db(transaction=True)
@pytest.mark.ledger("REG-ALLAUTH-15", "ASVS-6.5.1")
def test_fifty_parallel_uses_of_one_code_succeed_once() -> None:
    user = User.objects.create_user("alice@example.com")
    secret, now = add_app(user), clocks.now()
    code = code_at(secret, now)

    def use(_: int) -> bool:
        try:
            with transaction.atomic():
                return totp.use_code(user.pk, code, now)
        finally:
            connection.close()

    with ThreadPoolExecutor(25) as pool:
        assert sorted(pool.map(use, range(50))) == [False] * 49 + [True]


@pytest.mark.django_db(transaction=True)
def test_parallel_confirmations_of_one_enrolment_succeed_once() -> None:
    user = User.objects.create_user("alice@example.com")
    secret, now = enrol(user), clocks.now()

    def confirm(_: int) -> bool:
        try:
            with transaction.atomic():
                return totp.confirm_enrolment(user.pk, code_at(secret, now), now)
        finally:
            connection.close()

    with ThreadPoolExecutor(20) as pool:
        assert sorted(pool.map(confirm, range(20))) == [False] * 19 + [True]


def test_budget_of_a_code_is_a_lock_a_select_and_an_update(
    user: User, secret: str, statements: Callable[[Callable[[], Any]], list[str]]
) -> None:
    now = clocks.now()
    sent = statements(lambda: totp.use_code(user.pk, code_at(secret, now), now))
    assert [sql.split()[0] for sql in sent] == ["SELECT", "SELECT", "UPDATE"]
