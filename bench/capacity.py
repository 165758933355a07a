"""Capacity calculator: what a number of sessions needs in nodes, PostgreSQL, WAL, storage, memory and network.

    .venv/bin/python -m bench.capacity --sessions 1e9 --online 2e7 --access-token 300

Multiplies the unit costs below; this program measures nothing. Each client that is online refreshes once in the
lifetime of an access token. Prints a table with a figure per row, and what it was reckoned from; --units prints the
unit costs, --json both. An option for each unit cost replaces it by your own measurement (`make bench`,
`python -m bench.sizes`). Not included: sign-ins (17 ms of a node's core each), `me`, introspection, the audit log, and
what a machine needs for itself. Exit code 2: a value is wrong, and the message says which.
"""

import argparse
import json
import math
from collections.abc import Iterator
from dataclasses import Field, asdict, dataclass, field, fields
from typing import Any

PAGE_BYTES = 8192
"""A page of PostgreSQL."""
SERVER_SIZES = (2, 4, 8, 16, 32, 48, 64, 96, 128)
"""Cores of usual database servers."""
MAX_DIRECT_CONNECTIONS = 500
"""Connections to PostgreSQL above which the table says PgBouncer: a usual bound, not a measurement of ours."""

BENCH = "`make bench` on two idle virtual cores of an AMD EPYC"
SIZES = "`python -m bench.sizes`, 1,000,000 users with a session each"


def unit(value: float, unit: str, what: str, source: str, kind: str = "measured") -> Any:
    return field(default=value, metadata={"unit": unit, "what": what, "source": source, "kind": kind})


@dataclass(frozen=True)
class UnitCosts:
    """The unit costs, with their source. The program and docs/scaling.md take every one of them from here."""

    refresh_us: float = unit(332, "µs", "CPU of a node for a refresh at 8 clients a worker; 259 at 64", BENCH)
    database_us: float = unit(85, "µs", "CPU of PostgreSQL for a refresh at 8 clients a worker; 29 at 64", BENCH)
    wal_bytes: float = unit(425, "bytes", "WAL of a refresh with an Idempotency-Key; 265 without one", SIZES)
    page_wal_bytes: float = unit(
        7392, "bytes", "WAL of the first refresh on a page after a checkpoint; 2,461 with pglz", SIZES
    )
    session_bytes: float = unit(463, "bytes", "table row of a session, half of them rotated since a vacuum", SIZES)
    session_index_bytes: float = unit(128, "bytes", "index entries of a session", SIZES)
    user_bytes: float = unit(200, "bytes", "table row of a user", SIZES)
    user_index_bytes: float = unit(223, "bytes", "index entries of a user", SIZES)
    worker_mb: float = unit(104, "MB", "memory of a worker, one for each core", "`make bench`, after the load")
    http_bytes: float = unit(1044, "bytes", "a refresh between client and node, without TLS", SIZES)
    sql_bytes: float = unit(723, "bytes", "its statement between node and PostgreSQL, without TLS", SIZES)
    worker_connections: float = unit(
        19, "", "connections of a worker", "10 threads + 9, docs/operations.md", "by design"
    )
    node_load: float = unit(0.7, "", "share of the nodes' cores in use", "head room for bursts", "assumed")
    load: float = unit(0.5, "", "share of PostgreSQL's cores in use", "room for WAL, vacuum, reads, bursts", "assumed")
    sessions_per_user: float = unit(2.5, "", "sessions of a user", "devices of a person", "assumed")
    checkpoint: float = unit(900, "s", "time between checkpoints", "checkpoint_timeout = 15min", "assumed")


@dataclass(frozen=True)
class Demand:
    """Live sessions, those of them that are online at the same time, and the access token lifetime in seconds."""

    sessions: float
    online: float
    access_token: float


@dataclass(frozen=True)
class Figure:
    """A figure of the result: its value in a unit, the value as a person reads it, and what it was reckoned from."""

    name: str
    value: float | None
    unit: str
    text: str
    source: str


def calculate(demand: Demand, costs: UnitCosts) -> list[Figure]:
    """Return the figures, in the order of the table."""
    return [*load_figures(demand, costs), *wal_figures(demand, costs), *storage_figures(demand, costs)]


def load_figures(demand: Demand, costs: UnitCosts) -> Iterator[Figure]:
    """Yield what follows from the rate of refreshes: cores, memory of the nodes, connections, network."""
    rate = demand.online / demand.access_token
    yield Figure(
        "refreshes a second", rate, "1/s", number(rate), f"{number(demand.online)} online / {demand.access_token:g} s"
    )
    workers = math.ceil(rate * costs.refresh_us / 1e6 / costs.node_load)
    source = f"{number(rate)} x {costs.refresh_us:g} µs / {costs.node_load:g} load"
    yield Figure("cores for nodes", workers, "cores", number(workers), source)
    memory = workers * costs.worker_mb * 1e6
    yield Figure("memory of the workers", memory, "bytes", size(memory), f"{number(workers)} x {costs.worker_mb:g} MB")
    cores = rate * costs.database_us / 1e6 / costs.load
    source = f"{number(rate)} x {costs.database_us:g} µs / {costs.load:g} load"
    yield Figure("cores for PostgreSQL", cores, "cores", number(math.ceil(cores)), source)
    server = next((cores_of for cores_of in SERVER_SIZES if cores_of >= cores), None)
    text = f"{server} cores" if server else "no such server"
    source = f"the next usual size; {SERVER_SIZES[-1]} cores are the largest"
    yield Figure("primary, and each standby", server, "cores", text, source)
    connections = workers * costs.worker_connections
    pooler = "PgBouncer" if connections > MAX_DIRECT_CONNECTIONS else "no pooler"
    source = f"{number(workers)} x {costs.worker_connections:g}; PgBouncer above {MAX_DIRECT_CONNECTIONS}"
    yield Figure("connections", connections, "", f"{number(connections)}: {pooler}", source)
    for name, cost in (("clients and nodes", costs.http_bytes), ("nodes and PostgreSQL", costs.sql_bytes)):
        traffic = rate * cost
        source = f"{number(rate)} x {number(cost)} bytes"
        yield Figure(f"network between {name}", traffic, "bytes/s", f"{size(traffic)} a second", source)


def wal_figures(demand: Demand, costs: UnitCosts) -> Iterator[Figure]:
    """Yield the WAL: that of each refresh, and the whole pages that the first change after a checkpoint writes."""
    rate = demand.online / demand.access_token
    changes = rate * costs.wal_bytes
    source = f"{number(rate)} x {costs.wal_bytes:g} bytes"
    yield Figure("WAL of the refreshes", changes, "bytes/s", f"{size(changes)} a second", source)
    refreshed = min(demand.online, rate * costs.checkpoint)
    touched = pages_touched(refreshed, demand.sessions, costs.session_bytes)
    pages = touched / costs.checkpoint * costs.page_wal_bytes
    source = f"{number(touched)} pages x {number(costs.page_wal_bytes)} bytes / {costs.checkpoint:g} s"
    yield Figure("WAL of whole pages", pages, "bytes/s", f"{size(pages)} a second", source)
    wal = changes + pages
    source = "the sum; each standby receives as much"
    yield Figure("WAL together", wal, "bytes/s", f"{size(wal)} a second", source)
    yield Figure("WAL a day, the archive", wal * 86_400, "bytes", size(wal * 86_400), f"{size(wal)} x 86,400")


def storage_figures(demand: Demand, costs: UnitCosts) -> Iterator[Figure]:
    """Yield the size of tables and indexes, and the memory in which refreshes find all that they read."""
    users = demand.sessions / costs.sessions_per_user
    rows = demand.sessions * costs.session_bytes + users * costs.user_bytes
    source = f"{number(demand.sessions)} x {costs.session_bytes:g} + {number(users)} users x {costs.user_bytes:g} bytes"
    yield Figure("storage of rows", rows, "bytes", size(rows), source)
    indexes = demand.sessions * costs.session_index_bytes + users * costs.user_index_bytes
    source = f"{number(demand.sessions)} x {costs.session_index_bytes:g}"
    source += f" + {number(users)} users x {costs.user_index_bytes:g} bytes"
    yield Figure("storage of indexes", indexes, "bytes", size(indexes), source)
    pages = pages_touched(demand.online, demand.sessions, costs.session_bytes)
    pages += pages_touched(min(demand.online, users), users, costs.user_bytes)
    memory = pages * PAGE_BYTES + indexes
    source = f"{number(pages)} pages with rows of those who are online, and all indexes: then nothing is read from disk"
    yield Figure("memory of PostgreSQL", memory, "bytes", size(memory), source)


def pages_touched(rows: float, all_rows: float, row_bytes: float) -> float:
    """Return how many pages have at least one of these rows, which are spread over the table at random."""
    rows_of_a_page = max(1.0, PAGE_BYTES / row_bytes)
    without: float = (1 - min(1.0, rows / all_rows)) ** rows_of_a_page
    return all_rows / rows_of_a_page * (1 - without)


def number(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:.3g}"


def size(value: float) -> str:
    """Return bytes in the largest unit of 1,000 that leaves a number above 1, with three digits."""
    power = min(5, max(0, int(math.log10(value) // 3))) if value >= 1 else 0
    scaled = value / 1000**power
    return f"{scaled:,.0f} {UNITS[power]}" if scaled >= 100 else f"{scaled:.3g} {UNITS[power]}"


UNITS = ("bytes", "kB", "MB", "GB", "TB", "PB")


def render_figures(figures: list[Figure]) -> str:
    """Return the figures as a Markdown table."""
    lines = [f"| {one.name} | {one.text} | {one.source} |" for one in figures]
    return "\n".join(["| figure | reckoned | from |", "|---|--:|---|", *lines])


def render_units(costs: UnitCosts) -> str:
    """Return the unit costs as a Markdown table."""
    lines = []
    for one in fields(costs):
        value = f"{getattr(costs, one.name):,g} {one.metadata['unit']}".strip()
        about = one.metadata
        lines.append(f"| `{option_name(one)}` | {about['what']} | {value} | {about['kind']} | {about['source']} |")
    return "\n".join(["| option | unit cost | value | | source |", "|---|---|--:|---|---|", *lines])


def option_name(one: Field[Any]) -> str:
    return "--" + one.name.replace("_", "-")


def main(arguments: list[str] | None = None) -> None:
    options = read_options(arguments)
    costs = UnitCosts(**{one.name: getattr(options, one.name) for one in fields(UnitCosts)})
    if options.units:
        print(render_units(costs))
        return
    demand = Demand(options.sessions, options.online, options.access_token)
    figures = calculate(demand, costs)
    if options.json:
        described = {"demand": asdict(demand), "units": asdict(costs), "figures": [asdict(one) for one in figures]}
        print(json.dumps(described, indent=2, ensure_ascii=False))
    else:
        print(render_figures(figures))


def read_options(arguments: list[str] | None) -> argparse.Namespace:
    """Parse the command line; exit with 2 and a sentence for a wrong value."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.capacity", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sessions", type=positive, default=1e9, help="live sessions (default: %(default)g)")
    parser.add_argument("--online", type=positive, default=2e7, help="those that are online (default: %(default)g)")
    parser.add_argument(
        "--access-token", type=positive, default=300, metavar="SECONDS", help="access token lifetime (default: 300)"
    )
    for one in fields(UnitCosts):
        is_share = one.name.endswith("load")
        parser.add_argument(
            option_name(one),
            type=share if is_share else positive,
            default=one.default,
            metavar=one.metadata["unit"] or "NUMBER",
            help=f"{one.metadata['what']} (default: %(default)g, {one.metadata['kind']})",
        )
    parser.add_argument("--units", action="store_true", help="print the unit costs instead, with their sources")
    parser.add_argument("--json", action="store_true", help="print demand, unit costs and figures as JSON")
    options = parser.parse_args(arguments)
    if options.online > options.sessions:
        parser.error(f"--online is {options.online:g}, more than --sessions, which is {options.sessions:g}.")
    return options


def positive(text: str) -> float:
    """Parse a number above zero, such as 1e9."""
    try:
        value = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number.") from None
    if not math.isfinite(value) or value <= 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above zero.")
    return value


def share(text: str) -> float:
    """Parse a share, above 0 and 1 at most."""
    value = positive(text)
    if value > 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a share: 1 at most.")
    return value


if __name__ == "__main__":
    main()
