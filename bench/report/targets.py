"""What Latchkey is to reach, beside what it has reached in this run."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

DJANGO_RIVALS = ("simplejwt", "allauth", "jwt_allauth", "oauth_toolkit")


@dataclass(frozen=True)
class Target:
    """A figure and its bound; at_least says on which side of it the figure should lie."""

    sentence: str
    bound: float
    reached: float
    at_least: bool = True
    unit: str = "x"

    @property
    def met(self) -> bool:
        return self.reached >= self.bound if self.at_least else self.reached <= self.bound


def evaluate_targets(results: dict[str, Any]) -> list[Target]:
    """Return the targets of which this run has both sides."""
    systems = results["systems"]
    if "latchkey" not in systems:
        return []
    own = systems["latchkey"]
    return [*rival_targets(own, systems), *baseline_targets(own, results), *absolute_targets(own, results)]


def rival_targets(own: dict[str, Any], systems: dict[str, Any]) -> Iterator[Target]:
    refreshes, asked = (rival_costs(systems, door) for door in ("refresh", "me"))
    others = {name: cost for name, cost in refreshes.items() if systems[name]["rotates"] and name != "simplejwt"}
    django = [asked[name] for name in DJANGO_RIVALS if name in asked]
    if refresh := endpoint_cost(own, "refresh"):
        if "simplejwt" in refreshes:
            yield Target("refreshes per CPU second, against simplejwt", 12, refreshes["simplejwt"] / refresh)
        if others:
            sentence = "refreshes per CPU second, against the best other system that rotates with a durable write"
            yield Target(sentence, 8, min(others.values()) / refresh)
    if me := endpoint_cost(own, "me"):
        if "better_auth" in asked:
            yield Target("me per CPU second, against Better Auth", 4, asked["better_auth"] / me)
        if django:
            yield Target("me per CPU second, against the best Django rival", 3, min(django) / me)


def baseline_targets(own: dict[str, Any], results: dict[str, Any]) -> Iterator[Target]:
    limits = results["limits"]
    if view := limits.get("bare Django view"):
        for door, bound in (("refresh", 3), ("me", 2.5)):
            if cost := endpoint_cost(own, door):
                yield Target(f"CPU of {door}, of the bare Django view's", bound, cost / view["cpu_us"], False)
    for library, whose in (("argon2-cffi", "which Django takes"), ("libsodium", "which Latchkey takes")):
        if (loop := limits.get(f"raw Argon2id loop, {library}")) and (cost := endpoint_cost(own, "login")):
            sentence = f"logins per CPU second, of a raw Argon2id loop's with {library}, {whose}"
            yield Target(sentence, 90, loop["cpu_us"] / cost * 100, unit="%")
    if two := results.get("two_workers"):
        share = two["rate"] / two["pgbench"] * 100
        yield Target("refreshes of two workers, of pgbench's rate of the same UPDATE", 40, share, unit="%")


def absolute_targets(own: dict[str, Any], results: dict[str, Any]) -> Iterator[Target]:
    yield Target("boot", 2, own["boot_seconds"], False, "s")
    if memory := own.get("memory"):
        yield Target("memory of a worker after the load", 110, memory["rss_mb"], False, "MB")
    if verdict := own.get("correctness"):
        wrong = verdict["forks"] + verdict["dead"] + verdict["signed_out"]
        yield Target("forks, dead answers and sign-outs of parallel refreshes", 0, wrong, False, "")
    for door, times in results.get("flood", {}).items():
        yield Target(f"p99 of {door} beside 64 parallel logins, of its own alone", 5, times, False)


def rival_costs(systems: dict[str, Any], door: str) -> dict[str, float]:
    """Return what the rivals pay for a door."""
    paid = {name: endpoint_cost(system, door) for name, system in systems.items() if name != "latchkey"}
    return {name: cost for name, cost in paid.items() if cost}


def endpoint_cost(system: dict[str, Any], door: str) -> float:
    return system["doors"].get(door, {}).get("cpu_us", 0.0)
