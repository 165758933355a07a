"""System checks of mail in `latchkey check --deploy`."""

from collections.abc import Callable
from typing import Any

import pytest

from latchkey.mail.checks import verification_has_mail


@pytest.mark.parametrize("verification", ["optional", "required"])
def test_email_verification_without_a_mail_server_reports_e012(
    db: None, settings: Any, set_policy: Callable[..., None], verification: str
) -> None:
    settings.MAIL_SERVER = None
    assert verification_has_mail() == []
    set_policy(email_verification=verification)
    (error,) = verification_has_mail()
    assert error.id == "latchkey.E012"
    settings.MAIL_SERVER = {"backend": "any"}
    assert verification_has_mail() == []
