"""Environment variables with URLs, origins and hosts: normalized, or refused in one sentence with the name."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from latchkey.conf.env import Env

ORIGINS = [
    ("https://app.example.com/", "https://app.example.com"),
    ("HTTPS://App.Example.com", "https://app.example.com"),
    ("https://app.example.com:443", "https://app.example.com"),
    ("https://app.example.com:", "https://app.example.com"),
    ("https://app.example.com.", "https://app.example.com"),
    ("https://app.example.com:08443/", "https://app.example.com:8443"),
    ("http://app.example.com:80", "http://app.example.com"),
    ("http://app.example.com:443", "http://app.example.com:443"),
    ("http://LOCALHOST:3000/", "http://localhost:3000"),
    ("http://[0:0:0:0:0:0:0:1]:5173", "http://[::1]:5173"),
    ("https://[2001:DB8::1]:443", "https://[2001:db8::1]"),
    ("capacitor://localhost", "capacitor://localhost"),
    ("Ionic://localhost/", "ionic://localhost"),
    ("tauri://localhost", "tauri://localhost"),
    ("chrome-extension://abcdefghijklmnop", "chrome-extension://abcdefghijklmnop"),
    ("https://xn--bcher-kva.example", "https://xn--bcher-kva.example"),
]
NO_ORIGINS = [
    *("*", "null", "app.example.com", "//app.example.com", "https:", "https://", "https:app.example.com", "https:///x"),
    *(
        "https://*.example.com",
        "https://app.example.com/path",
        "https://app.example.com//",
        "https://app.example.com?x",
    ),
    *("https://app.example.com/#", "https://user@app.example.com", "https://app.example.com:x", "https://[::1"),
    *("https://app.example.com:65536", "https://app example.com", "https://app.example.com:-1", "file:///index.html"),
    *("https://bücher.example", "'https://app.example.com'", "https://app..example.com", "https://1.2.3.4.5"),
    *("https://app.example.com;https://b.example", "https://app.example.com https://b.example", "ws://app.example.com"),
    *("https://app.example.com\\", "https://999.1.1.1", "file://localhost", "https://[::1]x", "https://-a.example"),
]


def shown(text: str) -> str:
    """Return a value as an error has it: a password in a URL is not repeated."""
    return "a value with an '@'" if "@" in text else repr(text)


@pytest.mark.parametrize(("text", "origin"), ORIGINS)
def test_origin_is_normalized_to_what_a_browser_sends(text: str, origin: str) -> None:
    assert Env({"ORIGINS": f" {text} ,https://b.example"}).get_origins("ORIGINS") == [origin, "https://b.example"]


@pytest.mark.parametrize("text", NO_ORIGINS)
def test_text_that_is_no_origin_is_refused_by_the_name_of_its_variable(text: str) -> None:
    with pytest.raises(ImproperlyConfigured) as caught:
        Env({"ORIGINS": f"https://a.example,{text}"}).get_origins("ORIGINS")
    assert str(caught.value).startswith(f"ORIGINS contains {shown(text)}; write an origin")


@pytest.mark.parametrize(
    ("text", "url"),
    [
        *((text, origin) for text, origin in ORIGINS if origin.startswith("http")),
        ("https://example.com/auth/", "https://example.com/auth"),
        ("https://example.com/a/b//", "https://example.com/a/b"),
        ("", "http://127.0.0.1:8000"),
        (" ", "http://127.0.0.1:8000"),
    ],
)
def test_url_is_normalized(text: str, url: str) -> None:
    assert Env({"URL": text}).get_url("URL", "http://127.0.0.1:8000") == url


@pytest.mark.parametrize(
    "text",
    [
        *(text for text in NO_ORIGINS if not text.startswith("https://app.example.com/") and "//path" not in text),
        *("https://example.com/a b", "https://example.com/a?b", "https://example.com/a#b", "https://example.com/%61"),
        *("https://example.com//a", "ftp://example.com", "capacitor://localhost", "https://example.com/a;b"),
    ],
)
def test_text_that_is_no_url_is_refused_by_the_name_of_its_variable(text: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"^URL is .*; write a URL, such as"):
        Env({"URL": text}).get_url("URL", "")


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("auth.example.com", "auth.example.com"),
        ("Auth.Example.com.", "auth.example.com"),
        ("https://auth.example.com/", "auth.example.com"),
        ("https://auth.example.com:8443", "auth.example.com"),
        ("auth.example.com:8443", "auth.example.com"),
        (".Example.com", ".example.com"),
        ("127.0.0.1:8000", "127.0.0.1"),
        ("::1", "[::1]"),
        ("[::1]", "[::1]"),
        ("[0:0::1]:8000", "[::1]"),
        ("2001:DB8::1", "[2001:db8::1]"),
        ("*", "*"),
    ],
)
def test_allowed_host_is_normalized_to_what_a_client_sends(text: str, host: str) -> None:
    assert Env({"HOSTS": f"{text},b.example"}).get_hosts("HOSTS", []) == [host, "b.example"]


@pytest.mark.parametrize(
    "text",
    [
        *("*.example.com", "auth.example.com/x", "https://auth.example.com/x", "auth..example.com", "a b", "1.2.3.4.5"),
        *(
            "bücher.example",
            "https://",
            "'auth.example.com'",
            "user@auth.example.com",
            "[::1",
            "..example.com",
            ":8000",
        ),
        *("auth.example.com;b.example", "[::1]x", "auth.example.com:x", "."),
    ],
)
def test_text_that_is_no_host_is_refused_by_the_name_of_its_variable(text: str) -> None:
    with pytest.raises(ImproperlyConfigured) as caught:
        Env({"HOSTS": text}).get_hosts("HOSTS", [])
    assert str(caught.value).startswith(f"HOSTS contains {shown(text)}; write a host")


@pytest.mark.parametrize(
    "text", ["http://127.0.0.1:4318", "https://user:pass%40word@collector.example:443/otlp", "http://[::1]:4318/?x=1"]
)
def test_endpoint_of_a_collector_is_taken_as_it_is(text: str) -> None:
    assert Env({"ENDPOINT": text}).get_endpoint("ENDPOINT") == text


@pytest.mark.parametrize("text", ["127.0.0.1:4318", "grpc://127.0.0.1", "http://", "http://a b", "http://u:secret@/x"])
def test_endpoint_that_cannot_be_reached_by_http_is_refused_by_the_name_of_its_variable(text: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"^ENDPOINT is .*; write a URL, such as") as caught:
        Env({"ENDPOINT": text}).get_endpoint("ENDPOINT")
    assert "secret" not in str(caught.value)
