"""Fork: worker processes of a server such as Gunicorn with preload have requests and connections of their own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.clients.python.conftest import PACKAGE, add_client
from tests.clients.python.proxy import Proxy
from tests.people import Person
from tests.server import Server

pytestmark = pytest.mark.clients
CODE = """
import os, sys, threading
from latchkey_client import ClientCredentials, Introspection, Verifier

url, issuer, secret, token = sys.argv[1:]
verifier, introspection = Verifier(issuer, url=url), Introspection(url, "forking", secret, cache_seconds=0)
credentials = ClientCredentials(url, "forking", secret)
introspection.verify(token)
threads = [threading.Thread(target=act) for act in (lambda: verifier.verify(token), credentials.token)]
for thread in threads:
    thread.start()
sys.stdin.readline()  # until both requests have arrived at the proxy, which holds them back
child = os.fork()
print("child" if child == 0 else "parent", flush=True)
claims = verifier.verify(token), introspection.verify(token)
assert claims[0].session_id == claims[1].session_id
assert credentials.token()
if child == 0:
    os._exit(0)
for thread in threads:
    thread.join()
print(os.waitpid(child, 0)[1], flush=True)
"""


def test_forked_worker_does_not_wait_for_requests_of_its_parent(
    latchkey: Server, proxy: Proxy, people: dict[str, Person]
) -> None:
    secret, token = add_client(latchkey, "forking"), people["bob"].login().access_token
    command = [sys.executable, "-c", CODE, proxy.url, latchkey.url, secret, token]
    environment = os.environ | {"PYTHONPATH": str(Path(PACKAGE / "src"))}
    pipe = subprocess.PIPE
    proxy.hold("/.well-known/jwks.json", "/oauth/token/")
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True, env=environment) as process:
        assert process.stdin is not None
        proxy.wait_for(2)
        process.stdin.write("go on\n")
        process.stdin.flush()
        proxy.wait_for(3)  # the third is the child's
        proxy.gate.set()
        printed, errors = process.communicate(timeout=60)
    assert (sorted(printed.split()), errors) == (["0", "child", "parent"], "")
    assert proxy.counts["/.well-known/jwks.json"] == 2
    assert proxy.counts["/oauth/token/"] == 2
    assert proxy.counts["/oauth/introspect/"] == 3
