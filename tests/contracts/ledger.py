"""The security and reliability requirements, and which tests answer them: `make ledger` prints the count.

A row that applies is answered by a test marked with its id, `@pytest.mark.ledger("H-JSON-03")`, or deviated from by a
row of the table in docs/security.md that begins with its id and says why.
"""

import ast
import csv
import re
from collections import Counter
from pathlib import Path

HERE = Path(__file__).resolve().parent
TESTS, SECURITY = HERE.parent, HERE.parents[1] / "docs" / "security.md"


def applicable_rows() -> dict[str, dict[str, str]]:
    """Return the rows that apply now, by id."""
    with (HERE / "ledger.csv").open(newline="") as table:
        return {row["id"]: row for row in csv.DictReader(table) if row["applies"] == "yes"}


def covered_ids() -> set[str]:
    """Return the ids in the marks of all tests."""
    ids: set[str] = set()
    for path in TESTS.rglob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.ledger":
                ids |= {str(ast.literal_eval(argument)) for argument in node.args}
    return ids


def deviation_ids() -> set[str]:
    """Return the ids that docs/security.md gives a reason for."""
    page = SECURITY.read_text() if SECURITY.exists() else ""
    return set(re.findall(r"^\| `([A-Z][^`]*)` \|", page.partition("\n## Deviations\n")[2], re.MULTILINE))


def report() -> str:
    """Return a table with the numbers of answered, deviating and open rows, by the first part of their ids."""
    counts: dict[str, Counter[str]] = {}
    by_test, by_reason = covered_ids(), deviation_ids()
    for name in applicable_rows():
        state = "answered" if name in by_test else "deviating" if name in by_reason else "open"
        counts.setdefault(name.split("-")[0].rstrip("0123456789"), Counter())[state] += 1
        counts.setdefault("all", Counter())[state] += 1
    lines = [f"{'rows':<8}{'answered':>10}{'deviating':>11}{'open':>6}"]
    lines += [f"{source:<8}{n['answered']:>10}{n['deviating']:>11}{n['open']:>6}" for source, n in counts.items()]
    return "\n".join(lines)


if __name__ == "__main__":
    print(report())
