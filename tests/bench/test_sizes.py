"""`python -m bench.sizes`, whose values the capacity calculator has: its run ends, and its values are near those."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from bench.capacity import UnitCosts

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.postgresql
@pytest.mark.slow
def test_sizes_of_rows_wal_and_network_are_near_the_unit_costs_of_the_calculator() -> None:
    command = [sys.executable, "-m", "bench.sizes", "--users", "20000", "--rotations", "200", "--refreshes", "200"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    patterns = {
        "session_bytes": r"latchkey_session, after .* rotated: .* rows, (\d+) \+",
        "session_index_bytes": r"latchkey_session, after .* rotated: .* \+ (\d+) =",
        "user_bytes": r"latchkey_user, new: .* rows, (\d+) \+",
        "user_index_bytes": r"latchkey_user, new: .* \+ (\d+) =",
        "page_wal_bytes": r"wal_compression off, the first on its page: (\d+) bytes",
        "wal_bytes": r"wal_compression off, the next on its page: (\d+) bytes",
        "http_bytes": r"a refresh over HTTP: (\d+) bytes",
        "sql_bytes": r"its statement: (\d+) bytes",
    }
    for name, pattern in patterns.items():
        found = re.search(pattern, done.stdout)
        assert found is not None, name
        assert int(found[1]) == pytest.approx(getattr(UnitCosts(), name), rel=0.2), name
