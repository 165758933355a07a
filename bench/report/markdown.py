"""Report in Markdown: a table with a column per system and a row per figure, the upper limits, and the targets."""

from collections.abc import Callable
from typing import Any

from bench.report import targets

MISSING = "-"
NOTES = (
    "CPU is the CPU time of the server's processes per request. ± is half the difference between the fastest and the "
    "slowest turn. A dash means that the system does not have this function.\n\n"
    "The rows about parallel refreshes send one refresh token in eight requests at once:\n\n"
    "- **Forks**: rounds after which more than one refresh token works. One session has become several.\n"
    "- **Dead answers**: 200 responses whose access token or refresh token does not work.\n"
    "- **Sign-outs**: rounds after which no refresh token works. The user has to sign in again."
)
CellRenderer = Callable[[dict[str, Any]], str]


def render_markdown(results: dict[str, Any]) -> str:
    """Return the whole report."""
    systems = list(results["systems"].values())
    parts = [table(["", *(system["title"] for system in systems)], [row(name, cell, systems) for name, cell in ROWS])]
    parts += [NOTES, "Upper limits, measured in the same run:", limits(results)]
    if by_clients := results.get("by_clients"):
        parts += [
            "Latchkey's refresh, by the number of clients that refresh at the same time:",
            many_clients(by_clients),
        ]
    if reached := targets.evaluate_targets(results):
        parts += ["Targets:", table(["", "target", "reached", ""], [target(one) for one in reached])]
    return "\n\n".join([*parts, *render_footer(results)]) + "\n"


def render_footer(results: dict[str, Any]) -> list[str]:
    """Return the paragraphs below the tables: systems that failed, kind of run, machine."""
    parts = [f"- {name} failed: {shorten(why)}" for name, why in results["failed"].items()]
    parts += [f"- {name} is not included: {shorten(why)}" for name, why in results["unavailable"].items()]
    if "endurance" in results:
        parts.append(endurance(results["endurance"]))
    if results["quick"]:
        parts.append("This was a quick run with a tenth of the requests, so the figures are less exact.")
    return [*parts, "Measured on: " + ", ".join(f"{name} {value}" for name, value in results["machine"].items()) + "."]


def shorten(text: str) -> str:
    return " ".join(text.split())[:300]


def table(head: list[str], lines: list[list[str]]) -> str:
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, ["---"] + ["---:"] * (len(head) - 1), *lines))


def row(name: str, cell: CellRenderer, systems: list[dict[str, Any]]) -> list[str]:
    return [name, *(value_or_dash(cell, system) for system in systems)]


def value_or_dash(cell: CellRenderer, system: dict[str, Any]) -> str:
    try:
        return cell(system)
    except KeyError:
        return MISSING


def number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def cpu(figures: dict[str, float]) -> str:
    errors = f", {figures['errors']:.0f} errors" if figures.get("errors") else ""
    return f"{number(figures['cpu_us'])} ±{figures['spread'] * 50:.0f} %{errors}"


def endpoint_figure(endpoint: str, figure: str) -> CellRenderer:
    return lambda system: number(system["endpoints"][endpoint][figure])


def endpoint_latencies(endpoint: str) -> CellRenderer:
    return lambda system: latencies(system["endpoints"][endpoint])


def round_count(figure: str) -> CellRenderer:
    return lambda system: f"{system['correctness'][figure]} of {system['correctness']['rounds']}"


def endpoint_rows(endpoint: str) -> list[tuple[str, CellRenderer]]:
    return [
        (f"**{endpoint}**, CPU µs", lambda system: cpu(system["endpoints"][endpoint])),
        (f"{endpoint}, per second", endpoint_figure(endpoint, "rate")),
        (f"{endpoint}, p50 / p99 ms", endpoint_latencies(endpoint)),
    ]


def limits(results: dict[str, Any]) -> str:
    lines = [[name, cpu(one), number(one["rate"])] for name, one in results["limits"].items()]
    if two := results.get("two_workers"):
        lines.append(["pgbench, the UPDATE of a refresh, 64 clients, all cores", MISSING, number(two["pgbench"])])
        lines.append(["Latchkey's refresh, two workers, 64 clients, all cores", MISSING, number(two["rate"])])
    return f"{table(['', 'CPU µs', 'per second'], lines)}\n\n{generator_limit(results)}"


def many_clients(by_clients: dict[str, dict[str, float]]) -> str:
    """Return a table of Latchkey's refresh: those of many clients share statements and commits."""
    head = ["clients", "CPU µs", "PostgreSQL's CPU µs", "bytes of WAL", "per second", "p50 / p99 ms"]
    lines = [
        [
            clients,
            cpu(one),
            number(one["database_cpu_us"]),
            number(one["wal"] / 1000),
            number(one["rate"]),
            latencies(one),
        ]
        for clients, one in by_clients.items()
    ]
    return table(head, lines)


def latencies(figures: dict[str, float]) -> str:
    return " / ".join(number(figures[figure]) for figure in ("p50_ms", "p99_ms"))


def generator_limit(results: dict[str, Any]) -> str:
    """Return the sentences about the maximum rate of the load generator, which must not be mistaken for a system's."""
    raw = results["limits"].get("raw WSGI callable")
    if raw is None:
        return ""
    could = number(1e6 / raw["generator_cpu_us"])
    said = (
        f"The load generator needs {number(raw['generator_cpu_us'])} µs of CPU per request, so it can send {could} "
        f"requests per second. It sent {number(raw['rate'])} per second to the raw WSGI callable."
    )
    refresh = results["systems"].get("latchkey", {}).get("endpoints", {}).get("refresh")
    if refresh is None:
        return said
    own, database = refresh["generator_cpu_us"], refresh["database_cpu_us"]
    return (
        f"{said} For each refresh of Latchkey it needs {number(own)} µs, and PostgreSQL, on the same core, "
        f"{number(database)} µs: that core can handle {number(1e6 / (own + database))} per second; "
        f"{number(refresh['rate'])} were sent."
    )


def endurance(seen: list[dict[str, float]]) -> str:
    sizes = ", ".join(f"{one['rss_mb']:.0f}" for one in seen)
    return f"RSS of Latchkey's worker in MB, after each tenth of {seen[-1]['requests']:,} requests: {sizes}."


def target(one: targets.Target) -> list[str]:
    bound = f"{'at least' if one.at_least else 'at most'} {one.bound:g} {one.unit}"
    return [
        one.sentence,
        bound.strip(),
        f"{number(one.reached)} {one.unit}".strip(),
        "met" if one.met else "**missed**",
    ]


ROWS: list[tuple[str, CellRenderer]] = [
    *endpoint_rows("refresh"),
    *endpoint_rows("me"),
    *endpoint_rows("login"),
    *endpoint_rows("login without the hash"),
    ("CPU of the database per refresh, µs", endpoint_figure("refresh", "database_cpu_us")),
    ("SQL round trips: refresh", lambda system: number(system["round_trips"]["refresh"])),
    ("SQL round trips: me", lambda system: number(system["round_trips"]["me"])),
    ("SQL round trips: login", lambda system: number(system["round_trips"]["login"])),
    ("rows added by 1,000 refreshes", endpoint_figure("refresh", "rows")),
    (
        "KB of tables and indexes after 1,000 refreshes",
        lambda system: number(system["endpoints"]["refresh"]["bytes"] / 1024),
    ),
    ("KB of WAL after 1,000 refreshes", lambda system: number(system["endpoints"]["refresh"]["wal"] / 1024)),
    ("forks", round_count("forks")),
    ("dead answers", lambda system: f"{system['correctness']['dead']} of {system['correctness']['granted']}"),
    ("sign-outs", round_count("signed_out")),
    ("5xx responses to parallel refreshes", lambda system: str(system["correctness"]["failed"])),
    ("memory of the worker, RSS / PSS MB", lambda s: f"{s['memory']['rss_mb']:.0f} / {s['memory']['pss_mb']:.0f}"),
    ("boot, s", lambda system: number(system["boot_seconds"])),
]
