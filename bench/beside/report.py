"""Report of a run over described servers: the rows of docs/benchmarks.md that these servers have."""

import json
from pathlib import Path
from typing import Any

from bench.report.markdown import MISSING, NOTES, ROWS, CellRenderer, render_footer, row, table

CORES: tuple[str, CellRenderer] = (
    "cores that the server may use",
    lambda system: str(len(system["cores"])),
)


def render_markdown(results: dict[str, Any]) -> str:
    """Return the table with a column per server, the notes, and the servers that failed."""
    systems = list(results["systems"].values())
    rows = [row(name, cell, systems) for name, cell in [*ROWS, CORES]]
    shown = [cells for cells in rows if any(cell != MISSING for cell in cells[1:])]
    parts = [table(["", *(system["title"] for system in systems)], shown), NOTES, *render_footer(results)]
    return "\n\n".join(parts) + "\n"


def save(results: dict[str, Any], folder: Path) -> None:
    """Write beside.json and beside.md."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "beside.json").write_text(json.dumps(results, indent=2, ensure_ascii=False) + "\n")
    (folder / "beside.md").write_text(render_markdown(results))
