"""Cost of a refresh with many sessions, and its latency while `latchkey prune` runs.

    .venv/bin/python -m bench.growth sqlite|postgresql [--few 20000] [--many 2000000] [--prune 1000000]

Creates a database with durable commits. Prints the CPU time per refresh (service and database) with few and with many
sessions, their ratio, and the latency of refreshes while `latchkey prune` runs. Takes some minutes.
"""

import argparse
import atexit
import os
import random
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from tqdm import tqdm

from tests.postgres import Postgres
from tests.server import LATCHKEY


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("database", choices=["sqlite", "postgresql"])
    parser.add_argument(
        "--few", type=int, default=20_000, help="sessions of the first measurement (default: %(default)s)"
    )
    parser.add_argument(
        "--many", type=int, default=2_000_000, help="sessions of the second measurement (default: %(default)s)"
    )
    parser.add_argument("--prune", type=int, default=1_000_000, help="ended rows to prune (default: %(default)s)")
    options = parser.parse_args()
    setup_django(options.database)
    compare_sizes(options.few, options.many)
    prune(options.prune)


def setup_django(database: str) -> None:
    """Create an empty database, and set up Django in this process."""
    folder = Path(tempfile.mkdtemp(prefix="latchkey-growth-"))
    folder.chmod(0o755)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    if database == "postgresql":
        server = Postgres(folder / "postgresql").create().start()
        atexit.register(server.stop, "immediate")
        os.environ["DATABASE_URL"] = server.url
    os.environ.update(LATCHKEY_DATA_DIR=str(folder / "var"), DJANGO_SETTINGS_MODULE="latchkey.settings")
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
    import logging

    logging.disable(logging.CRITICAL)


def database_cpu() -> float:
    """Return the CPU seconds of this connection's PostgreSQL backend; 0 for SQLite, which runs in this process."""
    from django.db import connection

    if connection.vendor != "postgresql":
        return 0.0
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
    ticks = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")


def cpu_per_refresh(tokens: list[UUID], times: int, says: str) -> float:
    """Return the CPU microseconds of one refresh, averaged over this many."""
    from latchkey.core.client import ClientInfo
    from latchkey.sessions.refresh import refresh

    client, began = ClientInfo("203.0.113.7", "bench"), time.process_time() + database_cpu()
    for _ in tqdm(range(times), desc=says, unit=" refreshes"):
        number = random.randrange(len(tokens))
        tokens[number] = refresh(tokens[number], client).refresh_token
    return (time.process_time() + database_cpu() - began) / times * 1e6


def compare_sizes(few: int, many: int) -> None:
    """Compare the cost of 20,000 refreshes with few sessions and with many."""
    from tests.growth.session_rows import insert_filler_rows, insert_sessions

    tokens = insert_sessions(few)
    cpu_per_refresh(tokens, few, "warming up")
    with_few = cpu_per_refresh(tokens, 20_000, f"{few} sessions")
    for _ in tqdm(range(20), desc="adding sessions", unit=" batches"):
        insert_filler_rows((many - few) // 20, timedelta(days=30))
    vacuum()
    tokens = insert_sessions(few)  # spread over the whole index
    cpu_per_refresh(tokens, few, "warming up")
    with_many = cpu_per_refresh(tokens, 20_000, f"{many} sessions")
    ratio = with_many / with_few
    print(f"CPU per refresh: {with_few:.0f} us with {few} sessions, {with_many:.0f} us with {many}: {ratio:.2f} times")


def vacuum() -> None:
    """Update the statistics of the session table."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE latchkey_session" if connection.vendor == "postgresql" else "ANALYZE")


def prune(ended: int) -> None:
    """Run `latchkey prune` on this many ended sessions, and measure refreshes meanwhile."""
    from tests.growth.session_rows import insert_filler_rows, insert_sessions

    for _ in tqdm(range(20), desc="adding ended sessions", unit=" batches"):
        insert_filler_rows(ended // 20, timedelta(days=-1))
    tokens = insert_sessions(1)
    end = time.monotonic() + 5
    alone = latencies(tokens, lambda: time.monotonic() < end)
    pruning = subprocess.Popen([LATCHKEY, "prune"], text=True, stdout=subprocess.PIPE)
    beside = latencies(tokens, lambda: pruning.poll() is None)
    print(pruning.communicate()[0].strip())
    print(f"refreshes alone: {summarize(alone)}\nrefreshes during the pruning: {summarize(beside)}")


def latencies(tokens: list[UUID], go_on: Callable[[], bool]) -> list[float]:
    """Refresh one session repeatedly; return the sorted latencies in milliseconds."""
    from latchkey.core.client import ClientInfo
    from latchkey.sessions.refresh import refresh

    client, taken = ClientInfo("203.0.113.7", "bench"), []
    while go_on():
        began = time.perf_counter()
        tokens[0] = refresh(tokens[0], client).refresh_token
        taken.append((time.perf_counter() - began) * 1e3)
        time.sleep(0.002)
    return sorted(taken)


def summarize(taken: list[float]) -> str:
    median, p99 = taken[len(taken) // 2], taken[len(taken) * 99 // 100]
    return f"{len(taken)}, median {median:.1f} ms, p99 {p99:.1f} ms, slowest {taken[-1]:.1f} ms"


if __name__ == "__main__":
    main()
