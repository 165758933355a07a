"""Progress of connections (server/slow_heads.py): which bytes belong to a header section that is not complete."""

from latchkey.server.slow_heads import SlowHeads

CLIENT = "127.0.0.1:40000"


def test_connection_with_the_address_of_an_answered_one_has_its_own_time_limit() -> None:
    watched = SlowHeads(8000)
    watched.looked_at = 100.0
    watched.answered[CLIENT] = 99.5  # a connection that is closed already
    assert watched.update(CLIENT, 1, 101.0).began_at == 101.0


def test_connection_that_was_answered_since_the_last_look_waits_idle() -> None:
    watched = SlowHeads(8000)
    watched.looked_at = 100.0
    watched.answered[CLIENT] = 100.5
    assert watched.update(CLIENT, 120, 101.0).began_at is None


def test_connection_that_replaces_one_with_more_bytes_has_its_own_time_limit() -> None:
    watched = SlowHeads(8000)
    watched.answered[CLIENT] = 99.5
    watched.looked_at = 100.0
    watched.connections[CLIENT] = watched.update(CLIENT, 500, 100.0)
    assert watched.update(CLIENT, 1, 101.0).began_at == 101.0
