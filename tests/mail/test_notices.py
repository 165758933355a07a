"""Security notices by mail: which events of an account are reported, to whom, and how often."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from latchkey.accounts.admin_actions import deactivate
from latchkey.accounts.models import User
from latchkey.audit.models import AuditEvent
from latchkey.core import clock
from latchkey.core.client import ClientInfo
from latchkey.mail.delivery import Outcome
from latchkey.mail.models import Mail
from latchkey.mail.notices import BATCH, process_pending
from latchkey.sign_in.login import login
from tests.mail.test_delivery import DeliverDueMails
from tests.outbox import decrypt_context
from tests.people import PASSWORD, Person
from tests.support.smtp_server import SmtpServer

LINUX = "Mozilla/5.0 (X11; Linux x86_64; rv:{0}.0) Gecko/20100101 Firefox/{0}.0"
FIREFOX, NEWER_FIREFOX = LINUX.format(140), LINUX.format(141)
CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
)
KNOWN_ADDRESS, SAME_NETWORK, OTHER_NETWORK = "192.0.2.1", "192.0.2.77", "198.51.100.1"


@pytest.fixture
def sign_in(configured_smtp_server: SmtpServer, http: httpx.Client) -> Callable[..., list[str]]:
    """Return a function that signs alice in from an address with a browser and returns the kinds of the new mails."""
    Person(http, "alice@example.com").register()

    def sign_in(address: str | None = KNOWN_ADDRESS, browser: str = FIREFOX) -> list[str]:
        login("alice@example.com", PASSWORD, ClientInfo(address, browser))
        return notice_kinds()

    return sign_in


def notice_kinds() -> list[str]:
    """Process pending events; return the kinds of the new mails."""
    before = set(Mail.objects.values_list("pk", flat=True))
    while process_pending():
        pass
    return list(Mail.objects.exclude(pk__in=before).order_by("pk").values_list("kind", flat=True))


SignIn = Callable[..., list[str]]


def test_first_login_sends_no_notice(sign_in: SignIn) -> None:
    assert sign_in() == []


@pytest.mark.parametrize(
    ("address", "browser"),
    [(KNOWN_ADDRESS, FIREFOX), (SAME_NETWORK, FIREFOX), (KNOWN_ADDRESS, NEWER_FIREFOX), (SAME_NETWORK, NEWER_FIREFOX)],
)
def test_login_from_a_known_device_and_network_sends_no_notice(sign_in: SignIn, address: str, browser: str) -> None:
    sign_in()
    assert sign_in(address, browser) == []


@pytest.mark.ledger("ASVS-6.3.5")
@pytest.mark.parametrize(
    ("address", "browser"), [(KNOWN_ADDRESS, CHROME), (OTHER_NETWORK, FIREFOX), (OTHER_NETWORK, CHROME), (None, CHROME)]
)
def test_login_from_a_new_device_or_network_sends_one_notice(
    sign_in: SignIn, address: str | None, browser: str
) -> None:
    sign_in()
    assert sign_in(address, browser) == ["new_device"]
    assert sign_in(address, browser) == []
    assert sign_in() == []


def test_login_of_one_device_from_many_networks_sends_two_notices(sign_in: SignIn) -> None:
    sign_in()
    counts = [len(sign_in(f"198.51.{number}.1")) for number in range(5)]
    assert counts == [1, 1, 0, 0, 0]
    assert sign_in("198.51.9.1", CHROME) == ["new_device"]


@pytest.mark.parametrize(("others", "kinds"), [(9, []), (10, []), (499, []), (500, ["new_device"])])
def test_known_device_is_remembered_for_500_events(sign_in: SignIn, others: int, kinds: list[str]) -> None:
    sign_in(OTHER_NETWORK, CHROME)
    sign_in()
    user = User.objects.get()
    AuditEvent.objects.bulk_create([AuditEvent(name="login.failed", user_id=user.pk, ip=KNOWN_ADDRESS)] * (others - 1))
    assert sign_in(OTHER_NETWORK, CHROME) == kinds


def test_login_from_the_same_ipv6_48_prefix_sends_no_notice(sign_in: SignIn) -> None:
    sign_in("2001:db8:1::1")
    assert sign_in("2001:db8:1:ffff::1") == []
    assert sign_in("2001:db8:2::1") == ["new_device"]


def test_new_device_notice_is_sent_once_to_the_user_with_device_and_ip(
    sign_in: SignIn, configured_smtp_server: SmtpServer, deliver_due_mails: DeliverDueMails
) -> None:
    User.objects.update(email_verified_at=clock.now())
    sign_in()
    sign_in(OTHER_NETWORK, CHROME)
    assert notice_kinds() == []
    assert deliver_due_mails() == [Outcome.SENT]
    (mail,) = configured_smtp_server.mails
    assert mail["Subject"] == "New sign-in to your account at auth.example.com"
    text = mail.get_body(("plain",))
    assert text
    for fact in ("Chrome on Windows", OTHER_NETWORK, "UTC", "https://auth.example.com/"):
        assert fact in text.get_content()
    assert configured_smtp_server.recipients == {"alice@example.com": 1}


def test_refresh_token_reuse_sends_a_notice(configured_smtp_server: SmtpServer, alice: Person) -> None:
    alice.refresh().refresh()
    assert alice.try_refresh(alice.spent[0]).status_code == 401
    assert notice_kinds() == ["session_replayed"]


@pytest.mark.ledger("ASVS-6.3.7", "NIST-4.6")
def test_any_password_change_sends_a_notice(configured_smtp_server: SmtpServer, alice: Person, user_row: Any) -> None:
    notice_kinds()
    user = user_row(alice)
    user.set_password("a new long password")
    user.save()
    assert notice_kinds() == ["password_changed"]
    user.changed_by = ClientInfo(OTHER_NETWORK, FIREFOX)
    user.set_unusable_password()
    user.save(update_fields=["password"])
    assert notice_kinds() == ["password_changed"]
    events = AuditEvent.objects.filter(name="password.changed").order_by("pk")
    assert list(events.values_list("user_id", "ip", "user_agent")) == [
        (alice.id, None, ""),
        (alice.id, OTHER_NETWORK, FIREFOX),
    ]


def test_registration_and_display_name_change_record_no_password_change(
    configured_smtp_server: SmtpServer, alice: Person, user_row: Any
) -> None:
    user = user_row(alice)
    user.username = "Alice"
    user.save()
    assert not AuditEvent.objects.filter(name="password.changed").exists()


@pytest.mark.parametrize("reason", ["setting off", "no mail server", "inactive account"])
def test_notices_are_not_sent_without_the_setting_a_mail_server_or_an_active_account(
    sign_in: SignIn, set_policy: Callable[..., None], settings: Any, reason: str
) -> None:
    sign_in()
    if reason == "setting off":
        set_policy(notices=False)
    elif reason == "no mail server":
        settings.MAIL_SERVER = None
    login("alice@example.com", PASSWORD, ClientInfo(OTHER_NETWORK, CHROME))
    if reason == "inactive account":
        deactivate(User.objects.values_list("pk", flat=True))
    assert notice_kinds() == []
    assert not AuditEvent.objects.filter(notification_pending=True).exists()
    set_policy(notices=True)
    assert notice_kinds() == []


def test_unknown_event_of_a_newer_version_does_not_block_notices(
    configured_smtp_server: SmtpServer, alice: Person
) -> None:
    notice_kinds()
    AuditEvent.objects.create(name="passkey.added", user_id=alice.id, notification_pending=True)
    alice.refresh().refresh().try_refresh(alice.spent[0])
    assert notice_kinds() == ["session_replayed"]
    assert not AuditEvent.objects.filter(notification_pending=True).exists()


def test_pending_events_are_processed_in_batches(sign_in: SignIn) -> None:
    for _ in range(BATCH + 1):
        login("alice@example.com", PASSWORD, ClientInfo(KNOWN_ADDRESS, FIREFOX))
    assert [process_pending(), process_pending(), process_pending()] == [BATCH, 1, 0]


def test_notices_to_an_unverified_email_are_limited_and_omit_the_display_name(
    configured_smtp_server: SmtpServer, alice: Person
) -> None:
    person = User.objects.get(pk=alice.id)
    person.username = "Call 555 1234"
    person.save(update_fields=["username"])

    def change_password_five_times() -> list[str]:
        for number in range(5):
            person.set_password(f"another long password {number}")
            person.save(update_fields=["password"])
        return notice_kinds()

    assert change_password_five_times() == ["password_changed"] * 3
    assert change_password_five_times() == []
    assert {decrypt_context(mail)["username"] for mail in Mail.objects.all()} == {""}
    User.objects.filter(pk=alice.id).update(email_verified_at=clock.now())
    assert change_password_five_times() == ["password_changed"] * 5
    assert decrypt_context(Mail.objects.latest("pk"))["username"] == "Call 555 1234"
