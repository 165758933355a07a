"""Where a report goes."""

import json
from pathlib import Path
from typing import Any

from bench.report.chart import drawn
from bench.report.markdown import written

ROOT = Path(__file__).resolve().parents[2]
HEAD = """# Benchmarks

Latchkey beside other sign-in systems, each set up as its own documentation has it for production. Written by
`make bench ARGS=--publish`; `make bench QUICK=1` takes two minutes.

- All run on one PostgreSQL with durable commits, and sign with HS256. Django systems share the same Argon2id: 19 MiB,
  two passes, one lane; the others hash as they ship.
- Each is served by one worker, of four threads where it has threads, on a core of its own. PostgreSQL and the load
  generator are on another one.
- The load comes over eight open connections. Each person's new token goes into their next request, and a token that was
  seen before counts as an error.
- Everything is measured in three turns, one system after another in each, and the median counts.

![Server CPU per refresh and per me](images/benchmarks.svg)

"""


def save(results: dict[str, Any], folder: Path) -> None:
    """Write newest.json, newest.md and newest.svg."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "newest.json").write_text(json.dumps(results, indent=2, ensure_ascii=False) + "\n")
    (folder / "newest.md").write_text(written(results))
    (folder / "newest.svg").write_text(drawn(results))


def publish(results: dict[str, Any]) -> None:
    """Write docs/benchmarks.md and its chart."""
    (ROOT / "docs/benchmarks.md").write_text(HEAD + written(results))
    (ROOT / "docs/images/benchmarks.svg").write_text(drawn(results))
