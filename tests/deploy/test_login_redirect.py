"""The redirect after an admin sign-in stays on this site, even where ALLOWED_HOSTS is '*'."""

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from tests.people import PASSWORD

FOREIGN_URLS = [
    "https://evil.example/",
    "//evil.example/",
    "https:evil.example",
    "\\\\evil.example",
    "/\\evil.example",
    "http:///evil.example",
    "javascript:alert(1)",
    "https://127.0.0.1@evil.example/",
    " //evil.example",
]


@pytest.mark.ledger("REG-ALLAUTH-12", "ASVS-3.7.2", "RFC9700-2.1-1")
@pytest.mark.parametrize("hosts", [["testserver"], ["*"]])
def test_admin_login_does_not_redirect_to_another_host_even_with_any_host_allowed(
    db: None, settings: Any, hosts: list[str]
) -> None:
    settings.ALLOWED_HOSTS = hosts
    get_user_model().objects.create_superuser("boss@example.com", PASSWORD)
    typed = {"username": "boss@example.com", "password": PASSWORD}
    wanted = Client().post("/admin/login/", typed | {"next": "/admin/latchkey/user/"})
    assert (wanted.status_code, wanted["Location"]) == (302, "/admin/latchkey/user/")
    for url in FOREIGN_URLS:
        answer = Client().post("/admin/login/", typed | {"next": url})
        assert answer.status_code == 302, url
        assert "evil" not in answer["Location"], url
        assert answer["Location"].startswith("/")
        assert not answer["Location"].startswith(("//", "/\\"))
