"""The TOML file of `make bench ARGS="--beside FILE"`: examples, documentation, and sentences for wrong files."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import BaseModel

from bench.adapter import Person
from bench.beside import description
from bench.beside.adapter import DescribedSystem, find_token
from bench.beside.description import DescriptionError, ServerTable, read_files
from bench.server import BenchmarkError

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = sorted((ROOT / "bench/examples").glob("*.toml"))
PAGE = (ROOT / "docs/benchmarks.md").read_text()
RIGHT = """
[[server]]
name = "one"
base_url = "http://127.0.0.1:8000/auth"
register = { method = "POST", path = "/register", json = { email = "{email}", password = "{password}" } }
login = { method = "POST", path = "/login", form = { user = "{email}", secret = "{password}" } }
refresh = { method = "POST", path = "/refresh", headers = { Cookie = "refresh={refresh_token}" } }
me = { method = "GET", path = "/users/{email}", headers = { Authorization = "Bearer {access_token}" } }
tokens = { access_token = "data.tokens.0", refresh_token = "cookie:refresh" }
"""
PERSON = Person("a@example.com", "secret", access="AAA", refresh="RRR")


def read(tmp_path: Path, text: str) -> list[ServerTable]:
    path = tmp_path / "servers.toml"
    path.write_text(text)
    return read_files([path])


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_each_example_file_describes_a_server_with_all_requests(example: Path) -> None:
    (server,) = read_files([example])
    assert server.refresh is not None
    assert server.me is not None
    assert server.tokens.refresh_token is not None


def test_all_example_files_can_be_measured_in_one_run() -> None:
    assert len(read_files(EXAMPLES)) == 3


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("name =", "nam =", "server 1: name is missing; server 1: nam is not a key of this file."),
        ("login = {", "signin = {", "server 1: login is missing; server 1: signin is not a key of this file."),
        ('"POST", path = "/login"', '"post", path = "/login"', "server 1: login.method is wrong: Input should be"),
        ('method = "POST", path = "/login"', 'method = "POST"', "server 1: login.path is missing."),
        ('"/login"', '"login"', "server 1: login.path must begin with /."),
        ('"/login"', "7", "server 1: login.path is wrong: Input should be a valid string."),
        ("{password}", "{pasword}", "server 1: register.json {pasword} is unknown; the names are email, password,"),
        ("form = {", "json = {}, form = {", "server 1: login has json and form; only one of them can be the body."),
        ("http://127.0.0.1:8000", "https://127.0.0.1", "server 1: base_url must be http:// with the host 127.0.0.1 or"),
        ("127.0.0.1:8000", "example.com", "server 1: base_url must be http:// with the host 127.0.0.1 or localhost"),
        ("127.0.0.1:8000", "127.0.0.1:80000", "server 1: base_url is not a URL."),
        ("register =", "# register =", "server 1: needs register, or accounts.email or accounts.emails of accounts"),
        (', refresh_token = "cookie:refresh"', "", "server 1: needs tokens.refresh_token, or rotates = false."),
        ("tokens =", "process = {}\ntokens =", "server 1: process needs either pids or process_group."),
        (
            "tokens =",
            "process = { pids = [0] }\ntokens =",
            "server 1: process.pids.0 is wrong: Input should be greater",
        ),
        ("tokens =", 'database = { url = "mysql://a" }\ntokens =', "server 1: database url must begin with postgresql"),
        ("tokens =", 'accounts = { email = "a" }\ntokens =', "server 1: accounts email has no {number}, so"),
        (
            "tokens =",
            "accounts = { count = 1 }\ntokens =",
            "server 1: accounts.count is wrong: Input should be greater",
        ),
        ("[[server]]", "[server]", "server is wrong: Input should be a valid list."),
        ("[[server]]", "[[servers]]", "server is missing; servers is not a key of this file."),
        ("[[server]]", "[[server", "is not TOML: "),
    ],
)
def test_wrong_file_is_refused_with_a_sentence_that_names_the_key(
    tmp_path: Path, old: str, new: str, sentence: str
) -> None:
    assert old in RIGHT
    with pytest.raises(DescriptionError) as refused:
        read(tmp_path, RIGHT.replace(old, new))
    assert sentence in str(refused.value)


def test_two_servers_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DescriptionError, match="two servers have the name 'one'"):
        read(tmp_path, RIGHT * 2)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--beside", "no-such-file.toml"], "no-such-file.toml cannot be read: No such file or directory."),
        (["--beside", str(EXAMPLES[0]), "--publish"], "--beside measures the servers of its files: without --only"),
    ],
)
def test_wrong_options_of_beside_exit_with_2_and_a_sentence(arguments: list[str], sentence: str) -> None:
    command = [sys.executable, "-m", "bench", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


def test_templates_are_filled_with_the_user_and_the_tokens(tmp_path: Path) -> None:
    (server,) = read(tmp_path, RIGHT)
    system = DescribedSystem(server)
    sign_up, login = system.sign_up(PERSON), system.login(PERSON)
    refresh, me = system.refresh(PERSON), system.me(PERSON)
    assert sign_up is not None
    assert (sign_up.path, sign_up.body, sign_up.form) == (
        "/auth/register",
        {"email": "a@example.com", "password": "secret"},
        False,
    )
    assert (login.body, login.form) == ({"user": "a@example.com", "secret": "secret"}, True)
    assert (refresh.body, refresh.headers) == (None, {"Host": "127.0.0.1:8000", "Cookie": "refresh=RRR"})
    assert (me.path, me.headers["Authorization"]) == ("/auth/users/a%40example.com", "Bearer AAA")
    assert system.text_of_me(PERSON) == "a@example.com"


def test_tokens_are_found_in_the_body_and_in_cookies(tmp_path: Path) -> None:
    (server,) = read(tmp_path, RIGHT)
    person = Person("a@example.com", "secret")
    cookies = "a=1; Expires=Wed, 21 Oct 2026 07:28:00 GMT, refresh=new; Path=/; HttpOnly"
    DescribedSystem(server).store_tokens(person, {"data": {"tokens": ["abc"]}}, {"set-cookie": cookies})
    assert (person.access, person.refresh) == ("abc", "new")


@pytest.mark.parametrize("place", ["data", "data.tokens", "data.tokens.1", "data.tokens.0.x", "cookie:other"])
def test_an_answer_without_the_token_names_the_key_and_the_path(place: str) -> None:
    with pytest.raises(BenchmarkError, match=f"tokens.access_token: an answer has no token at '{place}'"):
        find_token("access_token", place, {"data": {"tokens": ["abc"]}}, {"set-cookie": "refresh=new"})


def documented_keys(model: type[BaseModel], prefix: str) -> set[str]:
    """Return the keys of a table of the file, with those of the tables in it; requests are documented once."""
    keys = set()
    for name, field in model.model_fields.items():
        key = prefix + (field.alias or name)
        keys.add(key)
        if name in ("accounts", "tokens", "process", "database"):
            nested = getattr(description, f"{name.title()}Table")
            keys |= documented_keys(nested, f"{key}.")
    return keys


def test_benchmarks_page_documents_every_key_of_the_file_and_no_other() -> None:
    section = PAGE.partition("\n## Measure your own servers\n")[2].partition("\n## ")[0]
    documented = set(re.findall(r"^\| `([^`]+)` \|", section, re.MULTILINE))
    requests = {f"REQUEST.{key}" for key in documented_keys(description.MeTable, "")}
    assert documented == documented_keys(ServerTable, "") | requests
