"""GET /api/: the index of the endpoints."""

import httpx
import pytest


def test_api_index_lists_every_endpoint(http: httpx.Client) -> None:
    answer = http.get("/api/")
    names = [
        *(
            "config",
            "register",
            "login",
            "login/second-factor",
            "login/enrolment/totp",
            "login/enrolment/totp/confirm",
            "login/enrolment/passkey",
            "login/enrolment/passkey/confirm",
            "login/second-factor/passkey",
            "login/passkey/options",
            "login/passkey",
            "login/recovery",
            "login/recovery/cancel",
            "login/recovery/confirm",
            "refresh",
            "logout",
            "browser/login",
            "browser/second-factor",
            "browser/passkey",
            "browser/enrolment/totp",
            "browser/enrolment/passkey",
            "browser/refresh",
            "browser/logout",
            "browser/password/change",
            "me",
            "step-up",
            "step-up/passkey",
            "verify",
            "introspect",
            "revoke",
        ),
        *("sessions", "me/email", "me/events", "me/export"),
        *("me/factors", "me/totp", "me/totp/confirm", "me/recovery-codes", "me/passkeys", "me/passkeys/options"),
        "me/keys",
        *("password/change", "password/reset", "password/reset/confirm"),
        *("email/verify", "email/verify/resend", "email/change", "email/change/confirm"),
        *("users", "roles"),
    ]
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.text == "{" + ", ".join(f'"{name}": "http://127.0.0.1:8000/api/{name}/"' for name in names) + "}"


def test_api_index_urls_lead_to_existing_endpoints(http: httpx.Client) -> None:
    for url in http.get("/api/").json().values():
        assert http.get(url).status_code in (200, 401, 405)


@pytest.mark.ledger("H-HOST-02")
@pytest.mark.parametrize("header", ["X-Forwarded-Host", "Forwarded", "X-Original-URL", "X-Rewrite-URL", "X-Host"])
def test_api_index_urls_ignore_forwarded_host_headers(http: httpx.Client, header: str) -> None:
    poisoned = http.get("/api/", headers={header: "host=evil.example" if header == "Forwarded" else "evil.example"})
    assert poisoned.status_code == 200
    assert poisoned.content == http.get("/api/").content
