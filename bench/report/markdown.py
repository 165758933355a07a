"""The table: a column for each system, a row for each figure."""

from collections.abc import Callable
from typing import Any

from bench.report import targets

MISSING = "-"
NOTES = (
    "CPU is that of the server's processes alone, per request, and ± is half the distance between the turns. "
    "Where a system cannot do what a row asks, there is a dash. "
    "Forks are rounds of eight parallel refreshes of one token that left more than one refresh token alive, dead "
    "answers are answers 200 whose tokens do not work, and sign-outs are rounds that left nobody signed in."
)
CellRenderer = Callable[[dict[str, Any]], str]


def render_markdown(results: dict[str, Any]) -> str:
    """Return the whole report."""
    systems = list(results["systems"].values())
    parts = [table(["", *(system["title"] for system in systems)], [row(name, cell, systems) for name, cell in ROWS])]
    parts += [NOTES, "The limits, in the same run:", limits(results)]
    if reached := targets.evaluate_targets(results):
        parts += ["What was to be reached:", table(["", "target", "reached", ""], [target(one) for one in reached])]
    parts += [f"- {name} failed: {shorten(why)}" for name, why in results["failed"].items()]
    parts += [f"- {name} is left out: {shorten(why)}" for name, why in results["left_out"].items()]
    if "endurance" in results:
        parts.append(endurance(results["endurance"]))
    if results["quick"]:
        parts.append("This was a quick run: a tenth of the requests, and figures to match.")
    parts.append("Measured on: " + ", ".join(f"{name} {value}" for name, value in results["machine"].items()) + ".")
    return "\n\n".join(parts) + "\n"


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


def endpoint_figure(door: str, figure: str) -> CellRenderer:
    return lambda system: number(system["doors"][door][figure])


def endpoint_latencies(door: str) -> CellRenderer:
    return lambda system: " / ".join(number(system["doors"][door][figure]) for figure in ("p50_ms", "p99_ms"))


def round_count(figure: str) -> CellRenderer:
    return lambda system: f"{system['correctness'][figure]} of {system['correctness']['rounds']}"


def endpoint_rows(door: str) -> list[tuple[str, CellRenderer]]:
    return [
        (f"**{door}**, CPU µs", lambda system: cpu(system["doors"][door])),
        (f"{door}, a second", endpoint_figure(door, "rate")),
        (f"{door}, p50 / p99 ms", endpoint_latencies(door)),
    ]


def limits(results: dict[str, Any]) -> str:
    lines = [[name, cpu(one), number(one["rate"])] for name, one in results["limits"].items()]
    if two := results.get("two_workers"):
        lines.append(["pgbench, the UPDATE of a refresh, 64 clients, all cores", MISSING, number(two["pgbench"])])
        lines.append(["Latchkey's refresh, two workers, 64 clients, all cores", MISSING, number(two["rate"])])
    return f"{table(['', 'CPU µs', 'a second'], lines)}\n\n{generator_limit(results)}"


def generator_limit(results: dict[str, Any]) -> str:
    """Say what the load generator could send, so that nobody takes its limit for that of a system."""
    raw = results["limits"].get("raw WSGI callable")
    if raw is None:
        return ""
    could = number(1e6 / raw["generator_cpu_us"])
    said = (
        f"The load generator itself computes {number(raw['generator_cpu_us'])} µs per request: it could send {could} a "
        f"second, and has sent {number(raw['rate'])} to the raw WSGI callable."
    )
    refresh = results["systems"].get("latchkey", {}).get("doors", {}).get("refresh")
    if refresh is None:
        return said
    own, database = refresh["generator_cpu_us"], refresh["database_cpu_us"]
    return (
        f"{said} Beside Latchkey's refreshes it computes {number(own)} µs for each, and PostgreSQL, on the same core, "
        f"{number(database)}: that core bears {number(1e6 / (own + database))} a second, and {number(refresh['rate'])} "
        "were sent."
    )


def endurance(seen: list[dict[str, float]]) -> str:
    sizes = ", ".join(f"{one['rss_mb']:.0f}" for one in seen)
    return f"RSS of Latchkey's worker in MB, at every tenth of {seen[-1]['requests']:,} requests: {sizes}."


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
    ("database's CPU per refresh, µs", endpoint_figure("refresh", "database_cpu_us")),
    ("SQL round trips: refresh", lambda system: number(system["round_trips"]["refresh"])),
    ("SQL round trips: me", lambda system: number(system["round_trips"]["me"])),
    ("SQL round trips: login", lambda system: number(system["round_trips"]["login"])),
    ("rows added by 1,000 refreshes", endpoint_figure("refresh", "rows")),
    ("KB of tables and indexes, likewise", lambda system: number(system["doors"]["refresh"]["bytes"] / 1024)),
    ("KB of WAL, likewise", lambda system: number(system["doors"]["refresh"]["wal"] / 1024)),
    ("forks", round_count("forks")),
    ("dead answers", lambda system: f"{system['correctness']['dead']} of {system['correctness']['granted']}"),
    ("sign-outs", round_count("signed_out")),
    ("answers 5xx to parallel refreshes", lambda system: str(system["correctness"]["failed"])),
    ("memory of the worker, RSS / PSS MB", lambda s: f"{s['memory']['rss_mb']:.0f} / {s['memory']['pss_mb']:.0f}"),
    ("boot, s", lambda system: number(system["boot_seconds"])),
]
