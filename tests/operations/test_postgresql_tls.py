"""DATABASE_URL with sslmode=verify-full: connections use TLS to a server with a valid certificate, or fail."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.operations.postgres_tls_proxy import TlsProxy
from tests.people import Person
from tests.postgres import Postgres
from tests.problems import assert_problem
from tests.server import Server
from tests.support.certificates import CertificateAuthority
from tests.support.postgres_roles import OWNER, postgres_with_roles, role_url

HERE, ELSEWHERE = "127.0.0.1", "127.0.0.2"


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    with postgres_with_roles() as postgres:
        yield postgres


@pytest.fixture(scope="module")
def trusted_ca(tmp_path_factory: pytest.TempPathFactory) -> CertificateAuthority:
    return CertificateAuthority(tmp_path_factory.mktemp("certificates"), "ours")


@pytest.fixture(scope="module")
def untrusted_ca(tmp_path_factory: pytest.TempPathFactory) -> CertificateAuthority:
    return CertificateAuthority(tmp_path_factory.mktemp("certificates"), "mallory")


@pytest.fixture
def tls_proxy(postgres: Postgres, trusted_ca: CertificateAuthority) -> Iterator[TlsProxy]:
    with TlsProxy(postgres.port, trusted_ca.server_context(HERE)) as front:
        yield front


@pytest.fixture
def verify_full_url(trusted_ca: CertificateAuthority, tmp_path: Path) -> Iterator[Callable[[int], Server]]:
    """Make a server, not started, that trusts only the CA of the test: verify_full_url(port)."""
    made: list[Server] = []

    def make(port: int) -> Server:
        made.append(
            Server(tmp_path, role_url(OWNER, port, options=f"?sslmode=verify-full&sslrootcert={trusted_ca.file}"))
        )
        return made[-1]

    yield make
    for server in made:
        if server.process:
            server.kill()


@pytest.mark.ledger("ASVS-12.3.1")
def test_sslmode_verify_full_connects_to_postgresql_over_tls_only(
    tls_proxy: TlsProxy, verify_full_url: Callable[[int], Server]
) -> None:
    server = verify_full_url(tls_proxy.port).start()
    with httpx.Client(base_url=server.url) as http:
        assert http.get("/readyz").status_code == 200
        assert Person(http, "alice@example.com").register().login().refresh().me().status_code == 200
    assert tls_proxy.encrypted >= 3
    assert tls_proxy.refused == 0


@pytest.mark.ledger("ASVS-12.3.2")
def test_serve_refuses_to_start_if_the_database_certificate_fails_verification(
    tls_proxy: TlsProxy,
    verify_full_url: Callable[[int], Server],
    trusted_ca: CertificateAuthority,
    untrusted_ca: CertificateAuthority,
    postgres: Postgres,
) -> None:
    server = verify_full_url(tls_proxy.port)
    assert server.command("migrate", "--verbosity", "0").returncode == 0
    for false in (untrusted_ca.server_context(HERE), trusted_ca.server_context(ELSEWHERE)):
        tls_proxy.change_certificate(false)
        assert_refused(server, "certificate")
    assert_refused(verify_full_url(postgres.port), "server does not support SSL")


def assert_refused(server: Server, reason: str) -> None:
    done = server.command("serve", "--port", str(server.port))
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1), done.stderr
    assert "The database cannot be used" in done.stderr
    assert reason in done.stderr


@pytest.mark.ledger("ASVS-12.3.1", "ASVS-12.3.2")
def test_requests_get_503_while_the_database_certificate_fails_verification(
    tls_proxy: TlsProxy,
    verify_full_url: Callable[[int], Server],
    trusted_ca: CertificateAuthority,
    untrusted_ca: CertificateAuthority,
) -> None:
    server = verify_full_url(tls_proxy.port).start()
    with httpx.Client(base_url=server.url) as http:
        bob = Person(http, "bob@example.com").register().login()
        for false in (untrusted_ca.server_context(HERE), trusted_ca.server_context(ELSEWHERE)):
            tls_proxy.change_certificate(false)
            for _ in range(8):  # each thread has its own connection
                assert_problem(http.get("/readyz"), 503, "unavailable")
                assert_problem(bob.try_refresh(), 503, "unavailable")
                assert http.get("/livez").status_code == 200
            tls_proxy.change_certificate(trusted_ca.server_context(HERE))
            deadline = time.monotonic() + 10
            while bob.try_refresh().status_code == 503:
                assert time.monotonic() < deadline
            assert bob.refresh().me().status_code == 200
