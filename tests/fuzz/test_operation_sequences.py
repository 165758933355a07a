"""Sequences of requests along the links of the OpenAPI document: each response feeds the requests that follow it."""

import re
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import time_machine
from django.db import transaction
from hypothesis import Phase, seed, settings

from latchkey.rate_limits.in_memory import clear
from tests.fuzz.openapi_document import (
    BACK_END_PATHS,
    BEARER_PATHS,
    BROWSER_PATH,
    CASES,
    GENERATED_CASES,
    SCHEMA,
    check_valid_registration_accepted,
    client_address,
    client_authorization,
)
from tests.hypothesis_profiles import NO_DEADLINE

SEQUENCES, STEPS, ROUNDS = 80, 20, 30
SUCCESS = {"POST /api/register/": 201, "GET /api/verify/": 204}
SUCCESS |= dict.fromkeys(("DELETE /api/me/", "DELETE /api/sessions/{session_id}/"), 204)
SUCCESS |= {"DELETE /api/me/totp/": 404, "POST /api/me/recovery-codes/": 400}  # without the code of an app
SUCCESS |= dict.fromkeys(("PATCH /api/me/passkeys/{passkey_id}/", "DELETE /api/me/passkeys/{passkey_id}/"), 404)
SUCCESS |= {"POST /api/me/keys/": 201, "DELETE /api/me/keys/{key_id}/": 204}
SUCCESS |= {"POST /api/step-up/passkey/": 404}  # without a passkey: no software authenticator follows the links
SUCCESS |= {f"POST /api/{name}/": 202 for name in ("password/reset", "email/verify/resend", "email/change")}
SUCCESS |= {"POST /api/login/recovery/": 403}  # off by default
WITHOUT_THE_CODE = (
    "password/change",
    "password/reset/confirm",
    "email/verify",
    "email/change/confirm",
    "login/second-factor",
    "login/second-factor/passkey",
    "login/enrolment/totp",
    "login/enrolment/totp/confirm",
    "login/enrolment/passkey",
    "login/enrolment/passkey/confirm",
    "login/passkey",
    "login/recovery/cancel",
    "login/recovery/confirm",
    "me/passkeys",
    "step-up",
    "me/totp/confirm",
)
SUCCESS |= {f"POST /api/{name}/": 400 for name in WITHOUT_THE_CODE}  # or the password: as far as one gets


FACTOR_PATHS = r"/(second-factor|enrolment|passkeys?|recovery|recovery-codes|step-up|totp|factors)(/|$)"
"""Paths of second factors. They have sequences of their own, as each sequence has a few dozen links to choose of."""
SESSION_PATHS, MAIL_PATHS = r"/(sessions|keys)(/|$)", r"/(password|email)/"
SIGN_IN_PATHS = "/api/(config|register|login)/$"
OTHER_PATH = f"^({'|'.join((*BACK_END_PATHS, '/oauth/', BROWSER_PATH))})"
"""Paths without a link from register to them: those of users for back ends, whose links lead from user to user; those
of OAuth, which need the secret of an application; and those of browsers, which need a cookie."""
PARTS = {
    "second factors": f"^(?!{SIGN_IN_PATHS})(?!.*{FACTOR_PATHS})|{OTHER_PATH}",
    "accounts": f"{FACTOR_PATHS}|{SESSION_PATHS}|{OTHER_PATH}",
    "sessions and API keys": f"{FACTOR_PATHS}|{MAIL_PATHS}|{OTHER_PATH}",
}
"""The parts of the document that are followed, and the paths that each leaves out."""


class LinkFollower:
    """A user who follows the links with the access token of the last pair."""

    met: Counter[tuple[str, int]]
    recorder: Any  # of the state machine that a part of the document makes

    def setup(self) -> None:
        self.access_token = "x.y.z"
        self.start = transaction.savepoint()
        clear()

    def teardown(self) -> None:
        """Roll back: generated data can be replayed only if the same request gets the same response."""
        transaction.savepoint_rollback(self.start)

    def get_call_kwargs(self, case: Any) -> dict[str, Any]:
        bearer, service = f"Bearer {self.access_token}", client_authorization()
        sent = bearer if case.path.startswith(BEARER_PATHS) else service if case.path == "/api/introspect/" else ""
        headers = {"Authorization": sent} if sent else {}
        return {"headers": headers, "environ_base": client_address(case)}

    def after_call(self, response: Any, case: Any) -> None:
        super().after_call(response, case)  # type: ignore[misc]  # of that state machine
        self.met[case.operation.label, response.status_code] += 1
        if case.operation.label.endswith(("/login/", "/refresh/")) and response.status_code == 200:
            self.access_token = response.json()["access_token"]

    def validate_response(self, response: Any, case: Any, additional_checks: Any = None, **kwargs: Any) -> None:
        checks = [*(additional_checks or []), check_valid_registration_accepted]
        given = kwargs["headers"]  # which the base class would take for made-up ones
        case.validate_response(response, additional_checks=checks, headers=given, recorder=self.recorder)


@pytest.mark.ledger("DJ-DOC-1")
@pytest.mark.parametrize("part", PARTS)
def test_openapi_links_lead_from_register_to_every_operation(
    http: httpx.Client, set_policy: Callable[..., None], part: str
) -> None:
    set_policy(access_token_lifetime=timedelta(hours=1))
    left_out = re.compile(PARTS[part])
    followed = SCHEMA.exclude(path_regex=PARTS[part])
    operations = {name for name in GENERATED_CASES if not left_out.search(name.partition(" ")[2])}
    followed_class: Any = type("Follower", (LinkFollower, followed.as_state_machine()), {"met": Counter()})
    with time_machine.travel(datetime.now(UTC), tick=False):  # a slow machine must not end retry windows
        for number in range(ROUNDS):
            run_sequences(followed_class, number)
            if not (out_of_reach := operations_out_of_reach(operations, followed_class.met)):
                break
    assert followed_class.met.total() >= CASES["journeys"]
    assert out_of_reach == []


def operations_out_of_reach(operations: set[str], met: Counter[tuple[str, int]]) -> list[str]:
    """Return the operations that succeeded less often than following the links must make them succeed."""
    least = {name: 3 if "_id}" in name else 8 for name in operations}  # what needs an id lies one link further
    return [name for name in least if met[name, SUCCESS.get(name, 200)] < least[name]]


def run_sequences(followed_class: Any, number: int) -> None:
    """Run one round of sequences.

    Hypothesis draws by the seed and by the constants of all modules imported so far, hence by the tests that the
    process ran before: one round of 80 sequences follows the last link once or never.
    """
    seed(number)(followed_class).run(
        settings=settings(
            NO_DEADLINE, max_examples=SEQUENCES, stateful_step_count=STEPS, database=None, phases=[Phase.generate]
        )
    )
