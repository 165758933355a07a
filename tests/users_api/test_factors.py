"""Second factors of a user over the API for back ends: list and reset them."""

import httpx
import pytest

from latchkey.mail.notices import process_pending
from tests.outbox import last_mail, sent_mails
from tests.people import Person
from tests.problems import assert_problem
from tests.second_factors import enrol
from tests.users_api.callers import DEVICE, KINDS, READ, WRITE, application, events_of

REASON = "Identity card seen in a call"


def test_list_of_factors_has_no_secrets(http: httpx.Client, alice: Person) -> None:
    crm = application(http, READ)
    assert crm.get(f"users/{alice.id}/factors/") == {"totp": None, "passkeys": [], "recovery_codes": 0}
    enrolled = enrol(alice)
    answer = crm.send("GET", f"users/{alice.id}/factors/")
    found = answer.json()
    assert list(found["totp"]) == ["confirmed_at", "last_used_at"]
    assert (found["passkeys"], found["recovery_codes"]) == ([], 10)
    assert not [secret for secret in (enrolled.app.secret, *enrolled.recovery_codes) if secret in answer.text]
    assert found == http.get("/api/me/factors/", headers=alice.bearer()).json()


@pytest.mark.parametrize("kind", KINDS)
def test_reset_removes_all_factors_ends_all_sessions_and_tells_the_user(
    http: httpx.Client, alice: Person, kind: str
) -> None:
    enrol(alice)
    caller = KINDS[kind](http, READ, WRITE)
    answer = caller.send("DELETE", f"users/{alice.id}/factors/", {"reason": f"  {REASON} "})
    assert (answer.status_code, answer.content) == (204, b"")
    assert alice.me().status_code == 401
    assert alice.login().me().status_code == 200  # the password alone
    assert caller.get(f"users/{alice.id}/factors/") == {"totp": None, "passkeys": [], "recovery_codes": 0}
    assert events_of(alice.id, "factor.reset") == [(caller.user_id, caller.client_id, REASON)]
    while process_pending():  # one mail at a time, as the address was never confirmed
        pass
    (mail,) = [mail for mail in sent_mails(alice.email) if mail.kind == "factor_reset"]
    assert (mail.context["device"], mail.context["address"]) == ("", "")
    assert DEVICE not in str(mail.context)
    assert last_mail(alice.email).to == alice.email


def test_reset_of_a_user_without_factors_changes_nothing(http: httpx.Client, alice: Person) -> None:
    crm = application(http, WRITE)
    assert crm.send("DELETE", f"users/{alice.id}/factors/", {"reason": REASON}).status_code == 204
    assert alice.me().status_code == 200
    assert events_of(alice.id, "factor.reset") == []


@pytest.mark.parametrize("reason", ["", "   ", "x" * 65, "asked by bob@example.com", "a\nb\0", "\u202e", 7, None])
def test_reset_needs_a_reason_that_can_be_logged(http: httpx.Client, alice: Person, reason: object) -> None:
    enrolled = enrol(alice)
    crm = application(http, WRITE)
    assert_problem(crm.send("DELETE", f"users/{alice.id}/factors/", {"reason": reason}), 400, "invalid", ["reason"])
    assert_problem(crm.send("DELETE", f"users/{alice.id}/factors/", {}), 400, "invalid", ["reason"])
    assert_problem(crm.send("DELETE", f"users/{alice.id}/factors/"), 400, "invalid", ["reason"])
    assert enrolled.try_password().status_code == 403
