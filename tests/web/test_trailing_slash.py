"""Every endpoint works with and without its trailing slash, and never redirects."""

from typing import Any

import httpx
import pytest

from tests.people import PASSWORD, Person
from tests.problems import assert_problem


@pytest.mark.ledger("H-SLASH-01", "RFC9700-4.12")
@pytest.mark.parametrize("slash", ["/", ""])
def test_every_endpoint_works_with_and_without_trailing_slash(http: httpx.Client, slash: str) -> None:
    credentials: dict[str, Any] = {"email": "alice@example.com", "password": PASSWORD}
    registered = http.post(f"/api/register{slash}", json=credentials)
    assert registered.status_code == 201
    signed_in = http.post(f"/api/login{slash}", json=credentials)
    assert signed_in.status_code == 200
    refreshed = http.post(f"/api/refresh{slash}", json={"refresh_token": signed_in.json()["refresh_token"]})
    assert refreshed.status_code == 200
    alice = Person(http, "alice@example.com", access_token=refreshed.json()["access_token"])
    for method in ("GET", "PUT", "PATCH"):
        answer = http.request(method, f"/api/me{slash}", json={"username": "A"}, headers=alice.bearer())
        assert answer.json()["id"] == registered.json()["id"]
    signed_out = http.post(f"/api/logout{slash}", json={"refresh_token": refreshed.json()["refresh_token"]})
    assert signed_out.status_code == 200
    assert alice.me().status_code == 401


@pytest.mark.parametrize("name", ["register", "login", "refresh", "logout", "me"])
def test_errors_are_alike_with_and_without_trailing_slash(http: httpx.Client, name: str) -> None:
    for method in ("GET", "POST", "DELETE", "OPTIONS", "HEAD"):
        with_slash, without = http.request(method, f"/api/{name}/"), http.request(method, f"/api/{name}")
        assert (with_slash.status_code, with_slash.content) == (without.status_code, without.content)
        assert with_slash.headers == without.headers


@pytest.mark.ledger("H-SLASH-02")
@pytest.mark.parametrize("path", ["/api//login/", "//api/login/", "/API/login/", "/api/Login/", "/api/login;x=1/"])
def test_path_with_double_slash_other_case_or_parameters_gets_404(alice: Person, path: str) -> None:
    body = {"email": alice.email, "password": PASSWORD}
    url = httpx.URL("http://127.0.0.1:8000").copy_with(raw_path=path.encode())  # joining would tidy the slashes up
    assert_problem(alice.http.post(url, json=body), 404, "not_found")
    assert alice.http.post("/api/login/", json=body).status_code == 200


@pytest.mark.parametrize("path", ["/api/login.json", "/api/me/1/", "/api/login/?format=api"])
def test_format_suffix_or_parameter_does_not_select_a_format(http: httpx.Client, path: str) -> None:
    answer = http.get(path)
    expected = (405, "method_not_allowed") if "?" in path else (404, "not_found")
    assert_problem(answer, *expected)
