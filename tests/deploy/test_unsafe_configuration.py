"""latchkey serve in production starts with a safe configuration and rejects each unsafe value."""

import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.server import Server
from tests.support.production import HOST, POSTGRESQL, SECRET, production_server, update_environment

KEY, FALLBACKS, HOSTS = "LATCHKEY_SECRET_KEY", "LATCHKEY_SECRET_KEY_FALLBACKS", "LATCHKEY_ALLOWED_HOSTS"
URL, ORIGINS = "LATCHKEY_PUBLIC_URL", "LATCHKEY_CORS_ORIGINS"
DJANGO_INSECURE_KEY = f"django-insecure-{SECRET}"
UNSAFE = [
    (KEY, SECRET[:16], "latchkey.E002", "LATCHKEY_SECRET_KEY has 16 characters"),
    (KEY, SECRET[:49], "latchkey.E002", "LATCHKEY_SECRET_KEY has 49 characters"),
    (KEY, "abcd" * 13, "latchkey.E002", "LATCHKEY_SECRET_KEY has fewer than 5 different characters"),
    (KEY, DJANGO_INSECURE_KEY, "latchkey.E002", "LATCHKEY_SECRET_KEY begins with 'django-insecure-'"),
    (FALLBACKS, f"{SECRET},{SECRET[:49]}", "latchkey.E003", "Key 2 of LATCHKEY_SECRET_KEY_FALLBACKS has 49 characters"),
    (FALLBACKS, "abcd" * 13, "latchkey.E003", "has fewer than 5 different characters"),
    (FALLBACKS, DJANGO_INSECURE_KEY, "latchkey.E003", "begins with 'django-insecure-'"),
    (HOSTS, "", "latchkey.E004", "LATCHKEY_ALLOWED_HOSTS is not set"),
    (HOSTS, f"{HOST},*", "latchkey.E004", "LATCHKEY_ALLOWED_HOSTS contains '*'"),
    (URL, "", "latchkey.E005", "LATCHKEY_PUBLIC_URL is not set"),
    (URL, f"http://{HOST}", "latchkey.E005", "is 'http://auth.example.com', which is not https"),
    (ORIGINS, "https://app.example.com,http://app.example.com", "latchkey.E006", "contains 'http://app.example.com'"),
    (ORIGINS, "http://localhost.example.com", "latchkey.E006", "contains 'http://localhost.example.com'"),
    (ORIGINS, "http://10.0.0.7:3000", "latchkey.E006", "contains 'http://10.0.0.7:3000'"),
    ("EMAIL_URL", "console://", "latchkey.E013", "EMAIL_URL is 'console://', which prints mails"),
]
UNREADABLE = [
    (HOSTS, "*.example.com"),
    (HOSTS, "auth.example.com/x"),
    (URL, HOST),
    (URL, "https://"),
    (URL, "https://[auth"),
    (ORIGINS, "*"),
    (ORIGINS, "null"),
    (ORIGINS, "https://*.example.com"),
    (ORIGINS, "app.example.com"),
    ("OTEL_EXPORTER_OTLP_ENDPOINT", "127.0.0.1:4318"),
    ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "grpc://127.0.0.1:4317"),
]
ALLOWED_ORIGINS = (
    "https://App.Example.com/,capacitor://localhost,ionic://localhost,tauri://localhost,"
    "http://localhost,http://localhost:3000,http://127.0.0.1,http://[::1]:5173,http://tauri.localhost"
)
"""Origins that production takes: https, apps in a web view, and the user's own machine."""


@pytest.fixture
def safe(tmp_path: Path, database_url: str) -> Iterator[Server]:
    server = production_server(tmp_path, database_url)
    yield server
    if server.process:
        server.kill()


def serve(server: Server) -> tuple[int, list[str]]:
    done = server.command("serve", "--port", str(server.port), timeout=15)  # a refusal takes one second
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    return done.returncode, done.stderr.splitlines()


@pytest.mark.ledger("RFC8725-3.5")
def test_serve_in_production_starts_with_a_safe_configuration(safe: Server) -> None:
    safe.start()
    assert httpx.get(f"{safe.url}/readyz").json() == {"status": "ok"}


@pytest.mark.ledger("DJ-W009", "DJ-W025", "DJ-W020", "REG-ALLAUTH-12", "RFC8725-3.5", "REG-PYJWT-21", "ASVS-11.2.3")
@pytest.mark.parametrize(("variable", "value", "number", "sentence"), UNSAFE)
def test_serve_in_production_rejects_an_unsafe_value(
    safe: Server, variable: str, value: str, number: str, sentence: str
) -> None:
    code, (line,) = serve(update_environment(safe, **{variable: value}))
    assert code == 2
    assert line.startswith("latchkey: ")
    assert line.endswith(f"({number})")
    assert sentence in line
    assert not (safe.folder / "var" / "latchkey.sqlite3").exists()


@pytest.mark.parametrize("mode", ["production", "development"])
@pytest.mark.parametrize(("variable", "value"), UNREADABLE)
def test_value_that_is_no_url_origin_or_host_is_refused_in_one_sentence(
    safe: Server, mode: str, variable: str, value: str
) -> None:
    code, (line,) = serve(update_environment(safe, **{"LATCHKEY_MODE": mode, variable: value}))
    assert code == 2
    assert line.startswith(f"latchkey: {variable} ")
    assert repr(value) in line


def test_production_answers_scripts_of_apps_and_of_the_own_machine_where_they_are_named(safe: Server) -> None:
    update_environment(safe, **{ORIGINS: ALLOWED_ORIGINS}).start()
    for origin in ALLOWED_ORIGINS.lower().replace("/,", ",").split(","):
        answer = httpx.post(f"{safe.url}/api/login/", json={}, headers={"Host": HOST, "Origin": origin})
        assert answer.headers.get("Access-Control-Allow-Origin") == origin


@pytest.mark.ledger("DJ-LIST-1")
def test_serve_in_production_without_a_secret_key_does_not_generate_one(safe: Server) -> None:
    code, (line,) = serve(update_environment(safe, **{KEY: ""}))
    assert code == 2
    assert line.startswith("latchkey: LATCHKEY_SECRET_KEY is not set")
    assert not (safe.folder / "var" / "secret").exists()


def test_serve_in_production_prints_each_problem_on_its_own_line(safe: Server) -> None:
    unsafe = dict.fromkeys((HOSTS, URL), "") | {
        KEY: "short",
        FALLBACKS: "old,older",
        ORIGINS: "http://a.example,http://b.example",
    }
    code, lines = serve(update_environment(safe, **unsafe))
    assert code == 2
    assert all(line.startswith("latchkey: ") for line in lines)
    numbers = [line[-5:-1] for line in lines]
    assert numbers == ["E002", "E003", "E003", "E004", "E005", "E006", "E006"]


@pytest.mark.parametrize("secret", [SECRET[:49], "abcd" * 13, DJANGO_INSECURE_KEY])
@pytest.mark.parametrize("variable", [KEY, FALLBACKS])
def test_serve_error_does_not_repeat_the_secret_key(safe: Server, variable: str, secret: str) -> None:
    _, lines = serve(update_environment(safe, **{variable: secret}))
    assert lines
    assert secret not in "\n".join(lines)


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def test_serve_checks_the_configuration_before_port_and_database(safe: Server, taken_port: int) -> None:
    safe.port = taken_port
    update_environment(safe, DATABASE_URL=POSTGRESQL)
    assert "Cannot listen on" in serve(safe)[1][0]
    assert "LATCHKEY_PUBLIC_URL" in serve(update_environment(safe, **{URL: ""}))[1][0]


@pytest.mark.parametrize("command", [("migrate", "--verbosity", "0"), ("prune",), ("check",)])
def test_commands_other_than_serve_run_with_an_unsafe_configuration(safe: Server, command: tuple[str, ...]) -> None:
    assert safe.command("migrate", "--verbosity", "0").returncode == 0
    update_environment(safe, **{URL: "", HOSTS: "", KEY: "short"})
    assert serve(safe)[0] == 2
    done = safe.command(*command)
    assert (done.returncode, done.stderr.count("latchkey.E")) == (0, 0), done.stderr


def test_serve_in_development_starts_with_values_that_are_unsafe_in_production(safe: Server) -> None:
    update_environment(
        safe, LATCHKEY_MODE="development", **{URL: "", HOSTS: "", KEY: "short", ORIGINS: "http://localhost:3000"}
    )
    safe.start()
    assert httpx.get(f"{safe.url}/readyz").json() == {"status": "ok"}
