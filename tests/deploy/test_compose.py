"""deploy/compose.yaml, latchkey.env.example, roles.sh and latchkey.service agree with the documents."""

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.contracts.test_docs import rows
from tests.support.postgres_roles import PAGE

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
VARIABLE = re.compile(r"LATCHKEY_\w+|(?:DATABASE|EMAIL)_URL")
UNIT = (DEPLOY / "latchkey.service").read_text()
ROLE_PASSWORDS = {"POSTGRES_PASSWORD", "OWNER_PASSWORD", "SERVICE_PASSWORD"}


def example() -> set[str]:
    return set(re.findall(r"^(\w+)=", (DEPLOY / "latchkey.env.example").read_text(), re.MULTILINE))


def test_settings_page_documents_every_variable_of_the_deploy_files() -> None:
    for text in ((DEPLOY / "compose.yaml").read_text(), UNIT, "\n".join(example())):
        assert set(VARIABLE.findall(text)) <= set(rows("settings.md"))


def test_example_environment_file_has_exactly_the_variables_of_compose() -> None:
    required = set(re.findall(r"\$\{(\w+)", (DEPLOY / "compose.yaml").read_text()))
    assert example() == required
    assert required > ROLE_PASSWORDS
    secrets = re.findall(
        r"^(\w*(?:SECRET|PASSWORD|EMAIL_URL)\w*)=(.*)$", (DEPLOY / "latchkey.env.example").read_text(), re.M
    )
    assert all(value == "" for _, value in secrets)  # no known password ships


@pytest.mark.parametrize("name", ["one", "two", "migrate"])
def test_compose_services_of_the_image_have_no_capabilities_and_a_read_only_root(name: str) -> None:
    service = SERVICES[name]
    assert service["image"] == "latchkey"
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "ports" not in service
    assert service["networks"] == (["inside"] if name == "migrate" else ["inside", "mail"])


def test_compose_nodes_have_a_tmpfs_for_temporary_files() -> None:
    assert SERVICES["one"]["tmpfs"] == ["/tmp"]


def test_compose_postgresql_max_connections_covers_both_nodes() -> None:
    (extra,) = re.findall(r"workers x \(threads \+ (\d+)\)", PAGE.read_text())
    max_connections = SERVICES["postgres"]["command"][-1].removeprefix("max_connections=")
    assert int(max_connections) > 2 * 8 * (10 + int(extra))


def test_compose_nodes_start_after_migrate_and_only_nginx_publishes_ports() -> None:
    assert SERVICES["one"] == SERVICES["two"]
    assert SERVICES["one"]["depends_on"] == {"migrate": {"condition": "service_completed_successfully"}}
    assert SERVICES["migrate"]["command"] == ["latchkey", "migrate"]
    assert "latchkey_owner" in SERVICES["migrate"]["environment"]["DATABASE_URL"]
    assert "//latchkey:" in SERVICES["one"]["environment"]["DATABASE_URL"]
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["nginx"]
    assert COMPOSE["networks"]["inside"] == {"internal": True}


def test_roles_script_matches_the_sql_of_the_operations_page() -> None:
    (page,) = re.findall(r"```sql\n(CREATE ROLE.*?)```", PAGE.read_text(), re.DOTALL)
    (script,) = re.findall(r"<<'SQL'\n(.*?)SQL\n", (DEPLOY / "roles.sh").read_text(), re.DOTALL)
    head, mark, tail = re.sub(r" +--.*", "", page).partition("\\c latchkey\n")
    assert script.partition(mark)[1:] == (mark, tail)
    for line in head.splitlines():
        statement, _, password = line.rstrip(";").partition(" PASSWORD ")
        assert f"SELECT '{statement}' WHERE NOT EXISTS" in script
        assert not password or f"ALTER ROLE {statement.split()[2]} PASSWORD :'" in script


def test_roles_script_without_passwords_exits_with_2() -> None:
    for missing in ("OWNER_PASSWORD", "SERVICE_PASSWORD"):
        known = {"PATH": os.environ["PATH"]} | dict.fromkeys(ROLE_PASSWORDS - {missing}, "x")
        done = subprocess.run([str(DEPLOY / "roles.sh")], env=known, capture_output=True, text=True, check=False)
        assert done.returncode == 2
        assert missing in done.stderr


def test_systemd_unit_is_sandboxed_and_waits_for_running_requests_on_stop() -> None:
    unit = dict(line.split("=", 1) for line in UNIT.splitlines() if re.match(r"\w+=", line))
    assert unit["ExecStart"].startswith("/opt/latchkey/bin/latchkey serve ")
    assert int(unit["TimeoutStopSec"]) > 30
    assert unit["RestartPreventExitStatus"] == "2"  # what an operator has to mend
    strict = ("DynamicUser", "NoNewPrivileges", "PrivateTmp", "ProtectHome", "MemoryDenyWriteExecute")
    assert {unit[name] for name in strict} == {"yes"}
    assert (unit["ProtectSystem"], unit["CapabilityBoundingSet"]) == ("strict", "")


@pytest.mark.install
def test_systemd_analyze_accepts_the_unit(tmp_path: Path) -> None:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.fail("This test needs systemd-analyze: apt-get install systemd", pytrace=False)
    unit = tmp_path / "latchkey.service"
    unit.write_text(UNIT.replace("/opt/latchkey/bin/latchkey", "/bin/true"))
    done = subprocess.run([program, "verify", str(unit)], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    command = [program, "security", "--offline=true", "--threshold=20", str(unit)]
    assert subprocess.run(command, capture_output=True, check=False, timeout=60).returncode == 0  # 2.0 of 10 at most
