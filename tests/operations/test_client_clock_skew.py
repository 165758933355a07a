"""Clock skew of clients: the API depends on no time that a client sends."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest

from tests.people import Person

HOUR = timedelta(hours=1)


@pytest.mark.ledger("H-TIME-02")
@pytest.mark.parametrize("off", [-HOUR, timedelta(0), HOUR, timedelta(days=-20_000), timedelta(days=20_000)])
def test_api_serves_a_client_with_a_wrong_clock_like_any_other(http: httpx.Client, off: timedelta) -> None:
    at = datetime.now(UTC) + off
    http.headers.update({"Date": format_datetime(at, usegmt=True), "X-Request-Start": f"t={at.timestamp():.3f}"})
    http.headers.update({"If-Modified-Since": format_datetime(at, usegmt=True), "Age": "3600"})
    alice = Person(http, "alice@example.com").register().login()
    assert alice.refresh().refresh().me().json()["id"] == alice.id
    assert alice.try_refresh(alice.spent[-1]).json()["refresh_token"] == alice.refresh_token
    assert alice.logout().status_code == 200
    assert [alice.me().status_code, alice.try_refresh().status_code] == [401, 401]
