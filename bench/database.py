"""The PostgreSQL server of a run: durable commits, pinned to its core, a database for each system."""

from pathlib import Path

import psycopg
from psycopg.sql import SQL, Identifier

from bench import processes
from tests.postgres import Postgres


class Cluster:
    """A PostgreSQL server that is started for the run and ends with it."""

    def __init__(self, folder: Path) -> None:
        self.postgres = Postgres(folder)
        with processes.cpu_affinity(processes.OTHER_CORES):
            self.postgres.create().start()
        self.pid = int((self.postgres.data / "postmaster.pid").read_text().split()[0])

    def create_database(self, name: str) -> "Database":
        """Create an empty database."""
        with psycopg.connect(self.postgres.url, autocommit=True) as connection:
            connection.execute(SQL("CREATE DATABASE {}").format(Identifier(name)))
        return Database(name, self.postgres.port)

    def version(self) -> str:
        """Return the version of PostgreSQL."""
        with psycopg.connect(self.postgres.url) as connection:
            [(version,)] = connection.execute("SHOW server_version")
            return str(version).split(maxsplit=1)[0]

    def stop(self) -> None:
        self.postgres.stop("immediate")


class Database:
    """The database of one system."""

    def __init__(self, name: str, port: int) -> None:
        self.name, self.port = name, port

    def url(self, port: int = 0) -> str:
        """Return its URL, with the port of a proxy if one is given."""
        return f"postgresql://postgres@127.0.0.1:{port or self.port}/{self.name}"

    def counters(self) -> dict[str, int]:
        """Return what `count_rows_and_wal` does."""
        return count_rows_and_wal(self.url())


def count_rows_and_wal(url: str) -> dict[str, int]:
    """Return the number of rows, the bytes of all tables and indexes, and the position in the WAL.

    Rows are counted with count(*), because the statistics of a busy connection are late. Tables of all schemas count.
    """
    with psycopg.connect(url, autocommit=True) as connection:
        [(wal,)] = connection.execute("SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn")
        tables = connection.execute(
            "SELECT schemaname, relname, pg_total_relation_size(relid) FROM pg_stat_user_tables"
        ).fetchall()
        count = SQL("SELECT count(*) FROM {}")
        rows = [row for *name, _ in tables for (row,) in connection.execute(count.format(Identifier(*name)))]
    return {"rows": sum(rows), "bytes": sum(size for *_, size in tables), "wal": int(wal)}


def growth_per_1000(before: dict[str, int], after: dict[str, int], times: int) -> dict[str, float]:
    """Return the growth of each counter per 1,000 requests."""
    return {name: (after[name] - before[name]) / times * 1000 for name in before}
