"""Performance targets of Latchkey, and the values of this run."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

DJANGO_SYSTEMS = ("simplejwt", "allauth", "jwt_allauth", "oauth_toolkit")


@dataclass(frozen=True)
class Target:
    """A value with its bound; `at_least` tells whether the bound is a minimum or a maximum."""

    sentence: str
    bound: float
    reached: float
    at_least: bool = True
    unit: str = "x"

    @property
    def met(self) -> bool:
        return self.reached >= self.bound if self.at_least else self.reached <= self.bound


def evaluate_targets(results: dict[str, Any]) -> list[Target]:
    """Return the targets for which this run has the figures."""
    systems = results["systems"]
    if "latchkey" not in systems:
        return []
    own = systems["latchkey"]
    return [
        *comparison_targets(own, systems),
        *baseline_targets(own, results),
        *batch_targets(results),
        *absolute_targets(own, results),
    ]


def comparison_targets(own: dict[str, Any], systems: dict[str, Any]) -> Iterator[Target]:
    refreshes, asked = (costs_of_others(systems, endpoint) for endpoint in ("refresh", "me"))
    others = {name: cost for name, cost in refreshes.items() if systems[name]["rotates"] and name != "simplejwt"}
    django = [asked[name] for name in DJANGO_SYSTEMS if name in asked]
    if refresh := endpoint_cost(own, "refresh"):
        if "simplejwt" in refreshes:
            yield Target("refreshes per CPU second, relative to simplejwt", 12, refreshes["simplejwt"] / refresh)
        if others:
            sentence = "refreshes per CPU second, relative to the best other system that rotates with a durable write"
            yield Target(sentence, 8, min(others.values()) / refresh)
    if me := endpoint_cost(own, "me"):
        if "better_auth" in asked:
            yield Target("me per CPU second, relative to Better Auth", 4, asked["better_auth"] / me)
        if django:
            yield Target("me per CPU second, relative to the best other Django system", 3, min(django) / me)


def baseline_targets(own: dict[str, Any], results: dict[str, Any]) -> Iterator[Target]:
    limits = results["limits"]
    if view := limits.get("bare Django view"):
        for endpoint, bound in (("refresh", 3), ("me", 2.5)):
            if cost := endpoint_cost(own, endpoint):
                yield Target(f"CPU of {endpoint}, relative to a bare Django view", bound, cost / view["cpu_us"], False)
    for library, user in (("argon2-cffi", "which Django uses"), ("libsodium", "which Latchkey uses")):
        if (loop := limits.get(f"raw Argon2id loop, {library}")) and (cost := endpoint_cost(own, "login")):
            sentence = f"logins per CPU second, relative to a raw Argon2id loop with {library}, {user}"
            yield Target(sentence, 90, loop["cpu_us"] / cost * 100, unit="%")
    if two := results.get("two_workers"):
        share = two["rate"] / two["pgbench"] * 100
        yield Target("refreshes of two workers, relative to pgbench with the same UPDATE", 55, share, unit="%")


def batch_targets(results: dict[str, Any]) -> Iterator[Target]:
    """Targets of docs/decisions/0043-refreshes-in-batches.md."""
    if by_clients := results.get("by_clients"):
        many, one = by_clients["64"], by_clients["1"]
        yield Target("CPU of PostgreSQL per refresh at 64 clients", 40, many["database_cpu_us"], False, "µs")
        yield Target("CPU of Latchkey per refresh at 64 clients", 180, many["cpu_us"], False, "µs")
        share = many["wal"] / one["wal"] * 100
        yield Target("WAL of a refresh at 64 clients, relative to one client", 100, share, False, "%")


def absolute_targets(own: dict[str, Any], results: dict[str, Any]) -> Iterator[Target]:
    yield Target("boot", 2, own["boot_seconds"], False, "s")
    if memory := own.get("memory"):
        yield Target("memory of a worker after the load", 110, memory["rss_mb"], False, "MB")
    if verdict := own.get("correctness"):
        wrong = verdict["forks"] + verdict["dead"] + verdict["signed_out"]
        yield Target("forks, dead answers and sign-outs of parallel refreshes", 0, wrong, False, "")
    for endpoint, times in results.get("flood", {}).items():
        yield Target(f"p99 of {endpoint} during 64 parallel logins, relative to no load", 5, times, False)


def costs_of_others(systems: dict[str, Any], endpoint: str) -> dict[str, float]:
    """Return the CPU time per request of the other systems for an endpoint."""
    costs = {name: endpoint_cost(system, endpoint) for name, system in systems.items() if name != "latchkey"}
    return {name: cost for name, cost in costs.items() if cost}


def endpoint_cost(system: dict[str, Any], endpoint: str) -> float:
    return float(system["endpoints"].get(endpoint, {}).get("cpu_us", 0.0))
