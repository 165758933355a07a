"""The settings page of the admin: a superuser changes the policy while the service runs."""

import time
from datetime import timedelta

import jwt
import pytest
from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model

from latchkey.conf import policy
from latchkey.conf.durations import readable
from tests.fixtures.admin import SUPERUSER_EMAIL
from tests.people import Person
from tests.support.admin_pages import SETTINGS, Browser, save_settings, shown_messages

DEADLINE_SECONDS = 2.0
"""Seconds in which a change has to be in force."""


def lifetime(person: Person) -> int:
    """Return how many seconds the person's access token lives."""
    claims = jwt.decode(person.access_token, options={"verify_signature": False})
    return int(claims["exp"] - claims["iat"])


def test_admin_change_of_the_access_token_lifetime_takes_effect_within_two_seconds(
    admin: Browser, alice: Person
) -> None:
    assert lifetime(alice) == 30
    assert shown_messages(save_settings(admin, ACCESS_TOKEN_LIFETIME="00:00:05")) == [
        "Live settings updated successfully."
    ]
    deadline = time.monotonic() + DEADLINE_SECONDS
    while lifetime(alice.refresh()) != 5 and time.monotonic() < deadline:
        time.sleep(0.1)
    assert lifetime(alice) == 5


@pytest.mark.parametrize(
    ("typed", "seconds"),
    [
        *(("5", 5), ("00:00:05", 5), ("0:05:00", 300), ("01:00:00", 3600), ("0 00:00:05", 5)),
        *(
            ("5 s", 5),
            ("5s", 5),
            (" 5  Seconds ", 5),
            ("1 second", 1),
            ("5 min", 300),
            ("5 minutes", 300),
            ("1 h", 3600),
        ),
        *(("1 hour", 3600), ("1 min 30 s", 90), ("1 minute and 30 seconds", 90), ("1m30s", 90), ("PT5S", 5)),
    ],
)
def test_admin_settings_form_accepts_durations_with_units_in_seconds_and_as_hh_mm_ss(
    admin: Browser, alice: Person, typed: str, seconds: int
) -> None:
    save_settings(admin, ACCESS_TOKEN_LIFETIME=typed)
    policy.clear_cache()
    assert lifetime(alice.login()) == seconds


@pytest.mark.ledger("DJ-CON-1", "H-ADM-04", "ASVS-1.4.2")
@pytest.mark.parametrize(
    ("setting", "typed", "sentence"),
    [
        ("ACCESS_TOKEN_LIFETIME", "-5", "The shortest value is 1 second."),
        ("ACCESS_TOKEN_LIFETIME", "0", "The shortest value is 1 second."),
        ("ACCESS_TOKEN_LIFETIME", "3601", "The longest value is 1 hour."),
        ("ACCESS_TOKEN_LIFETIME", "1000000000", "The longest value is 1 hour."),
        ("ACCESS_TOKEN_LIFETIME", "2 days", "The longest value is 1 hour."),
        ("ACCESS_TOKEN_LIFETIME", "half a minute", "such as 30 days, 12 h, 15 min or 90 s."),
        ("ACCESS_TOKEN_LIFETIME", "5 years", "This is not a duration."),
        ("ACCESS_TOKEN_LIFETIME", "5 s ago", "This is not a duration."),
        ("ACCESS_TOKEN_LIFETIME", "999999999999 weeks", "This is not a duration."),
        ("ACCESS_TOKEN_LIFETIME", "", "This field is required."),
        ("ACCESS_TOKEN_LIFETIME", None, "This field is required."),
        ("ACCESS_TOKEN_LIFETIME", "9" * 30, "This is not a duration."),
        ("ACCESS_TOKEN_LIFETIME", "9" * 5000, "This is not a duration."),
        ("REFRESH_TOKEN_LIFETIME", "366 00:00:00", "The longest value is 365 days."),
        ("RETRY_WINDOW", "61", "The longest value is 1 minute."),
        ("SESSIONS_PER_USER", "0", "greater than or equal to 1"),
        ("SESSIONS_PER_USER", "many", "Enter a whole number."),
        ("SESSIONS_PER_USER", "9" * 5000, "Enter a whole number."),
        ("PASSWORD_MIN_LENGTH", "7", "greater than or equal to 8"),
        ("PASSWORD_MIN_LENGTH", "<script>", "Enter a whole number."),
    ],
)
def test_admin_settings_form_rejects_a_value_out_of_range_and_changes_nothing(
    admin: Browser, alice: Person, setting: str, typed: str | None, sentence: str
) -> None:
    before = policy.current_policy()
    answer = save_settings(admin, SESSION_LIFETIME_CAP="90 00:00:00", **{setting: typed})
    assert answer.status_code == 200
    assert sentence in answer.text
    assert shown_messages(answer) == ["Failed to update live settings."]
    policy.clear_cache()
    assert policy.current_policy() == before
    assert lifetime(alice.refresh()) == 30


@pytest.mark.ledger("DJ-CON-1")
def test_admin_settings_history_records_each_change_with_its_user(admin: Browser) -> None:
    save_settings(admin, SESSIONS_PER_USER="0")
    assert not LogEntry.objects.exists()
    save_settings(admin, SESSIONS_PER_USER="7")
    entry = LogEntry.objects.get()
    assert entry.user == get_user_model().objects.get(email=SUPERUSER_EMAIL)
    assert "SESSIONS_PER_USER" in entry.change_message
    history = admin.get(f"{SETTINGS}history/").text
    assert SUPERUSER_EMAIL in history
    assert "SESSIONS_PER_USER" in history


def test_admin_settings_form_rejects_a_stale_version(admin: Browser) -> None:
    save_settings(admin, SESSIONS_PER_USER="7")
    answer = save_settings(admin, SESSIONS_PER_USER="8", version="stale")
    assert "modified by someone else" in answer.text
    policy.clear_cache()
    assert policy.current_policy().sessions_per_user == 7


def test_admin_settings_page_shows_each_setting_with_its_help_text(admin: Browser) -> None:
    page = admin.get(SETTINGS).text
    for setting, (_, help_text, _) in settings.CONSTANCE_CONFIG.items():
        assert setting in page
        assert help_text.replace("'", "&#x27;") in page


def test_admin_settings_page_shows_labels_and_readable_defaults(admin: Browser) -> None:
    page = admin.get(SETTINGS).text
    for label, default in {
        "Access token lifetime": "30 seconds",
        "Refresh token lifetime": "30 days",
        "E-mail verification": "off",
        "Registration open": "on",
        "Sessions per user": "100 sessions",
        "Minimum password length": "8 characters",
        "Maximum session age": "180 days",
    }.items():
        assert f">{label}</label>" in page
        assert f"Default: {default}\n" in page


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (timedelta(0), "0 seconds"),
        (timedelta(seconds=1), "1 second"),
        (timedelta(seconds=90), "90 seconds"),
        (timedelta(minutes=2), "2 minutes"),
        (timedelta(hours=36), "36 hours"),
        (timedelta(days=1), "1 day"),
        (True, "on"),
        (7, "7"),
        ("off", "off"),
        ("", "empty"),
    ],
)
def test_admin_shows_a_setting_in_the_largest_unit_that_divides_it(value: object, text: str) -> None:
    assert readable(value) == text


def test_admin_settings_page_shows_durations_as_they_are_typed(admin: Browser) -> None:
    form = admin.get(SETTINGS).context["form"]
    assert form["REFRESH_TOKEN_LIFETIME"].as_widget().count('value="30 days"') == 1
    assert 'data-default="30 days"' in admin.get(SETTINGS).text
    assert "00:00:" not in admin.get(SETTINGS).text
    save_settings(admin, REFRESH_TOKEN_LIFETIME="36 h")
    assert 'value="36 hours"' in admin.get(SETTINGS).text


def test_admin_settings_page_keeps_what_was_typed_beside_the_error(admin: Browser) -> None:
    answer = save_settings(admin, REFRESH_TOKEN_LIFETIME="a fortnight")
    assert 'value="a fortnight"' in answer.text


def test_admin_settings_history_has_labels_with_old_and_new_values(admin: Browser) -> None:
    save_settings(admin, REFRESH_TOKEN_LIFETIME="36 h", REGISTRATION_OPEN=None)
    history = admin.get(f"{SETTINGS}history/").text
    assert "Refresh token lifetime (REFRESH_TOKEN_LIFETIME) from 30 days to 36 hours" in history
    assert "Registration open (REGISTRATION_OPEN) from on to off" in history


def test_admin_settings_history_without_changes_says_so(admin: Browser) -> None:
    page = f"{SETTINGS}history/"
    assert "No setting was changed in the admin area yet." in admin.get(page).text
    save_settings(admin, SESSIONS_PER_USER="7")
    assert "No setting was changed" not in admin.get(page).text
