"""ClientInfo: the address and the user agent of a client, as far as the network can prove them."""

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from latchkey.core.client import ClientInfo


def parse_client(
    remote: str = "203.0.113.9", forwarded: str | None = None, proxies: int = 0, agent: str = ""
) -> ClientInfo:
    headers = {"REMOTE_ADDR": remote, "HTTP_USER_AGENT": agent}
    return ClientInfo.from_environ(
        headers | ({} if forwarded is None else {"HTTP_X_FORWARDED_FOR": forwarded}), proxies
    )


@pytest.mark.ledger("RFC9700-4.13")
def test_client_address_ignores_x_forwarded_for_without_a_trusted_proxy() -> None:
    assert parse_client(forwarded="198.51.100.1").address == "203.0.113.9"


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        (1, "198.51.100.1", "198.51.100.1"),
        (1, "6.6.6.6, 198.51.100.1", "198.51.100.1"),
        (2, "6.6.6.6, 198.51.100.1, 10.0.0.1", "198.51.100.1"),
        (2, "198.51.100.1, 10.0.0.1", "198.51.100.1"),
        (1, "198.51.100.1,2001:DB8::1", "2001:db8::1"),
        (1, "  198.51.100.1\t", "198.51.100.1"),
        (1, "198.51.100.1, junk", None),
        (1, "198.51.100.1,", None),
        (1, "", None),
        (1, None, None),
        (1, "203.0.113.5:51234", "203.0.113.5"),
        (1, "6.6.6.6, 203.0.113.5:51234", "203.0.113.5"),
        (1, "[2001:db8::1]:443", "2001:db8::1"),
        (1, "[2001:db8::1]", "2001:db8::1"),
        (1, "[203.0.113.5]:443", "203.0.113.5"),
        (1, '"[2001:db8::1]:443"', "2001:db8::1"),
        (1, '"203.0.113.5"', "203.0.113.5"),
        (1, '6.6.6.6, " 203.0.113.5 "', "203.0.113.5"),
        (1, "203.0.113.5:_port.7", "203.0.113.5"),
        (1, "[fe80::1%eth0]:443", "fe80::1"),
        (1, "fe80::1%25eth0", "fe80::1"),
        (1, "6.6.6.6, unknown", None),
        (1, "6.6.6.6, _hidden", None),
        (1, "6.6.6.6, unix:", None),
        (1, "6.6.6.6, unix:@", None),
        (1, "6.6.6.6, -", None),
        (1, "6.6.6.6, 203.0.113.5:", None),
        (1, "6.6.6.6, 203.0.113.5:port", None),
        (1, "6.6.6.6, [2001:db8::1", None),
        (1, "6.6.6.6, [2001:db8::1]443", None),
        (1, "6.6.6.6, [[2001:db8::1]]", None),
        (1, "6.6.6.6, \u0662.2.2.2", None),
        (2, "6.6.6.6, unknown, 10.0.0.1", None),
    ],
)
def test_client_address_is_the_x_forwarded_for_entry_of_the_outermost_trusted_proxy(
    proxies: int, forwarded: str | None, address: str | None
) -> None:
    assert parse_client(remote="10.0.0.2", forwarded=forwarded, proxies=proxies).address == address


@pytest.mark.parametrize(
    ("remote", "address"),
    [
        ("::1", "::1"),
        ("2001:DB8:0:0::00AB", "2001:db8::ab"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("fe80::1%eth0", "fe80::1"),
        ("", None),
        ("unix:", None),
        ("203.0.113.9:4711", "203.0.113.9"),
        ("[::1]:80", "::1"),
        ("/run/latchkey.sock", None),
        ("64:ff9b::203.0.113.9", "203.0.113.9"),
        ("::ffff:0:203.0.113.9", "203.0.113.9"),
        ("2002:cb00:7109::1", "203.0.113.9"),
        ("2001:0:4136:e378:8000:63bf:34ff:8ef6", "203.0.113.9"),
        ("64:ff9b:1::203.0.113.9", "64:ff9b:1::cb00:7109"),
        ("203.0.113.999", None),
        ("127.1", None),
        ("0x7f.0.0.1", None),
        ("localhost", None),
    ],
)
def test_client_address_is_canonical_or_none(remote: str, address: str | None) -> None:
    assert parse_client(remote=remote).address == address


@pytest.mark.parametrize(
    ("peer", "address"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("2001:db8::9", "2001:db8::9"),
        ("10.0.0.2", None),
        ("127.0.0.1", None),
        ("100.64.1.1", None),
        ("fd00::1", None),
        ("::ffff:172.16.0.1", None),
        ("", None),
    ],
)
def test_request_without_forwarded_for_has_its_peers_address_unless_that_may_be_a_proxy(
    peer: str, address: str | None
) -> None:
    assert parse_client(remote=peer, proxies=1).address == address
    assert parse_client(remote=peer, forwarded="", proxies=1).address is None


@pytest.mark.ledger("H-PRIV-01")
def test_client_user_agent_is_truncated_and_printable() -> None:
    assert parse_client(agent="x" * 10_000).user_agent == "x" * 255
    assert parse_client(agent="a\r\nb\x00c\x1b[31m\u202ed").user_agent == "a\ufffd\ufffdb\ufffdc\ufffd[31m\ufffdd"
    assert ClientInfo.from_environ({}, 0) == ClientInfo(None, "")


@given(st.text(), st.text(), st.text(), st.integers(0, 5))
def test_client_info_accepts_any_header_text(remote: str, forwarded: str, agent: str, proxies: int) -> None:
    client = parse_client(remote, forwarded, proxies, agent)
    assert client.address is None or str(ip_address(client.address)) == client.address
    assert len(client.user_agent) <= 255
    assert client.user_agent.isprintable()
