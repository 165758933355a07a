"""deploy/ha and docs/high-availability.md: the commands of the page fill in the files, and both say the same."""

import re
import subprocess
from pathlib import Path

from tests.contracts.test_docs import DOCS, ROOT, rows

HA = ROOT / "deploy" / "ha"
PAGE = (DOCS / "high-availability.md").read_text()


def shell_blocks() -> list[str]:
    return re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)


def run(script: str, folder: Path, variables: str = "") -> None:
    """Run commands of the page with /etc replaced by a folder, and another machine's name and address."""
    script = f"set -eu\n{variables}\n{script}".replace("/etc/", f"{folder}/")
    subprocess.run(["sh", "-c", script], cwd=ROOT, check=True, timeout=60)


def line_with(text: str) -> str:
    (line,) = [line for block in shell_blocks() for line in block.splitlines() if text in line]
    return line


def variables(path: Path) -> dict[str, str]:
    return dict(line.split("=", 1) for line in path.read_text().splitlines() if line and not line.startswith("#"))


def test_page_writes_the_settings_of_etcd_for_each_machine(tmp_path: Path) -> None:
    (tmp_path / "default").mkdir()
    run(line_with("deploy/ha/etcd.env"), tmp_path, "NAME=db3 ADDRESS=10.0.0.13")
    sample, written = variables(HA / "etcd.env"), variables(tmp_path / "default" / "etcd")
    assert written["ETCD_NAME"] == "db3"
    assert written["ETCD_LISTEN_CLIENT_URLS"] == "http://10.0.0.13:2379,http://127.0.0.1:2379"
    same = {"ETCD_INITIAL_CLUSTER", "ETCD_INITIAL_CLUSTER_TOKEN", "ETCD_INITIAL_CLUSTER_STATE"}
    assert {name for name in sample if "AUTO" not in name and written[name] == sample[name]} == same


def test_page_writes_passwords_and_the_address_of_each_machine(tmp_path: Path) -> None:
    (tmp_path / "patroni").mkdir()
    (passwords,) = [block for block in shell_blocks() if "deploy/ha/patroni.env" in block]
    run(passwords, tmp_path)
    path = tmp_path / "patroni" / "patroni.env"
    assert path.stat().st_mode & 0o777 == 0o600
    secrets = [value for name, value in variables(path).items() if name.endswith("_PASSWORD")]
    assert len(set(secrets)) == 4
    assert min(map(len, secrets)) == 32
    run(line_with("CONNECT_ADDRESS=/s"), tmp_path, "NAME=db2 ADDRESS=10.0.0.12")
    written = variables(path)
    assert written["PATRONI_NAME"] == "db2"
    assert written["PATRONI_POSTGRESQL_CONNECT_ADDRESS"] == "10.0.0.12:5432"
    assert written["PATRONI_RESTAPI_CONNECT_ADDRESS"] == "10.0.0.12:8008"
    assert written["PATRONI_ETCD3_HOSTS"] == variables(HA / "patroni.env")["PATRONI_ETCD3_HOSTS"]


def test_page_explains_each_alert() -> None:
    alerts = re.findall(r"alert: (\w+)", (ROOT / "deploy" / "prometheus" / "high-availability.yml").read_text())
    assert [name for name in rows("high-availability.md") if name.startswith(("Patroni", "Postgresql"))] == alerts


def test_drills_run_the_patroni_that_the_page_installs() -> None:
    requirements = re.findall(r"'(patroni\[.*?)'", PAGE + (ROOT / "Makefile").read_text())
    assert len(requirements) == 3
    assert len(set(requirements)) == 1


def test_page_installs_every_file_of_deploy_ha() -> None:
    assert [path.name for path in HA.iterdir() if f"deploy/ha/{path.name}" not in PAGE] == []
