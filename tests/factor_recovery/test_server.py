"""The mail worker of a running server looks for recoveries that are due."""

import time

import pytest

from tests.server import Server

START = """
from datetime import timedelta
from constance import config
from latchkey.core import clock
from latchkey.factors.delayed_recovery import FactorRecovery
config.RECOVERY_DELAY = 7
now = clock.now()
user = User.objects.create_user("alice@example.com", email_verified_at=now, second_factors=1)
FactorRecovery.objects.create(
    user=user, credential_version=user.credential_version, email=user.email,
    requested_at=now - timedelta(days=1), due_at=now + timedelta(days=6), next_notice_at=now - timedelta(seconds=1),
)
"""
MAILS = """
from latchkey.mail.models import Mail
print(list(Mail.objects.values_list("kind", flat=True)))
"""


@pytest.mark.slow
def test_running_server_sends_the_warning_of_the_day(server: Server) -> None:
    server.shell(START)
    deadline = time.monotonic() + 30
    while (found := server.shell(MAILS)) == "[]":
        assert time.monotonic() < deadline
    assert found == "['factor_recovery_requested']"
