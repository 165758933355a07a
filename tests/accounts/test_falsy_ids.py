"""Ids that are falsy in Python: user 0, as older databases have the first superuser, is somebody; None is nobody."""

from typing import Any

import httpx
import pytest

from latchkey.accounts.models import User
from latchkey.accounts.superuser import ensure_superuser
from latchkey.audit.events import Event
from latchkey.audit.log import record
from latchkey.audit.models import AuditEvent
from latchkey.core.client import ClientInfo
from latchkey.mail.models import Mail
from latchkey.mail.notices import process_pending
from latchkey.sign_in.login import login
from tests.people import PASSWORD, Person
from tests.support.captured_log import CapturedLog

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.fixture
def user_zero(db: None) -> User:
    """A user whose id is 0."""
    return User.objects.create_superuser("zero@example.com", PASSWORD, id=0)


def test_first_superuser_has_a_positive_id(db: None) -> None:
    ensure_superuser("admin@example.com", PASSWORD)
    assert User.objects.get(is_superuser=True).pk > 0
    assert not User.objects.filter(pk__lte=0).exists()


def test_user_zero_is_mailed_about_a_new_device_and_about_refresh_token_reuse(
    user_zero: User, settings: Any, http: httpx.Client
) -> None:
    settings.MAIL_SERVER = {}  # queued, not sent
    for address in ("192.0.2.1", "198.51.100.1"):
        login(user_zero.email, PASSWORD, ClientInfo(address, FIREFOX))
    device = Person(http, user_zero.email).login()
    device.refresh().refresh()
    assert device.try_refresh(device.spent[0]).status_code == 401
    while process_pending():
        pass
    kinds = list(Mail.objects.filter(user_id=0).order_by("pk").values_list("kind", flat=True))
    assert kinds[0] == "new_device"
    assert kinds[-1] == "session_replayed"


@pytest.mark.parametrize(("user_id", "session_id"), [(0, 0), (0, None), (None, 0), (None, None)])
def test_event_keeps_ids_that_are_zero_apart_from_none(
    db: None, captured_log: CapturedLog, user_id: int | None, session_id: int | None
) -> None:
    record(Event.CODE_REFUSED, user_id=user_id, session_id=session_id, reason="")
    (line,) = captured_log.lines("code.refused")
    expected = {"user_id": user_id, "session_id": None if session_id is None else str(session_id), "reason": ""}
    assert {name: line.get(name) for name in expected} == expected
    stored = AuditEvent.objects.get()
    assert (stored.user_id, stored.session_id) == (user_id, session_id)
