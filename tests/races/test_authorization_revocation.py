"""Races of verify and introspection with everything that takes a right away: 2 s later nothing passes."""

import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from threading import Event

import httpx
import pytest

from tests.fixtures.races import open_clients
from tests.people import Person
from tests.server import Server

pytestmark = pytest.mark.race
CLIENTS = 16
GRACE = 2.0
"""Seconds after the change from which on nothing may pass."""

SETUP = f"""
import json, sys
sys.path.append({str(Path(__file__).parents[2])!r})
from datetime import timedelta
from latchkey.core import clock
from latchkey.tokens.access_token import issue_for_client
from tests.people import Person
from tests.support.bearers import add_application, add_role, application_key, person_key
alice = Person(None, "", id={{alice}})
add_role(alice, "editor", "reports:read")
reports = add_application("reports", "reports:read")
print(json.dumps({{{{
    "application": issue_for_client("reports", ["reports:read"], ["latchkey"], clock.now(), timedelta(minutes=50)),
    "person's key": person_key(alice, "reports:read"),
    "application's key": application_key(reports, "reports:read"),
}}}}))
"""
IMPORTS = """
from latchkey.api_keys.models import ApiKey
from latchkey.applications.models import Application
from latchkey.audit.log import COMMAND_LINE
from latchkey.authorization.models import Role
from latchkey.authorization.roles import revoke_role
"""
_REPORTS = "Application.objects.filter(client_id='reports')"
CHANGES = {
    "a role": (
        "revoke_role(list(User.objects.values_list('pk', flat=True)), Role.objects.get(), COMMAND_LINE)",
        ("session", "person's key"),
    ),
    "a scope of a role": ("Role.objects.get().scopes.clear()", ("session", "person's key")),
    "a scope of an application": (f"{_REPORTS}.get().scopes.clear()", ("application", "application's key")),
    "a key": ("ApiKey.objects.all().delete()", ("person's key", "application's key")),
    "an application": (f"{_REPORTS}.update(is_active=False)", ("application", "application's key")),
    "a user": (
        "User.objects.filter(email='alice@example.com').update(is_active=False)",
        ("session", "person's key"),
    ),
}


def ask_verify(http: httpx.Client, token: str, credential: tuple[str, str]) -> bool:
    answer = http.get("/api/verify/?scope=reports:read", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code in (204, 401, 403, 429), answer.text
    return answer.status_code == 204


def ask_introspect(http: httpx.Client, token: str, credential: tuple[str, str]) -> bool:
    answer = http.post("/api/introspect/", data={"token": token}, auth=credential)
    assert answer.status_code in (200, 429), answer.text
    return answer.status_code == 200 and "reports:read" in answer.json().get("scope", "").split()


@pytest.mark.parametrize("change", CHANGES)
def test_nothing_passes_two_seconds_after_a_right_was_taken_away_while_16_clients_use_it(
    make_server: Callable[[], Server], change: str
) -> None:
    code, kinds = CHANGES[change]
    with ExitStack() as stack:
        server = make_server().start()
        stack.callback(server.kill)
        clients = stack.enter_context(open_clients(server.url, CLIENTS))
        server.shell(
            "from constance import config; from datetime import timedelta\n"
            "config.ACCESS_TOKEN_LIFETIME = timedelta(minutes=50)"
        )
        time.sleep(GRACE)  # a policy is read every 2 s at most
        alice = Person(clients[0], "alice@example.com").register().login()
        tokens = json.loads(server.shell(SETUP.format(alice=alice.id)).splitlines()[-1])
        tokens["session"] = alice.access_token
        secret = server.command("services", "add", "payments").stdout.split()[-1]
        passed: list[tuple[float, str]] = []
        stopped = Event()

        def use(number: int) -> int:
            kind, ask = kinds[number % len(kinds)], (ask_verify, ask_introspect)[number // len(kinds) % 2]
            asked = 0
            while not stopped.is_set():
                began = time.monotonic()
                asked += 1
                if ask(clients[number], tokens[kind], ("payments", secret)):
                    passed.append((began, f"{kind} at {ask.__name__}"))
            return asked

        with ThreadPoolExecutor(CLIENTS) as pool:
            using = [pool.submit(use, number) for number in range(CLIENTS)]
            try:
                time.sleep(1)
                server.shell(IMPORTS + code)
                changed = time.monotonic()
                time.sleep(GRACE + 2)
            finally:
                stopped.set()
            counts = [each.result() for each in using]
        before = {what for began, what in passed if began < changed}
        assert before == {f"{kind} at {ask.__name__}" for kind in kinds for ask in (ask_verify, ask_introspect)}
        assert min(counts) > 1
        late = [(round(began - changed, 2), what) for began, what in passed if began > changed]
        print(f"{change}: {sum(counts)} requests, {len(passed)} passed, {len(late)} began after the change")
        assert [each for each in late if each[0] > GRACE] == []
