"""URLs of an allow-list: a target has exactly an allowed origin, and a path that begins with the allowed one."""

from collections.abc import Iterator
from urllib.parse import quote, urlsplit

import pytest
from django.core.exceptions import ImproperlyConfigured
from hypothesis import given
from hypothesis import strategies as st

from latchkey.conf.web_urls import MAX_LENGTH, is_allowed_redirect, parse_redirect_urls

ALLOWED = parse_redirect_urls(
    ["https://app.example.com/account", "http://localhost:3000", "https://Other.example:443/a/"]
)
GOOD = [
    "https://app.example.com/account",
    "https://app.example.com/account/",
    "https://app.example.com/account/new?x=1&y=https://evil.example/#/welcome",
    "https://APP.example.com:443/account",
    "HTTPS://app.example.com/account?next=//evil.example",
    "https://app.example.com/account/caf%C3%A9",
    "http://localhost:3000",
    "http://localhost:3000/any/page",
    "https://other.example/a/b",
]
BAD = [
    "",
    "/account",
    "//app.example.com/account",
    "app.example.com/account",
    "https:/app.example.com/account",
    "https:app.example.com/account",
    "https:///app.example.com/account",
    "https://app.example.com",
    "https://app.example.com/",
    "https://app.example.com/accountant",
    "https://app.example.com/Account",
    "https://app.example.com:8443/account",
    "https://app.example.com:/account",
    "https://app.example.com:0443/account",
    "https://app.example.com:443:443/account",
    "https://app.example.com./account",
    "https://app.example.com.evil.example/account",
    "https://evil.example/https://app.example.com/account",
    "https://evil.example#https://app.example.com/account",
    "https://evil.example\\@app.example.com/account",
    "https://app.example.com\\@evil.example/account",
    "https://app.example.com@evil.example/account",
    "https://app.example.com%40evil.example/account",
    "https://user@app.example.com/account",
    "https://user:secret@app.example.com/account",
    "https://app.example.com\\account",
    "https:\\\\app.example.com\\account",
    "https://app.example.com/account/../admin",
    "https://app.example.com/account/..",
    "https://app.example.com/account/.",
    "https://app.example.com/account/%2e%2e/admin",
    "https://app.example.com/account/%2E./admin",
    "https://app.example.com/account/%252e%252e/admin",
    "https://app.example.com/account/%25252525252e%25252525252e/admin",
    "https://app.example.com/account/..;/admin",
    "https://app.example.com/account/..%2fadmin",
    "https://app.example.com/account%2f..%2fadmin",
    "https://app.example.com/account/%5c..%5cadmin",
    "https://app.example.com/account//evil.example",
    "https://app.example.com//account",
    "https://app.example.com/account/%00",
    "https://app.example.com/account/%0d%0aSet-Cookie:x",
    "https://app.example.com/account/%zz",
    "https://app.example.com/account/%",
    "https://app.example.com/account\r\n",
    " https://app.example.com/account",
    "\thttps://app.example.com/account",
    "https://app.exam\nple.com/account",
    "https://аpp.example.com/account",  # noqa: RUF001 - a Cyrillic letter
    'https://app.example.com/account?"><script>',
    "http://app.example.com/account",
    "javascript:alert(1)//https://app.example.com/account",
    "data:text/html,x",
    "ftp://app.example.com/account",
    "http://localhost:30000/",
    "http://localhost/",
    "http://127.0.0.1:3000/",
    "https://other.example/a",
    "https://[app.example.com]/account",
    "https://app.example.com/account?" + "x" * MAX_LENGTH,
]


@pytest.mark.parametrize("target", GOOD)
def test_target_at_or_below_an_allowed_url_is_allowed(target: str) -> None:
    assert is_allowed_redirect(target, ALLOWED)


@pytest.mark.parametrize("target", BAD)
def test_any_other_target_is_refused(target: str) -> None:
    assert not is_allowed_redirect(target, ALLOWED)


@pytest.mark.parametrize("target", GOOD)
def test_no_target_is_allowed_by_an_empty_list(target: str) -> None:
    assert not is_allowed_redirect(target, ())


def pieces() -> Iterator[str]:
    yield from ("https://", "http://", "//", "/", "\\", "@", ":", ".", "..", ";", "%2e", "%2f", "%5c", "%25", "?", "#")
    yield from (
        "app.example.com",
        "evil.example",
        "account",
        "443",
        "javascript:",
        "\n",
        "\t",
        " ",
        "\N{FULLWIDTH SOLIDUS}",
    )


@given(st.lists(st.sampled_from([*pieces()]), max_size=10).map("".join) | st.text(max_size=60).map(quote))
def test_allowed_target_has_an_allowed_host_whoever_parses_it(rest: str) -> None:
    for target in (rest, f"https://app.example.com{rest}", f"https://app.example.com/account{rest}"):
        if is_allowed_redirect(target, ALLOWED[:1]):
            assert (urlsplit(target).scheme, urlsplit(target).hostname) == ("https", "app.example.com")
            assert urlsplit(target).path.startswith("/account")
            assert not {"\\", " ", "\n", "\t"} & set(target)


@pytest.mark.parametrize(
    "text",
    [
        "app.example.com",
        "myapp://home",
        "https://user@app.example.com",
        "https://*.example.com",
        "https://a/../b",
        "https://a/?x",
    ],
)
def test_entry_that_is_no_plain_url_stops_the_start_with_the_name_of_the_variable(text: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"^LATCHKEY_REDIRECT_URLS has "):
        parse_redirect_urls([text])
