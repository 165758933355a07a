"""The dashboard of the admin: charts of the hourly counters, and the mail queue, for users with permission."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from latchkey.admin.charts import HEIGHT, Chart, Series, draw_chart, round_up_axis
from latchkey.core import clock
from latchkey.mail.models import Mail
from latchkey.mail.queue import MAX_COUNTED
from latchkey.metrics_server.hourly_totals import LIVE_SESSIONS, current_hour
from latchkey.metrics_server.models import HourlyCount
from tests.fixtures.admin import SUPERUSER_EMAIL
from tests.people import Person
from tests.support.admin_pages import Browser, sign_in
from tests.support.second_factors import set_up_app

TITLES = ["Active sessions", "Registrations", "Sign-ins", "Refreshes", "Refresh token reuse"]


def count(name: str, number: int, hours_ago: int = 0) -> None:
    HourlyCount.objects.create(hour=current_hour() - hours_ago, name=name, count=number)


def charts(browser: Browser, period: str = "") -> dict[str, Chart]:
    answer = browser.get("/admin/", {"period": period})
    assert answer.status_code == 200
    return {each.title: each for each in answer.context["charts"]}


def test_dashboard_without_data_says_that_there_is_none(admin: Browser) -> None:
    page = admin.get("/admin/").text
    assert page.count("No data in this period.") == len(TITLES)
    assert "<rect" not in page
    assert list(charts(admin)) == TITLES


def test_dashboard_chart_shows_the_counts_of_its_events(admin: Browser) -> None:
    numbers = {"user.registered": 3, "login.succeeded": 1200, "login.failed": 30, "session.refreshed": 40}
    numbers |= {
        "rate_limit.exceeded": 5,
        "hashing.overloaded": 2,
        "session.retried": 1,
        "session.replayed": 6,
        LIVE_SESSIONS: 77,
    }
    for name, number in numbers.items():
        count(name, number)
    shown = charts(admin)
    assert [each.headline for each in shown.values()] == ["0", "3", "1,237", "41", "6"]
    assert shown["Active sessions"].columns[-1].cells == ["77"]
    assert [column.cells for column in shown["Sign-ins"].columns][-1] == ["1,200", "30", "7"]
    label = f"{clock.now():%Y-%m-%d %H}:00: 1,200 succeeded, 30 failed, 7 refused"
    page = admin.get("/admin/").text
    assert f"<title>{label}</title>" in page
    assert "<td>1,200</td><td>30</td><td>7</td>" in page


def test_dashboard_shows_the_current_number_of_live_sessions(admin: Browser, alice: Person, bob: Person) -> None:
    assert charts(admin)["Active sessions"].headline == "2"
    assert charts(admin)["Active sessions"].columns[-1].cells == ["2"]
    bob.logout()
    assert charts(admin)["Active sessions"].headline == "1"


def test_dashboard_distinguishes_hours_without_data_from_hours_with_zero_events(admin: Browser) -> None:
    count("login.succeeded", 1, hours_ago=1)
    assert [column.cells for column in charts(admin)["Registrations"].columns[-3:]] == [["no data"], ["0"], ["no data"]]


@pytest.mark.parametrize(("period", "reach"), [("24h", 23), ("7d", 162), ("30d", 29 * 24), ("90d", 87 * 24)])
def test_dashboard_period_shows_no_older_counts(admin: Browser, period: str, reach: int) -> None:
    count("user.registered", 5, hours_ago=reach)
    count("user.registered", 1000, hours_ago=reach + 73)
    count("user.registered", 2)
    count(LIVE_SESSIONS, 9, hours_ago=1)
    count(LIVE_SESSIONS, 4)
    shown = charts(admin, period)
    assert shown["Registrations"].headline == "7"
    assert shown["Active sessions"].columns[-1].cells[0] in ("4", "9")
    assert sum("9" in column.cells for column in shown["Active sessions"].columns) == 1  # the most of a longer stretch
    assert 24 <= len(shown["Registrations"].columns) <= 30


@pytest.mark.parametrize("period", ["", "x", "1e400", "24h'", "30d&30d"])
def test_dashboard_with_an_invalid_period_shows_24_hours(admin: Browser, period: str) -> None:
    assert len(charts(admin, period)["Registrations"].columns) == 24


def test_dashboard_reads_a_year_of_hourly_counts_in_one_statement(
    admin: Browser, statements: Callable[[Callable[[], Any]], list[str]]
) -> None:
    names = ["login.succeeded", "session.refreshed", "session.replayed", LIVE_SESSIONS]
    HourlyCount.objects.bulk_create(
        HourlyCount(hour=current_hour() - ago, name=name, count=ago % 7)
        for ago in range(0, 365 * 24, 3)
        for name in names
    )
    executed = statements(lambda: charts(admin, "90d"))
    assert len([sql for sql in executed if "latchkey_hourlycount" in sql]) == 1


def test_dashboard_shows_charts_to_staff_only_with_permission(admin: Browser, staff: Callable[..., Browser]) -> None:
    clerk = staff("view_user")
    assert "plots" not in clerk.get("/admin/").context
    assert "mail" not in clerk.get("/admin/").context
    assert "Active sessions" not in clerk.get("/admin/").text
    for page in (admin, staff_with(clerk, "view_hourlycount", "view_mail")):
        assert "Active sessions" in page.get("/admin/").text
        assert "Mail queue" in page.get("/admin/").text


def staff_with(clerk: Browser, *permissions: str) -> Browser:
    from django.contrib.auth.models import Permission

    from latchkey.accounts.models import User

    User.objects.get(email="clerk@example.com").user_permissions.set(
        Permission.objects.filter(codename__in=permissions)
    )
    return clerk


def test_dashboard_shows_the_age_of_a_new_mail_as_zero_seconds(admin: Browser) -> None:
    page = admin.get("/admin/").text
    assert "<dd>none</dd>" in page
    Mail.objects.create(kind="new_device", to_address="alice@example.com")
    page = admin.get("/admin/").text
    assert "<dd>none</dd>" not in page
    assert "<dd>0:00:0" in page


def test_dashboard_shows_the_size_and_age_of_the_mail_queue(admin: Browser) -> None:
    now = clock.now()
    Mail.objects.create(kind="new_device", to_address="alice@example.com", created_at=now - timedelta(minutes=5))
    Mail.objects.create(kind="new_device", to_address="alice@example.com")
    Mail.objects.create(kind="new_device", to_address="alice@example.com", sent_at=now)
    Mail.objects.create(kind="new_device", to_address="alice@example.com", failed_at=now)
    mail = admin.get("/admin/").context["mail"]
    assert (mail["waiting"], mail["sent"], mail["failed"]) == ("2", "1", "1")
    assert re.fullmatch(r"0:05:\d\d", str(mail["oldest"]))
    assert mail["counted"] == f"{MAX_COUNTED:,}"


@pytest.mark.parametrize(
    ("highest", "top"), [(0, 1), (1, 1), (2, 2), (3, 5), (9, 10), (11, 20), (50, 50), (51, 100), (1_000_001, 2_000_000)]
)
def test_chart_axis_ends_at_a_round_number(highest: int, top: int) -> None:
    assert round_up_axis(highest) == top


def test_chart_stacks_bars_and_draws_a_count_of_one_visibly() -> None:
    many, once = Series("many", "main", [100, 50, None]), Series("once", "bad", [None, 1, 0])
    drawn = draw_chart(name="x", title="X", description="", headline="", series=[many, once], whens=["a", "b", "c"])
    first, second, third = [column.bars for column in drawn.columns]
    assert [(bar.y, bar.height) for bar in first] == [(0, HEIGHT)]
    assert [(bar.color, bar.y, bar.height) for bar in second] == [("main", 50, 50), ("bad", 49, 1)]
    assert third == []


def test_dashboard_tells_an_operator_who_has_no_second_factor(
    admin: Browser, set_policy: Callable[..., None], staff: Callable[..., Browser]
) -> None:
    sentence = "You have no second factor"
    assert sentence in admin.get("/admin/").text
    assert sentence in staff().get("/admin/").text
    set_policy(second_factor="off")
    assert sentence not in admin.get("/admin/").text
    set_policy(second_factor="optional")
    app = set_up_app(SUPERUSER_EMAIL)
    browser = sign_in(SUPERUSER_EMAIL)
    browser.post("/admin/login/second-factor/", {"code": app.code()})
    page = browser.get("/admin/")
    assert page.status_code == 200
    assert sentence not in page.text
