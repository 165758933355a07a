"""deploy/compose.yaml, latchkey.env.example, roles.sh and latchkey.service say what the rest of the project says."""

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
OURS = re.compile(r"LATCHKEY_\w+|(?:DATABASE|EMAIL)_URL")
UNIT = (DEPLOY / "latchkey.service").read_text()
FOR_THE_ROLES = {"POSTGRES_PASSWORD", "OWNER_PASSWORD", "SERVICE_PASSWORD"}


def example() -> set[str]:
    return set(re.findall(r"^(\w+)=", (DEPLOY / "latchkey.env.example").read_text(), re.MULTILINE))


def test_every_variable_of_ours_is_documented() -> None:
    for text in ((DEPLOY / "compose.yaml").read_text(), UNIT, "\n".join(example())):
        assert set(OURS.findall(text)) <= set(rows("settings.md"))


def test_the_example_of_the_environment_is_what_compose_asks_for() -> None:
    asked = set(re.findall(r"\$\{(\w+)", (DEPLOY / "compose.yaml").read_text()))
    assert example() == asked
    assert asked > FOR_THE_ROLES
    secrets = re.findall(
        r"^(\w*(?:SECRET|PASSWORD|EMAIL_URL)\w*)=(.*)$", (DEPLOY / "latchkey.env.example").read_text(), re.M
    )
    assert all(value == "" for _, value in secrets)  # no known password ships


@pytest.mark.parametrize("name", ["one", "two", "migrate"])
def test_what_runs_our_image_has_no_rights_and_writes_nowhere(name: str) -> None:
    service = SERVICES[name]
    assert service["image"] == "latchkey"
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "ports" not in service
    assert service["networks"] == (["inside"] if name == "migrate" else ["inside", "mail"])


def test_nodes_have_a_folder_for_temporary_files_where_nothing_else_is_written_to() -> None:
    assert SERVICES["one"]["tmpfs"] == ["/tmp"]


def test_postgresql_bears_all_the_connections_of_both_nodes() -> None:
    (said,) = re.findall(r"workers x \(threads \+ (\d+)\)", PAGE.read_text())
    bears = SERVICES["postgres"]["command"][-1].removeprefix("max_connections=")
    assert int(bears) > 2 * 8 * (10 + int(said))


def test_nodes_start_once_the_tables_are_there_and_only_nginx_is_reached_from_outside() -> None:
    assert SERVICES["one"] == SERVICES["two"]
    assert SERVICES["one"]["depends_on"] == {"migrate": {"condition": "service_completed_successfully"}}
    assert SERVICES["migrate"]["command"] == ["latchkey", "migrate"]
    assert "latchkey_owner" in SERVICES["migrate"]["environment"]["DATABASE_URL"]
    assert "//latchkey:" in SERVICES["one"]["environment"]["DATABASE_URL"]
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["nginx"]
    assert COMPOSE["networks"]["inside"] == {"internal": True}


def test_the_roles_are_those_of_the_page() -> None:
    (page,) = re.findall(r"```sql\n(CREATE ROLE.*?)```", PAGE.read_text(), re.DOTALL)
    (script,) = re.findall(r"<<'SQL'\n(.*?)SQL\n", (DEPLOY / "roles.sh").read_text(), re.DOTALL)
    plain = re.sub(r" +--.*", "", page).replace("'OWNER-PASSWORD'", ":'owner'")
    assert script == plain.replace("'SERVICE-PASSWORD'", ":'service'")


def test_the_roles_are_not_made_without_passwords() -> None:
    for missing in ("OWNER_PASSWORD", "SERVICE_PASSWORD"):
        known = {"PATH": os.environ["PATH"]} | dict.fromkeys(FOR_THE_ROLES - {missing}, "x")
        done = subprocess.run([str(DEPLOY / "roles.sh")], env=known, capture_output=True, text=True, check=False)
        assert done.returncode == 2
        assert missing in done.stderr


def test_the_unit_serves_without_rights_and_waits_for_the_requests_that_have_begun() -> None:
    said = dict(line.split("=", 1) for line in UNIT.splitlines() if re.match(r"\w+=", line))
    assert said["ExecStart"].startswith("/opt/latchkey/bin/latchkey serve ")
    assert int(said["TimeoutStopSec"]) > 30
    assert said["RestartPreventExitStatus"] == "2"  # what an operator has to mend
    strict = ("DynamicUser", "NoNewPrivileges", "PrivateTmp", "ProtectHome", "MemoryDenyWriteExecute")
    assert {said[name] for name in strict} == {"yes"}
    assert (said["ProtectSystem"], said["CapabilityBoundingSet"]) == ("strict", "")


@pytest.mark.install
def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.fail("This test needs systemd-analyze: apt-get install systemd", pytrace=False)
    unit = tmp_path / "latchkey.service"
    unit.write_text(UNIT.replace("/opt/latchkey/bin/latchkey", "/bin/true"))
    done = subprocess.run([program, "verify", str(unit)], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    asked = [program, "security", "--offline=true", "--threshold=20", str(unit)]
    assert subprocess.run(asked, capture_output=True, check=False, timeout=60).returncode == 0  # 2.0 of 10 at most
