"""The one PostgreSQL of a run: embedded, durable, pinned, a database for each system; and what it counts."""

from pathlib import Path

import psycopg
from psycopg.sql import SQL, Identifier

from bench import processes
from tests.postgres import Postgres


class Cluster:
    """A PostgreSQL server of this run's own; it ends with the run."""

    def __init__(self, folder: Path) -> None:
        self.postgres = Postgres(folder)
        with processes.cpu_affinity(processes.OTHER_CORES):
            self.postgres.create().start()
        self.pid = int((self.postgres.data / "postmaster.pid").read_text().split()[0])

    def create_database(self, name: str) -> "Database":
        """Make an empty database."""
        with psycopg.connect(self.postgres.url, autocommit=True) as connection:
            connection.execute(SQL("CREATE DATABASE {}").format(Identifier(name)))
        return Database(name, self.postgres.port)

    def version(self) -> str:
        with psycopg.connect(self.postgres.url) as connection:
            return str(connection.execute("SHOW server_version").fetchone()[0]).split(maxsplit=1)[0]

    def stop(self) -> None:
        self.postgres.stop("immediate")


class Database:
    """One system's database."""

    def __init__(self, name: str, port: int) -> None:
        self.name, self.port = name, port

    def url(self, port: int = 0) -> str:
        """Return its URL, at the port of a proxy where one is given."""
        return f"postgresql://postgres@127.0.0.1:{port or self.port}/{self.name}"

    def counters(self) -> dict[str, int]:
        """Return the rows there are, the bytes of all tables with their indexes, and the position in the WAL.

        Rows are counted one by one: the statistics of a busy connection come late.
        """
        with psycopg.connect(self.url(), autocommit=True) as connection:
            wal = connection.execute("SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn").fetchone()[0]
            tables = connection.execute(
                "SELECT relname, pg_total_relation_size(relid) FROM pg_stat_user_tables WHERE schemaname = 'public'"
            ).fetchall()
            count = SQL("SELECT count(*) FROM {}")
            rows = [connection.execute(count.format(Identifier(table))).fetchone()[0] for table, _ in tables]
        return {"rows": sum(rows), "bytes": sum(size for _, size in tables), "wal": int(wal)}


def growth_per_1000(before: dict[str, int], after: dict[str, int], times: int) -> dict[str, float]:
    """Return how much each counter has grown in a thousand requests."""
    return {name: (after[name] - before[name]) / times * 1000 for name in before}
