"""Nobody can have the mail server say words of theirs: device names, links, and mails to strangers."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest
from django.test import override_settings
from hypothesis import given
from hypothesis import strategies as st

from latchkey.accounts.models import User
from latchkey.core import clock
from latchkey.core.client import ClientInfo
from latchkey.core.user_agent import BROWSERS, SYSTEMS, UNKNOWN, device_name
from latchkey.mail.checks import SAMPLE_CONTEXT
from latchkey.mail.models import Mail, MailKind
from latchkey.mail.render import OURS, is_clickable, render_mail
from latchkey.sign_in.login import login
from tests.fixtures.clients import ClientFactory
from tests.mail.test_notices import CHROME, FIREFOX, notice_kinds
from tests.outbox import decrypt_context, sent_mails
from tests.people import PASSWORD, Person
from tests.support.smtp_server import SmtpServer

VICTIM = "victim@example.com"
HOSTILE_AGENTS = [
    "Win 1000 EUR at prize-evil.com/1.0 CFNetwork/978.0.7 Darwin/18.7.0",
    "(compatible; URGENT call 0900-12345 now bot/1.0)",
    "evil.com/1.0 CFNetwork/1410.0.3 Darwin/22.6.0",
    "Mozilla/5.0 (compatible; visit evil.com crawler/2.1; +http://evil.com)",
    "Mozilla/5.0 (X11; Linux x86_64) evilbot/1.0 (call 0900 12345)",
    "iPhone evil.com/1.0 CFNetwork/978.0.7 Darwin/18.7.0",
    "WebPageTest.org bot",
    "Mozilla/5.0 (Linux; Android 10; evil.com Build/1) AppleWebKit/537.36 Chrome/120.0.0.0 Mobile Safari/537.36",
    "\u202emoc.live/1.0 CFNetwork/978.0.7 Darwin/18.7.0",
]
CLICKABLE_TEXTS = [
    *("evil.com", "www.evil.com", "https://evil.com", "javascript:alert", "mailto:a@evil.com", "a@evil.com"),
    *("evil\u3002com", "evil\uff0ecom", "evil\uff61com", "evil\u2024com", "\\\\evil\\share", "//evil.com"),
    *("call 0900-12345 now", "+49 (30) 12 34 5", "\uff10\uff19\uff10\uff10\uff11", "tel:112", "192.0.2.1.evil.com"),
]


@pytest.mark.ledger("ASVS-1.3.7")
@pytest.mark.parametrize("user_agent", HOSTILE_AGENTS)
def test_device_name_repeats_no_words_of_the_user_agent(user_agent: str) -> None:
    name = device_name(user_agent)
    assert set(name.split(" on ")) <= BROWSERS | SYSTEMS | {UNKNOWN, "iPhone", "iPad"}
    assert "evil" not in name
    assert "0900" not in name


@given(
    st.text(max_size=80)
    | st.from_regex(r"[A-Za-z0-9 .]{1,40}/1\.0 CFNetwork/978\.0\.7 Darwin/18\.7\.0", fullmatch=True)
)
def test_device_name_comes_out_of_closed_lists_whatever_the_client_sends(user_agent: str) -> None:
    assert set(device_name(user_agent).split(" on ")) <= BROWSERS | SYSTEMS | {UNKNOWN, "iPhone", "iPad"}


def test_no_device_name_is_clickable() -> None:
    assert not [name for name in BROWSERS | SYSTEMS if is_clickable(name)]
    assert device_name(CHROME) == "Chrome on Windows"


def visible_words(message: Any) -> str:
    """Return the subject, the text and the HTML of a mail, without the values that are ours."""
    parts = [message.subject, message.body, re.sub(r"<[^>]*>", " ", message.alternatives[0].content)]
    words = "\n".join(parts)
    for ours in ("https://auth.example.com/", "auth.example.com", "1234-5678", SAMPLE_CONTEXT["when"], "192.0.2.1"):
        words = words.replace(ours, " ")
    return words


@pytest.mark.django_db
@pytest.mark.parametrize("kind", MailKind)
@given(st.sampled_from(CLICKABLE_TEXTS) | st.text(max_size=60), st.text("ab \u00e9'", max_size=9))
def test_no_value_of_a_template_becomes_a_link(kind: MailKind, hostile: str, around: str) -> None:
    values = {name: value if name in OURS else f"{around}{hostile}{around}" for name, value in SAMPLE_CONTEXT.items()}
    values["new_email"] = hostile  # of an operator's own template
    with override_settings(PUBLIC_URL="https://auth.example.com"):
        words = visible_words(render_mail(kind, VICTIM, values, 1, clock.now()))
    assert not re.search(r"\w[.\u3002\uff0e\uff61]\w|[@\\]|//|www|\d{5}|0900|[a-z]:[a-z]", words), words


@pytest.mark.parametrize("hostile", CLICKABLE_TEXTS)
def test_clickable_text_is_recognized(hostile: str) -> None:
    assert is_clickable(hostile)
    assert not is_clickable("Firefox on Linux")
    assert not is_clickable("2001:db8::1")
    assert not is_clickable("192.0.2.1")


@pytest.mark.parametrize("user_agent", HOSTILE_AGENTS[:3])
def test_notice_to_an_address_that_was_never_confirmed_is_one_fixed_text(
    configured_smtp_server: SmtpServer, http: httpx.Client, user_agent: str
) -> None:
    victim = Person(http, VICTIM).register()
    http.put("/api/me/", json={"username": "Call 0900"}, headers=victim.login().bearer())
    login(VICTIM, PASSWORD, ClientInfo("203.0.113.1", user_agent))
    assert notice_kinds() == ["new_device"]
    context = decrypt_context(Mail.objects.get())
    assert (context["device"], context["address"], context["username"]) == ("", "", "")


@pytest.mark.ledger("CS-FP-3")
def test_mails_to_subaddresses_of_a_mailbox_share_a_limit(http: httpx.Client, set_policy: Callable[..., None]) -> None:
    for path in ("/api/password/reset/", "/api/email/verify/resend/"):
        statuses = [
            http.post(path, json={"email": f"victim+{number}@{path[5:10]}.example"}).status_code for number in range(6)
        ]
        assert statuses == [202] * 3 + [429] * 3
    set_policy(email_verification="required")
    answers = [register(http, f"other+{number}@example.com") for number in range(5)]
    assert answers == [202] * 3 + [429] * 2
    assert len(sent_mails()) == 3


def test_notices_to_strangers_are_limited_by_mailbox_and_by_the_network_that_causes_them(
    configured_smtp_server: SmtpServer, http: httpx.Client, set_policy: Callable[..., None], from_address: ClientFactory
) -> None:
    set_policy(failures_per_address=6)
    emails = [f"victim+{number}@example.com" for number in range(5)] + [
        f"other{number}@example.com" for number in range(5)
    ]
    for email in emails:
        assert register(http, email) == 201
        login(email, PASSWORD, ClientInfo("203.0.113.1", FIREFOX))
    assert notice_kinds() == []  # the first sign-in
    for email in emails:
        login(email, PASSWORD, ClientInfo("198.51.100.1", CHROME))
    assert notice_kinds() == ["new_device"] * 6
    recipients = [mail.to_address for mail in Mail.objects.all()]
    assert sum(address.startswith("victim") for address in recipients) == 3
    reset = {"email": "somebody.else@example.com"}  # the same counter of the network
    assert from_address("198.51.100.1").post("/api/password/reset/", json=reset).status_code == 429
    User.objects.update(email_verified_at=clock.now())
    login(emails[0], PASSWORD, ClientInfo("198.51.200.1", CHROME))
    login(emails[0], PASSWORD, ClientInfo("198.51.201.1", FIREFOX))
    assert notice_kinds() == ["new_device"] * 2  # owners get theirs


def test_notices_keep_nobody_from_a_password_reset(configured_smtp_server: SmtpServer, alice: Person) -> None:
    for number in range(5):
        login(alice.email, PASSWORD, ClientInfo(f"198.51.{number}.1", CHROME if number % 2 else FIREFOX))
    assert notice_kinds()
    assert alice.http.post("/api/password/reset/", json={"email": alice.email}).status_code == 202


def test_former_address_that_was_never_confirmed_gets_few_notices_of_changes(alice: Person) -> None:
    for number in range(5):
        eve = replace(alice, email=f"victim+{number}@example.com").register().login()
        body = {"email": f"eve{number}@prize-evil.example", "password": PASSWORD}
        assert eve.http.post("/api/email/change/", json=body, headers=eve.bearer()).status_code == 202
        token = sent_mails(body["email"])[0].token
        assert eve.http.post("/api/email/change/confirm/", json={"token": token}).status_code == 200
    notices = [mail for mail in sent_mails() if mail.kind == "email_changed"]
    assert len(notices) == 3
    assert "evil" not in str(notices)


def register(http: httpx.Client, email: str) -> int:
    return http.post("/api/register/", json={"email": email, "password": PASSWORD}).status_code
