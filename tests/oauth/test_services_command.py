"""latchkey services add, list and remove: client credentials on the command line."""

import re
from pathlib import Path

import pytest

from tests.oauth.conftest import ResourceServer, run_services_command
from tests.server import Server
from tests.support.captured_log import CapturedLog


@pytest.fixture
def shell(tmp_path: Path, database_url: str) -> Server:
    """An installation with an empty, migrated database; no server runs."""
    machine = Server(tmp_path, database_url)
    assert machine.command("migrate", "--verbosity", "0").returncode == 0
    return machine


def test_services_add_prints_the_client_secret_once_and_list_never(
    payments: ResourceServer, captured_log: CapturedLog
) -> None:
    output = run_services_command("add", "payments")
    assert re.fullmatch(r"The secret of 'payments', shown only once:\n[\w-]{43}\n", output)
    listed = run_services_command("list")
    assert re.fullmatch(r"(payments +\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC\n){2}", listed)
    assert run_services_command("remove", "payments") == "2 secrets of 'payments' removed.\n"
    assert run_services_command("list") == ""
    assert [(line["event"], line["reason"]) for line in captured_log.lines()] == [
        ("service.added", "payments"),
        ("service.removed", "payments"),
    ]
    for secret in (output.split()[-1], payments.secret):
        assert secret not in captured_log.text + listed


def test_services_command_reports_usage_errors_in_one_sentence_with_exit_code_2(shell: Server) -> None:
    assert [shell.command("services", "add", "payments").returncode for _ in range(3)] == [0, 0, 2]
    usage_errors = {
        ("add", "payments"): "latchkey: 'payments' has two secrets already; run",
        ("remove", "invoices"): "latchkey: 'invoices' has no secret.",
        ("remove", "invoices", "--older"): "latchkey: 'invoices' has no older secret.",
        ("add", "a b"): "'a b' is not a valid name for a service",
        ("add", ""): "'' is not a valid name for a service",
        ("add", "x" * 65): "is not a valid name for a service",
        ("add", "-x"): "required: NAME",
        ("add",): "required: NAME",
        (): "required: add | list | remove",
        ("rotate",): "invalid choice: 'rotate'",
    }
    for arguments, sentence in usage_errors.items():
        result = shell.command("services", *arguments)
        assert (result.returncode, result.stdout) == (2, ""), arguments
        assert sentence in result.stderr
        assert "Traceback" not in result.stderr
    listed = shell.command("services", "list")
    assert (listed.returncode, len(listed.stdout.splitlines())) == (0, 2)
