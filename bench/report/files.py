"""Files of a report: newest results in a directory, and docs/benchmarks.md."""

import json
from pathlib import Path
from typing import Any

from bench.report.chart import render_svg
from bench.report.markdown import render_markdown

ROOT = Path(__file__).resolve().parents[2]
HEAD = """# Benchmarks

Latchkey compared with six other sign-in systems: CPU time, throughput, latency, SQL round trips and correctness under
parallel refreshes. Each system is configured for production as its own documentation recommends.

`make bench ARGS="--publish --endurance"` runs the benchmark and writes this page, up to its first section.
`make bench QUICK=1` takes two minutes. Two sections are below the tables:
[servers in Go, Rust and Java](#servers-in-other-languages), and how to [measure your own](#measure-your-own-servers).

**Set-up**

- All systems use one PostgreSQL with durable commits.
- Each system has one worker on a core of its own, with four threads if it uses threads. PostgreSQL and the load
  generator share another core.
- Access tokens are JWTs signed with HS256, except in django-oauth-toolkit and Better Auth, which use opaque tokens.
- Django systems hash passwords with Argon2id (19 MiB, two passes, one lane): Latchkey with libsodium, the others with
  argon2-cffi, as Django ships it. Systems without Django use the hash that they ship.

**Load**

- The load generator uses eight open connections.
- Each user's new token is used in the next request of that user. Where refresh tokens rotate, a token that was returned
  before counts as an error.
- `me` is requested with the same eight access tokens again and again, as a client does during the lifetime of a token.
  Latchkey caches the verification of a signature, and verifies it at the first request with a token.

**Measurement**

- The cost of a request is measured in three turns. Each turn runs all systems one after the other; the median counts.
- Boot time is measured twice. Memory, round trips, parallel refreshes, the flood of sign-ins and the long run are
  measured once.

![Server CPU per refresh and per me](images/benchmarks.svg)

"""
"""Text of docs/benchmarks.md above the table."""


def save(results: dict[str, Any], folder: Path) -> None:
    """Write newest.json, newest.md and newest.svg."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "newest.json").write_text(json.dumps(results, indent=2, ensure_ascii=False) + "\n")
    (folder / "newest.md").write_text(render_markdown(results))
    (folder / "newest.svg").write_text(render_svg(results))


def replace_results(page: str, results: dict[str, Any]) -> str:
    """Return the page with these results; its sections stay, as they are not written by the program."""
    _, section, rest = page.partition("\n## ")
    return HEAD + render_markdown(results) + section + rest


def publish(results: dict[str, Any]) -> None:
    """Write docs/benchmarks.md and its chart."""
    page = ROOT / "docs/benchmarks.md"
    page.write_text(replace_results(page.read_text(), results))
    (ROOT / "docs/images/benchmarks.svg").write_text(render_svg(results))
