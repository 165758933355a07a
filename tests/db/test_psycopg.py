"""The PostgreSQL driver: psycopg 3 with its C implementation."""

import psycopg


def test_psycopg_is_version_3_with_the_binary_implementation() -> None:
    assert psycopg.__version__.startswith("3.")
    assert psycopg.pq.__impl__ == "binary"
