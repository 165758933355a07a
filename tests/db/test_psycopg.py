"""The parts that speak to PostgreSQL: psycopg 3, as C."""

import psycopg


def test_psycopg_is_the_third_with_its_c_extension() -> None:
    assert psycopg.__version__.startswith("3.")
    assert psycopg.pq.__impl__ == "binary"
