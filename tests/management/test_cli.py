"""The command line itself: help, version, unknown commands, and Django's commands under `latchkey django`."""

import os
import subprocess
import sys
import tomllib
from importlib import import_module
from pathlib import Path

import pytest
from django.core.management import get_commands

from latchkey.cli import COMMANDS
from latchkey.management import commands
from latchkey.management.command_names import command_names
from latchkey.management.options import OPTIONS, build_parser
from tests.server import LATCHKEY, Server

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
SUMMARIES = {name: summary for group in COMMANDS.values() for name, summary in group.items()}
OWN_COMMANDS = sorted(path.stem for path in Path(commands.__path__[0]).glob("[!_]*.py"))


@pytest.fixture
def latchkey(tmp_path: Path) -> Server:
    """Commands with a data directory of their own; no server is started."""
    return Server(tmp_path)


def run_without_packages(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command line in a Python that sees the source tree and no installed package."""
    code = "import sys; sys.path.insert(0, sys.argv.pop(1)); from latchkey.cli import main; main()"
    command = [sys.executable, "-I", "-S", "-c", code, str(ROOT), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("words", [[], ["help"], ["--help"], ["-h"]])
def test_help_has_a_line_for_each_command_and_imports_no_installed_package(words: list[str]) -> None:
    done = run_without_packages(*words)
    assert (done.returncode, done.stderr) == (0, "")
    lines = [line.split(maxsplit=1) for line in done.stdout.splitlines() if line.startswith("  ")]
    assert {name: summary for name, summary in lines if name in SUMMARIES} == SUMMARIES
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_version_of_a_source_tree_that_is_not_installed_is_unknown() -> None:
    assert run_without_packages("--version").stdout == "latchkey 0+unknown\n"


@pytest.mark.parametrize("word", ["version", "--version", "-V"])
def test_version_option_prints_the_version_of_latchkey(latchkey: Server, word: str) -> None:
    done = latchkey.command(word)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"latchkey {VERSION}\n", "")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        *(("--help", 0), ("--version", 0), ("serve --help", 0), ("help users import", 0), ("migrate --help", 0)),
        *(("srve", 2), ("--frobnicate", 2), ("help srve", 2), ("serve --frobnicate", 2), ("keys rotat", 2)),
    ],
)
def test_help_version_and_refused_words_take_less_than_300_ms_of_cpu(words: str, code: int) -> None:
    with subprocess.Popen([LATCHKEY, *words.split()], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == code
    assert used.ru_utime + used.ru_stime < 0.3


def test_command_names_are_those_that_django_finds() -> None:
    assert command_names() == set(get_commands())


@pytest.mark.parametrize("name", OWN_COMMANDS)
def test_options_are_the_same_for_the_command_line_and_for_the_command(name: str) -> None:
    command = import_module(f"latchkey.management.commands.{name}").Command()
    both = [command.create_parser("latchkey", name), build_parser(f"latchkey {name}", OPTIONS[name], VERSION)]
    django, ours = ({*parser._option_string_actions} for parser in both)
    assert ours - {"--skip-checks"} == django - {"--skip-checks"}
    assert len({len(parser._get_positional_actions()) for parser in both}) == 1


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("serve --frob", "latchkey serve: unrecognized arguments: --frob; 'latchkey serve --help' lists the options."),
        ("serve --port 0", "latchkey serve: argument --port: '0' is not a whole number from 1 to 65535; "),
        ("serve extra", "latchkey serve: unrecognized arguments: extra; "),
        ("keys", "latchkey keys: the following arguments are required: {list,rotate,retire}; "),
        ("keys list --frob", "latchkey keys: unrecognized arguments: --frob; "),
        ("users import", "latchkey users import: the following arguments are required: FILE; "),
        ("import-from axes", "latchkey import-from: argument system: invalid choice: 'axes'"),
        ("migrate --frob", "latchkey migrate: unrecognized arguments: --frob; "),
        ("prune --frob", "latchkey prune: unrecognized arguments: --frob; "),
        ("check --frob", "latchkey check: unrecognized arguments: --frob; 'latchkey check --help' lists the options."),
        ("createsuperuser --frob", "latchkey createsuperuser: unrecognized arguments: --frob; "),
        ("django shell --frob", "latchkey django shell: unrecognized arguments: --frob; "),
        ("django serve --port x", "latchkey django serve: argument --port: 'x' is not a whole number"),
        ("constance frob", "latchkey constance: argument command: invalid choice: 'frob'"),
        ("services add a/b", "latchkey: 'a/b' is not a valid name for a service; "),
        ("mail test frob", "latchkey: 'frob' is not a valid e-mail address."),
    ],
)
def test_wrong_option_of_any_command_is_one_sentence_with_exit_code_2(
    latchkey: Server, words: str, sentence: str
) -> None:
    done = latchkey.command(*words.split())
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith(sentence)


def test_help_lists_every_command_of_latchkey_and_no_other() -> None:
    assert sorted(name.replace("-", "_") for name in SUMMARIES) == sorted([*OWN_COMMANDS, "django"])


@pytest.mark.parametrize("name", OWN_COMMANDS)
def test_help_summary_of_a_command_is_the_first_sentence_of_its_help(name: str) -> None:
    (summary,) = (text for listed, text in SUMMARIES.items() if listed.replace("-", "_") == name)
    own = import_module(f"latchkey.management.commands.{name}").Command.help
    assert own.partition(". ")[0].rstrip(".") == summary.rstrip(".")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["srve"], "'srve' is not a command; did you mean 'serve'?"),
        (["import-form"], "'import-form' is not a command; did you mean 'import-from'?"),
        (["end_sesions"], "'end_sesions' is not a command; did you mean 'end_sessions'?"),
        (["qqqq"], "'qqqq' is not a command; 'latchkey --help' lists them."),
        (["--frobnicate"], "'--frobnicate' is not a command; 'latchkey --help' lists them."),
        (["help", "srve"], "'srve' is not a command; did you mean 'serve'?"),
        (["django", "shel"], "'shel' is not a command; did you mean 'shell'?"),
        (["django", "qqqq"], "'qqqq' is not a command; 'latchkey django --help' lists them."),
    ],
)
def test_unknown_command_prints_one_sentence_with_the_nearest_name_and_exits_with_2(
    latchkey: Server, words: list[str], sentence: str
) -> None:
    done = latchkey.command(*words)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"latchkey: {sentence}\n")


@pytest.mark.parametrize("command", ["serve", "check", "createsuperuser", "spectacular"])
def test_invalid_settings_are_reported_by_every_command(latchkey: Server, command: str) -> None:
    latchkey.environment["LATCHKEY_MODE"] = "staging"
    done = latchkey.command(command)
    assert done.returncode == 2
    assert done.stderr.startswith("latchkey: LATCHKEY_MODE is 'staging'")


@pytest.mark.parametrize("prefix", [[], ["django"]])
@pytest.mark.parametrize("command", [["check"], ["makemigrations", "--help"], ["spectacular", "--help"]])
def test_commands_of_django_and_libraries_run_with_and_without_the_django_prefix(
    latchkey: Server, prefix: list[str], command: list[str]
) -> None:
    done = latchkey.command(*prefix, *command)
    assert done.returncode == 0, done.stderr
    if "--help" in command:
        assert done.stdout.startswith(f"usage: {' '.join(['latchkey', *prefix, command[0]])} ")


@pytest.mark.parametrize("words", [["django"], ["django", "help"], ["django", "--help"]])
def test_latchkey_django_lists_the_commands_of_django(latchkey: Server, words: list[str]) -> None:
    listed = latchkey.command(*words).stdout.split()
    assert {"shell", "createsuperuser", "check", "spectacular", "constance"} <= {*listed}


def test_latchkey_django_version_prints_the_version_of_django(latchkey: Server) -> None:
    from django import get_version

    assert latchkey.command("django", "--version").stdout == f"{get_version()}\n"


def test_command_names_accept_a_hyphen_or_an_underscore(latchkey: Server) -> None:
    for name in ("import-from", "import_from", "end-sessions", "end_sessions"):
        done = latchkey.command(name, "--help")
        assert done.stdout.startswith(f"usage: latchkey {name} "), done.stderr


def test_help_with_a_command_prints_the_help_of_that_command(latchkey: Server) -> None:
    assert latchkey.command("help", "serve").stdout == latchkey.command("serve", "--help").stdout
