"""EMAIL_URL and LATCHKEY_EMAIL_FROM: strict parsing, and errors that do not repeat the password."""

from email import message_from_bytes
from email.policy import default

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.mail import EmailMessage

from latchkey.conf.email import parse_email_url, parse_from_address

SMTP = {"host": "mail.example.com", "port": 587, "username": "", "password": "", "timeout": 30}
PARSED_URLS = {
    "smtp://mail.example.com": SMTP | {"use_tls": True, "use_ssl": False},
    "smtp://mail.example.com:25/?tls=off": SMTP | {"port": 25, "use_tls": False, "use_ssl": False},
    "smtps://mail.example.com": SMTP | {"port": 465, "use_tls": False, "use_ssl": True},
    "smtp://me%40example.com:p%40s%3Fs@mail.example.com?timeout=5": SMTP
    | {"username": "me@example.com", "password": "p@s?s", "timeout": 5, "use_tls": True, "use_ssl": False},
    "smtp://[::1]:2525": SMTP | {"host": "::1", "port": 2525, "use_tls": True, "use_ssl": False},
}
USED = "smtp://me:pa55word@mail.example.com"
INVALID_URLS = [
    "mail.example.com",
    "http://me:pa55word@mail.example.com",
    "smtp://",
    "smtp://me:pa55word@",
    "smtp://[::1",
    f"{USED}:0",
    f"{USED}:65536",
    f"{USED}:pa55word",
    f"{USED}/path",
    f"{USED}#pa55word",
    f"{USED}?tls=off",
    f"{USED}?tls=pa55word",
    f"{USED}?timeout=0",
    f"{USED}?timeout=121",
    f"{USED}?timeout=pa55word",
    f"{USED}?pa55word",
    f"{USED}?pa55word=on",
    "smtps://mail.example.com?tls=off",
    "smtp://me@mail.example.com",
    "smtp://:pa55word@mail.example.com",
    "console://pa55word",
]


@pytest.mark.parametrize("url", PARSED_URLS)
def test_email_url_gives_smtp_host_port_credentials_and_tls(url: str) -> None:
    assert parse_email_url(url) == PARSED_URLS[url] | {"backend": "latchkey.mail.smtp.EmailBackend"}


def test_email_url_selects_the_console_backend_or_no_mail() -> None:
    assert parse_email_url("console://") == {"backend": "django.core.mail.backends.console.EmailBackend"}
    assert parse_email_url("") is None


@pytest.mark.parametrize("url", INVALID_URLS)
def test_invalid_email_url_error_does_not_repeat_the_password(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"^EMAIL_URL .*\.$") as error:
        parse_email_url(url)
    assert "pa55word" not in str(error.value)
    assert error.value.__suppress_context__ or error.value.__context__ is None


@pytest.mark.parametrize("text", ["a@example.com", "Example <a@example.com>", '"Example, Inc." <a@example.com>'])
def test_email_from_accepts_an_address_with_or_without_a_name(text: str) -> None:
    assert parse_from_address(text, "") == text


@pytest.mark.parametrize(
    ("text", "name", "address"),
    [
        ("Müller GmbH <a@example.com>", "Müller GmbH", "a@example.com"),
        ("Example, Inc. <a@example.com>", "Example, Inc.", "a@example.com"),
        ("example.com <a@example.com>", "example.com", "a@example.com"),
        ("Example (Europe) [test] <a@example.com>", "Example (Europe) [test]", "a@example.com"),
        ("Example <Auth> <a@example.com>", "Example <Auth>", "a@example.com"),
        ('The "Example": a; b@c \\ <a@example.com>', 'The "Example": a; b@c \\', "a@example.com"),
        ('"Müller, \\"M\\" GmbH" <a@example.com>', 'Müller, "M" GmbH', "a@example.com"),
        ("=?utf-8?q?M=C3=BCller=2C_GmbH?= <a@example.com>", "Müller, GmbH", "a@example.com"),
        ("名前 例 <a@example.com>", "名前 例", "a@example.com"),
        ("=?x?q?y <a@example.com>", "=?x?q?y", "a@example.com"),
        ("  Example<a@example.com> ", "Example", "a@example.com"),
        ("<a@example.com>", "", "a@example.com"),
        ("a@bücher.example", "", "a@xn--bcher-kva.example"),
        ("Example <no-reply@company.local>", "Example", "no-reply@company.local"),
        ("root@localhost", "", "root@localhost"),
    ],
)
def test_email_from_takes_any_name_and_the_header_repeats_it(text: str, name: str, address: str) -> None:
    message = EmailMessage("subject", "text", parse_from_address(text, ""), ["bob@example.com"])
    header = message_from_bytes(message.message().as_bytes(), policy=default)["From"]
    assert [(box.display_name, box.addr_spec) for box in header.addresses] == [(name, address)]
    assert parse_from_address(parse_from_address(text, ""), "") == parse_from_address(text, "")


def test_email_from_defaults_to_no_reply_at_the_public_host() -> None:
    assert parse_from_address("", "https://auth.example.com:8443") == "Latchkey <no-reply@auth.example.com>"


@pytest.mark.ledger("ASVS-1.3.11")
@pytest.mark.parametrize(
    "text",
    [
        *(
            "example.com",
            "a@example.com, b@example.com",
            "a@example.com\nBcc: b@example.com",
            "A\r\nBcc: <a@example.com>",
        ),
        *("A <a@example.com>, B <b@example.com>", "A <a@example.com> <b@example.com>", "A <>", "A <a@example.com"),
        *("A\x07 <a@b.example>", "zoë@example.com", "A <a b@example.com>", "<a@example.com> B", "Müller GmbH"),
    ],
)
def test_email_from_rejects_anything_but_one_address(text: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"^LATCHKEY_EMAIL_FROM is "):
        parse_from_address(text, "")
