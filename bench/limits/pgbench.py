"""Upper limit of refreshes: pgbench with the one SQL statement of a refresh, with durable commits."""

import re
import subprocess
from pathlib import Path

import psycopg

from bench.database import Cluster, Database
from latchkey.sessions.sql import ROTATE, for_vendor

SESSIONS = 10_000
DIGEST = "\\x" + "ab" * 32
FILL = """
INSERT INTO latchkey_user (password, is_superuser, email, username, is_active, is_staff, created_at, credential_version)
VALUES ('!', false, 'pgbench@example.com', '', true, false, now(), 0);
INSERT INTO latchkey_session (id, selector, digest, next_digest, user_id, credential_version,
                              created_at, rotated_at, expires_at, ip, user_agent)
SELECT n, n, 'DIGEST', 'DIGEST', u.id, 0, now(), now(), now() + interval '30 days', '203.0.113.7', 'bench'
  FROM latchkey_user AS u, generate_series(1, SESSIONS) AS n WHERE u.email = 'pgbench@example.com'
"""
VALUES = {
    "digest": DIGEST,
    "next_digest": DIGEST,
    "presented": DIGEST,
    "retry_digest": "\\x",
    "cap": str(180 * 24 * 60 * 60),
}
"""Parameters of the rotation. The token of a session stays the same, but its row is written."""


def insert_sessions(database: Database) -> None:
    """Add a user with many sessions to Latchkey's tables."""
    statements = FILL.replace("DIGEST", DIGEST).replace("SESSIONS", str(SESSIONS))
    with psycopg.connect(database.url()) as connection:
        connection.execute(statements.encode())


def write_script(folder: Path) -> Path:
    """Write the SQL statement as a pgbench script."""
    rotate = for_vendor(ROTATE, "postgresql")
    path = folder / "rotate.sql"
    path.write_text(f"\\set selector random(1, {SESSIONS})\n" + re.sub(r"%\((\w+)\)s", r":\1", rotate).strip() + ";\n")
    path.chmod(0o644)
    return path


def measure(cluster: Cluster, database: Database, path: Path, seconds: float, clients: int) -> float:
    """Return the rotations per second, with prepared statements and two threads of pgbench."""
    with psycopg.connect(database.url()) as connection:
        [times] = connection.execute("SELECT now(), now() + interval '30 days', now() - interval '180 days'")
    values = VALUES | dict(zip(("now", "until", "oldest"), map(str, times), strict=True))
    command = [str(cluster.postgres.bin_dir / "pgbench"), "--no-vacuum", "--protocol", "prepared"]
    command += ["--client", str(clients), "--jobs", "2", "--time", str(max(1, round(seconds))), "--file", str(path)]
    command += [f"--define={name}={value}" for name, value in values.items()]
    at = ["--host", "127.0.0.1", "--port", str(database.port), "--username", "postgres", database.name]
    done = subprocess.run([*command, *at], capture_output=True, text=True, timeout=60, check=True)
    found = re.search(r"tps = ([\d.]+)", done.stdout)
    if found is None or "number of failed transactions: 0 " not in done.stdout:
        raise RuntimeError(done.stdout)
    return float(found[1])
