"""Mails to a user at the request of a back end: password reset and verification."""

import httpx
import pytest
from django.test import override_settings

from latchkey.accounts.admin_actions import deactivate
from latchkey.accounts.models import User
from tests.outbox import last_mail, sent_mails
from tests.people import Person
from tests.problems import assert_problem
from tests.users_api.callers import KINDS, WRITE, application, events_of

NEW_PASSWORD = "seven purple trains to the sea"
MAILS = {"password-reset": "password_reset", "verification": "email_verification"}
EVENTS = {"password-reset": "password.reset_requested", "verification": "email.verification_requested"}
ON_ITS_WAY = {"detail": "A mail with a link and a code is on its way to the user."}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("path", MAILS)
def test_mail_goes_to_the_user_and_its_secrets_stay_in_it(
    http: httpx.Client, alice: Person, path: str, kind: str
) -> None:
    caller = KINDS[kind](http, WRITE)
    answer = caller.send("POST", f"users/{alice.id}/{path}/")
    assert (answer.status_code, answer.json()) == (202, ON_ITS_WAY)
    (mail,) = sent_mails(alice.email)
    assert mail.kind == MAILS[path]
    reason = "application" if caller.client_id else "operator"
    assert events_of(alice.id, EVENTS[path])[-1:] == [(caller.user_id, caller.client_id, reason)]


def test_user_sets_a_new_password_with_the_link(http: httpx.Client, alice: Person) -> None:
    application(http, WRITE).send("POST", f"users/{alice.id}/password-reset/")
    assert alice.me().status_code == 200  # nothing has changed until then
    body = {"token": last_mail(alice.email).token, "new_password": NEW_PASSWORD}
    assert http.post("/api/password/reset/confirm/", json=body).status_code == 200
    alice.password = NEW_PASSWORD
    assert alice.login().me().status_code == 200


def test_user_verifies_the_address_with_the_link(http: httpx.Client, alice: Person) -> None:
    application(http, WRITE).send("POST", f"users/{alice.id}/verification/")
    assert http.post("/api/email/verify/", json={"token": last_mail(alice.email).token}).status_code == 200
    assert http.get("/api/me/email/", headers=alice.bearer()).json()["email_verified"] is True


def test_verified_address_is_not_verified_again(http: httpx.Client, alice: Person) -> None:
    crm, path = application(http, WRITE), f"users/{alice.id}/verification/"
    crm.send("POST", path)
    http.post("/api/email/verify/", json={"token": last_mail(alice.email).token})
    answer = crm.send("POST", path)
    assert_problem(answer, 400, "invalid", ["user_id"])
    assert answer.json()["errors"] == {"user_id": ["The e-mail address of this user is verified already."]}
    assert len(sent_mails(alice.email)) == 1


@pytest.mark.parametrize("path", MAILS)
def test_deactivated_user_gets_no_mail(http: httpx.Client, alice: Person, path: str) -> None:
    deactivate([alice.id])
    answer = application(http, WRITE).send("POST", f"users/{alice.id}/{path}/")
    assert_problem(answer, 400, "invalid", ["user_id"])
    assert answer.json()["errors"] == {"user_id": ["This user is deactivated; reactivate the user first."]}
    assert sent_mails() == []
    assert events_of(alice.id, EVENTS[path]) == []


@pytest.mark.parametrize("path", MAILS)
def test_without_a_mail_server_no_mail_is_promised(http: httpx.Client, alice: Person, path: str) -> None:
    with override_settings(MAIL_SERVER=None):
        answer = application(http, WRITE).send("POST", f"users/{alice.id}/{path}/")
        assert_problem(answer, 503, "unavailable")
        User.objects.filter(pk=alice.id).update(is_staff=True)
        refused = application(http, WRITE).send("POST", f"users/{alice.id}/{path}/")
    assert_problem(refused, 403, "permission_denied")
    assert sent_mails() == []
