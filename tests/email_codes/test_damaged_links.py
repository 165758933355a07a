"""Links that mail programs have damaged: what they append, and where they break the line."""

from collections.abc import Callable

import httpx
import pytest

from latchkey.email_codes.one_time_codes import generate_token
from latchkey.web.input import trim_link_token
from tests.email_codes.test_link_pages import NEW
from tests.outbox import last_code_mail
from tests.people import Person
from tests.problems import assert_problem

DAMAGE: dict[str, Callable[[str], str]] = {
    "nothing": lambda token: f"?token={token}",
    "a full stop": lambda token: f"?token={token}.",
    "an angle bracket": lambda token: f"?token={token}%3E",
    "a bracket as it is": lambda token: f"?token={token}>",
    "a bracket and a full stop": lambda token: f"?token={token}).",
    "a quotation mark": lambda token: f"?token={token}%22",
    "a space": lambda token: f"?token={token}%20",
    "a plus": lambda token: f"?token={token}+",
    "a comma and words": lambda token: f"?token={token},%20thanks",
    "a parameter": lambda token: f"?token={token}&utm_source=mail&utm_medium=email",
    "a parameter before": lambda token: f"?utm_source=mail&token={token}",
    "a parameter with a second question mark": lambda token: f"?token={token}?utm_source=mail",
    "a parameter with an escaped ampersand": lambda token: f"?token={token}%26utm_source=mail",
    "a parameter of HTML": lambda token: f"?token={token}&amp;utm_source=mail",
    "a fragment that was escaped": lambda token: f"?token={token}%23top",
    "a line break": lambda token: f"?token={token[:20]}%0D%0A{token[20:]}",
    "a line break of quoted-printable": lambda token: f"?token={token[:20]}%3D%0A{token[20:]}",
    "spaces in it": lambda token: f"?token={token[:20]}%20%20{token[20:]}",
    "a soft hyphen": lambda token: f"?token={token[:9]}%C2%AD{token[9:]}",
    "a zero-width space": lambda token: f"?token={token}%E2%80%8B",
    "an equals sign of quoted-printable": lambda token: f"?token=3D{token}",
    "an escaped equals sign": lambda token: f"?token%3D{token}",
    "an angle bracket before": lambda token: f"?token=%3C{token}%3E",
}
each_damage = pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)


@each_damage
def test_damaged_link_of_a_verification_mail_works(alice: Person, damage: Callable[[str], str]) -> None:
    alice.http.post("/api/email/verify/resend/", json={"email": alice.email})
    page = alice.http.get(f"/verify-email/{damage(last_code_mail().token)}")
    assert page.status_code == 200
    assert alice.email in page.text


@pytest.mark.parametrize("appended", [".", ">", ")", " ", "\n", ").", "\u200b"])
def test_damaged_token_works_at_the_api_as_applications_have_pages_of_their_own(alice: Person, appended: str) -> None:
    alice.http.post("/api/password/reset/", json={"email": alice.email})
    body = {"token": last_code_mail().token + appended, "new_password": NEW}
    assert alice.http.post("/api/password/reset/confirm/", json=body).status_code == 200


def test_token_of_another_link_is_still_refused(alice: Person) -> None:
    alice.http.post("/api/password/reset/", json={"email": alice.email})
    token = last_code_mail().token
    for wrong in (token[:-1], token[1:], token.swapcase(), token[:-1] + "\u212a", "", "."):
        answer = alice.http.post("/api/password/reset/confirm/", json={"token": wrong, "new_password": NEW})
        assert answer.status_code == 400
    assert_problem(
        alice.http.post("/api/password/reset/confirm/", json={"token": token[::-1], "new_password": NEW}),
        400,
        "invalid_code",
    )


def test_every_token_survives_the_trimming(http: httpx.Client) -> None:
    for token in (*(generate_token() for _ in range(500)), f"3D{generate_token()[2:]}", f"3D3D{generate_token()[4:]}"):
        assert trim_link_token(token) == token
        assert trim_link_token(f"{token}.") == token
        assert trim_link_token(f"=3D{token}") == token
        assert trim_link_token(f"3D{token}") == token
