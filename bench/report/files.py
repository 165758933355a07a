"""Where a report goes."""

import json
from pathlib import Path
from typing import Any

from bench.report.chart import render_svg
from bench.report.markdown import render_markdown

ROOT = Path(__file__).resolve().parents[2]
HEAD = """# Benchmarks

Latchkey beside other sign-in systems, each set up as its own documentation has it for production. Written by
`make bench ARGS="--publish --endurance"`; `make bench QUICK=1` takes two minutes.

- All run on one PostgreSQL with durable commits. Whose access tokens are JWTs signs them with HS256; those of
  django-oauth-toolkit and Better Auth are opaque.
- Django systems hash with Argon2id of 19 MiB, two passes and one lane: the others by argon2-cffi, as Django ships it,
  Latchkey by libsodium. What is not Django hashes as it ships.
- Each is served by one worker, of four threads where it has threads, on a core of its own. PostgreSQL and the load
  generator are on another one.
- The load comes over eight open connections. Each person's new token goes into their next request, and where tokens
  rotate, one that was seen before counts as an error.
- `me` is asked for with the same eight access tokens again and again, as a client does while one lives. Latchkey
  remembers what it has verified of a signature; at a token's first request it verifies it.
- What a request costs is measured in three turns, one system after another in each, and the median counts. Memory,
  round trips, parallel refreshes, the flood of sign-ins and the long run are measured once, boots twice.

![Server CPU per refresh and per me](images/benchmarks.svg)

"""


def save(results: dict[str, Any], folder: Path) -> None:
    """Write newest.json, newest.md and newest.svg."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "newest.json").write_text(json.dumps(results, indent=2, ensure_ascii=False) + "\n")
    (folder / "newest.md").write_text(render_markdown(results))
    (folder / "newest.svg").write_text(render_svg(results))


def publish(results: dict[str, Any]) -> None:
    """Write docs/benchmarks.md and its chart."""
    (ROOT / "docs/benchmarks.md").write_text(HEAD + render_markdown(results))
    (ROOT / "docs/images/benchmarks.svg").write_text(render_svg(results))
