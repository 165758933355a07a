"""Randomness of refresh tokens and session ids, also in forked workers."""

import subprocess
import sys
from pathlib import Path

import pytest

from latchkey.sessions.models import random_id
from latchkey.tokens.refresh_token import generate, selector

DRAW = """
import os, pathlib, sys
from latchkey.tokens.refresh_token import generate
generate(bytes(32))
for worker in range(8):
    if os.fork() == 0:
        drawn = "".join(f"{generate(bytes(32))}\\n" for _ in range(12_500))
        pathlib.Path(sys.argv[1], str(worker)).write_text(drawn)
        os._exit(0)
for _ in range(8):
    os.wait()
"""


@pytest.mark.ledger("CS-SESS-1")
def test_10000_refresh_tokens_are_unique_and_uniformly_random() -> None:
    tokens = [generate(bytes(32)) for _ in range(10_000)]
    assert len(set(tokens)) == len({selector(token) for token in tokens}) == 10_000
    assert {(token.version, token.variant) for token in tokens} == {(4, "specified in RFC 4122")}
    assert len({random_id() for _ in range(10_000)}) == 10_000
    ones = [sum(token.int >> bit & 1 for token in tokens) for bit in range(128)]
    assert all(4_500 < count < 5_500 for bit, count in enumerate(ones) if bit not in (62, 63, 76, 77, 78, 79))


@pytest.mark.slow
@pytest.mark.ledger("ASVS-11.5.2")
def test_eight_forked_workers_never_generate_the_same_refresh_token(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", DRAW, str(tmp_path)], timeout=60, check=True)
    drawn = [path.read_text().split() for path in tmp_path.iterdir()]
    assert [len(tokens) for tokens in drawn] == [12_500] * 8
    assert len({token for tokens in drawn for token in tokens}) == 100_000
