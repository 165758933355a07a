"""A PostgreSQL with the roles of docs/operations.md, each with a password."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.postgres import Postgres
from tests.support.postgres_servers import shared_directory, stop_afterwards

PAGE = Path(__file__).resolve().parents[2] / "docs" / "operations.md"
OWNER, SERVICE = "latchkey_owner", "latchkey"
PG_HBA = """
host all postgres 127.0.0.1/32 trust
host all all 127.0.0.1/32 scram-sha-256
"""


def role_statements() -> list[str]:
    """Return the SQL statements of the page that create the roles, one by one."""
    (script,) = re.findall(r"```sql\n(CREATE ROLE.*?)```", PAGE.read_text(), re.DOTALL)
    return [statement for line in script.splitlines() if (statement := line.partition("--")[0].strip())]


@contextmanager
def postgres_with_roles() -> Iterator[Postgres]:
    """Run a PostgreSQL that is prepared as the page says; only the superuser connects without a password."""
    postgres = Postgres(shared_directory()).create()
    (postgres.data / "pg_hba.conf").write_text(PG_HBA)
    with stop_afterwards(postgres.start()):
        database = "postgres"
        for statement in role_statements():
            if statement.startswith("\\c "):
                database = statement.split()[1]
            else:
                postgres.sql(statement, database)
        yield postgres


def role_url(role: str, port: int, password: str = "", options: str = "") -> str:
    return f"postgresql://{role}:{password or role_password(role)}@127.0.0.1:{port}/latchkey{options}"


def role_password(role: str) -> str:
    """Return the password of a role in the example of the page."""
    return str(re.findall(rf"CREATE ROLE {role} LOGIN PASSWORD '([^']+)'", PAGE.read_text())[0])
