"""parse_database_url: DATABASE_URL as Django's database settings."""

from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from hypothesis import given
from hypothesis import strategies as st

from latchkey.conf.database import parse_database_url

PARTS = ("USER", "PASSWORD", "HOST", "PORT", "NAME")


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("sqlite:////srv/latchkey.sqlite3", "/srv/latchkey.sqlite3"),
        ("sqlite:///var/latchkey.sqlite3", "var/latchkey.sqlite3"),
        ("sqlite:////srv/with%20space%3F/x.db", "/srv/with space?/x.db"),
    ],
)
def test_sqlite_database_url_gives_a_file_path_with_durable_commits(url: str, name: str) -> None:
    settings = parse_database_url(url)
    assert (settings["ENGINE"], settings["NAME"]) == ("django.db.backends.sqlite3", name)
    assert settings["OPTIONS"]["transaction_mode"] == "IMMEDIATE"
    assert settings["OPTIONS"]["timeout"] > 0
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        assert pragma in settings["OPTIONS"]["init_command"]


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        ("postgresql://u:p@db:5433/name", ("u", "p", "db", "5433", "name")),
        ("postgres://u:p@db/name", ("u", "p", "db", None, "name")),
        ("postgresql://u:p%40%3A%2F%23@db/na%20me", ("u", "p@:/#", "db", None, "na me")),
        ("postgresql://u@[2001:db8::1]:5432/name", ("u", None, "2001:db8::1", "5432", "name")),
        ("postgresql://a:1,b:2/name", (None, None, "a,b", "1,2", "name")),
        ("postgresql:///name?host=/run/postgresql", (None, None, "/run/postgresql", None, "name")),
    ],
)
def test_postgresql_database_url_is_parsed_as_libpq_does(url: str, parts: tuple[str | None, ...]) -> None:
    settings = parse_database_url(url)
    assert settings["ENGINE"] == "latchkey.db.postgresql"
    assert tuple(settings.get(part) for part in PARTS) == parts
    assert 0 < settings["OPTIONS"]["connect_timeout"] <= 5
    assert settings["DISABLE_SERVER_SIDE_CURSORS"] is True


def test_postgresql_database_url_sets_tcp_timeouts_unless_it_names_its_own() -> None:
    options: dict[str, Any] = parse_database_url("postgresql://a/name")["OPTIONS"]
    assert (options["tcp_user_timeout"], options["keepalives_idle"], options["keepalives_interval"]) == (5000, 5, 2)
    overridden = parse_database_url("postgresql://a/name?tcp_user_timeout=9000&keepalives_idle=60")["OPTIONS"]
    assert (int(overridden["tcp_user_timeout"]), int(overridden["keepalives_idle"])) == (9000, 60)


def test_postgresql_database_url_passes_further_parameters_to_libpq() -> None:
    url = "postgresql://a,b/name?target_session_attrs=read-write&sslmode=verify-full&connect_timeout=7"
    options: dict[str, Any] = parse_database_url(url)["OPTIONS"]
    assert (options["target_session_attrs"], options["sslmode"]) == ("read-write", "verify-full")
    assert int(options["connect_timeout"]) == 7


@pytest.mark.parametrize(
    ("query", "threshold"),
    [
        ("", 5),
        ("?sslmode=require", 5),
        ("?prepared_statements=on&sslmode=require", 5),
        ("?prepared_statements=off", None),
        ("?prepared_statements=off&sslmode=require", None),
        ("?sslmode=require&prepared_statements=off", None),
    ],
)
def test_postgresql_database_url_prepares_statements_unless_switched_off(query: str, threshold: int | None) -> None:
    options: dict[str, Any] = parse_database_url(f"postgresql://a/name{query}")["OPTIONS"]
    assert options["prepare_threshold"] == threshold
    assert options.get("sslmode") == ("require" if "sslmode" in query else None)
    assert "prepared_statements" not in options


INVALID_URLS = ["", "x", "mysql://u:s3cret@db/name", "sqlite://", "sqlite:///", "sqlite://file", "sqlite:s3cret", "://"]
INVALID_URLS += ["postgresql://u:s3cret@db", "postgresql://u:s3cret@db/", "postgresql://u:s3cret@db/name?bogus=1"]
INVALID_URLS += ["postgresql://u:s3cret@[::1/name", "postgresql://u:s3cret@db/name?sslmode", "postgresql:s3cret"]
INVALID_URLS += ["postgresql://u:s3cret@db/name?prepared_statements=maybe"]


@pytest.mark.parametrize("url", INVALID_URLS)
def test_invalid_database_url_error_does_not_repeat_the_url(url: str) -> None:
    with pytest.raises(ImproperlyConfigured) as error:
        parse_database_url(url)
    assert str(error.value).startswith("DATABASE_URL ")
    assert "s3cret" not in str(error.value)


@given(st.text(), st.sampled_from(["", "sqlite:///", "postgresql://", "postgresql://u:p@h/"]))
def test_database_url_of_any_text_gives_settings_or_improperly_configured(text: str, start: str) -> None:
    try:
        settings = parse_database_url(start + text)
    except ImproperlyConfigured:
        return
    assert settings["NAME"]
    assert settings["CONN_MAX_AGE"] is None
