"""A PostgreSQL with the roles of docs/operations.md, each with a password that the server asks for."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.faults.postgresql import folder_for_nobody, stopped_after
from tests.postgres import Postgres

PAGE = Path(__file__).resolve().parents[2] / "docs" / "operations.md"
OWNER, SERVICE = "latchkey_owner", "latchkey"
WHO_MAY_CONNECT = """
host all postgres 127.0.0.1/32 trust
host all all 127.0.0.1/32 scram-sha-256
"""


def documented() -> list[str]:
    """Return the statements that make the roles, one by one, as the page has them."""
    (script,) = re.findall(r"```sql\n(CREATE ROLE.*?)```", PAGE.read_text(), re.DOTALL)
    return [statement for line in script.splitlines() if (statement := line.partition("--")[0].strip())]


@contextmanager
def with_roles() -> Iterator[Postgres]:
    """Run a PostgreSQL prepared as the page says; the test's own superuser alone comes in without a password."""
    postgres = Postgres(folder_for_nobody()).create()
    (postgres.data / "pg_hba.conf").write_text(WHO_MAY_CONNECT)
    with stopped_after(postgres.start()):
        database = "postgres"
        for statement in documented():
            if statement.startswith("\\c "):
                database = statement.split()[1]
            else:
                postgres.sql(statement, database)
        yield postgres


def url(role: str, port: int, password: str = "", options: str = "") -> str:
    return f"postgresql://{role}:{password or password_of(role)}@127.0.0.1:{port}/latchkey{options}"


def password_of(role: str) -> str:
    """Return the password that the page's example gives a role."""
    return str(re.findall(rf"CREATE ROLE {role} LOGIN PASSWORD '([^']+)'", PAGE.read_text())[0])
