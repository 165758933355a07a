"""latchkey users reset-factors: the way back for an operator who has lost the second factor, too."""

import sys
from io import StringIO

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command

from latchkey.accounts.models import User
from latchkey.audit.models import AuditEvent
from latchkey.factors.models import RecoveryCode, TotpSecret
from tests.fixtures.admin import SUPERUSER_EMAIL
from tests.people import Person, try_login
from tests.problems import assert_problem
from tests.support.admin_pages import Browser, sign_in
from tests.support.second_factors import set_up_app

REASON = "Lost the phone, called back"


def reset(*arguments: str) -> str:
    output = StringIO()
    call_command("users", "reset-factors", *arguments, stdout=output)
    return output.getvalue()


@pytest.mark.parametrize("email", ["alice@example.com", "Alice@EXAMPLE.com"])
def test_reset_factors_lets_the_password_sign_in_alone_and_ends_sessions(alice: Person, email: str) -> None:
    app = set_up_app(alice.email)
    ticket = try_login(alice.http).json()["ticket"]
    second = {"ticket": ticket, "code": app.code()}
    pair = alice.http.post("/api/login/second-factor/", json=second).json()
    ticket = try_login(alice.http).json()["ticket"]
    done = "Reset the second factors of alice@example.com. The password signs in alone now.\n"
    assert reset(email, "--reason", REASON, "--yes") == done
    assert_problem(alice.me(pair["access_token"]), 401, "invalid_token")
    second = {"ticket": ticket, "recovery_code": app.recovery_codes[0]}
    assert_problem(alice.http.post("/api/login/second-factor/", json=second), 400, "invalid_ticket")
    assert alice.login().me().status_code == 200
    assert (TotpSecret.objects.count(), RecoveryCode.objects.count()) == (0, 0)
    event = AuditEvent.objects.get(name="factor.reset")
    assert (event.user_id, event.actor_id, event.detail) == (alice.id, None, f"{REASON} (command line)")


def test_reset_factors_lets_a_superuser_into_the_admin_area_again(admin: Browser) -> None:
    set_up_app(SUPERUSER_EMAIL)
    assert sign_in(SUPERUSER_EMAIL).get("/admin/").status_code == 302
    reset(SUPERUSER_EMAIL, "--reason", REASON, "--yes")
    assert sign_in(SUPERUSER_EMAIL).get("/admin/").status_code == 200


def test_reset_factors_asks_first_and_takes_no_answer_but_yes(
    alice: Person, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    set_up_app(alice.email)
    for typed in ("", "no\n", "y\n"):
        monkeypatch.setattr(sys, "stdin", StringIO(typed))
        with pytest.raises(ImproperlyConfigured, match="No factor was deleted; answer 'yes', or give --yes"):
            reset(alice.email, "--reason", REASON)
    assert "signs out every device. Type 'yes' to go on: " in capsys.readouterr().out
    assert TotpSecret.objects.count() == 1
    monkeypatch.setattr(sys, "stdin", StringIO("yes\n"))
    reset(alice.email, "--reason", REASON)
    assert TotpSecret.objects.count() == 0


@pytest.mark.parametrize(
    ("reason", "sentence"),
    [
        ("", "Give a reason."),
        (" ", "Give a reason."),
        ("x" * 50, "A reason has at most 49 characters."),
        ("a@b", "it must not contain an e-mail address"),
        ("lost\x1b[2J", "letters, digits and punctuation alone"),
    ],
)
def test_reset_factors_refuses_a_reason_that_cannot_be_stored(alice: Person, reason: str, sentence: str) -> None:
    set_up_app(alice.email)
    with pytest.raises(ImproperlyConfigured, match=sentence):
        reset(alice.email, "--reason", reason, "--yes")
    assert User.objects.get(pk=alice.id).second_factors == 1


def test_reset_factors_stores_the_longest_reason_in_full(alice: Person) -> None:
    set_up_app(alice.email)
    reset(alice.email, "--reason", "x" * 49, "--yes")
    assert AuditEvent.objects.get(name="factor.reset").detail == f"{'x' * 49} (command line)"


def test_reset_factors_of_nobody_or_of_nothing_is_refused(alice: Person) -> None:
    with pytest.raises(ImproperlyConfigured, match="There is no user with the e-mail address"):
        reset("bob@example.com", "--reason", REASON, "--yes")
    with pytest.raises(ImproperlyConfigured, match="has no second factor"):
        reset(alice.email, "--reason", REASON, "--yes")
    with pytest.raises(CommandError, match="required: --reason"):
        reset(alice.email, "--yes")
    assert alice.me().status_code == 200
