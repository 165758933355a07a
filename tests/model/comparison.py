"""Runs each operation on the service and on the reference model, and asserts that both give the same result."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import time_machine
from django.db import transaction
from django.test import RequestFactory
from rest_framework.request import Request

from latchkey.bearer_tokens.authentication import BearerAuthentication
from latchkey.conf import policy
from latchkey.core.client import ClientInfo
from latchkey.core.exceptions import InvalidCredentials, InvalidRefreshToken, InvalidToken
from latchkey.registration.register import create_account
from latchkey.sessions.logout import logout
from latchkey.sessions.models import Session
from latchkey.sessions.refresh import refresh
from latchkey.sign_in.login import login
from latchkey.tokens import access_token
from latchkey.tokens.access_token import TokenPair
from latchkey.tokens.refresh_token import refresh_token_keys
from tests.model.design import Account, Design, Device, IssuedAccessToken
from tests.people import PASSWORD

START = datetime(2030, 1, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)
CLIENT = ClientInfo("192.0.2.1", "a phone")
COMPARED_COLUMNS = ("id", "user_id", "digest", "next_digest", "created_at", "rotated_at", "expires_at")


@contextmanager
def rolled_back() -> Iterator[None]:
    """Roll back all changes to the database at the end."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


class Comparison:
    def __init__(self) -> None:
        self._open = ExitStack()
        self._open.callback(policy.clear_cache)
        self._open.enter_context(rolled_back())
        self._clock = self._open.enter_context(time_machine.travel(START, tick=False))
        policy.clear_cache()
        self.design = Design(refresh_token_keys()[0], START)
        self.accesses: list[IssuedAccessToken] = []
        self.histories: dict[int, list[dict[str, Any]]] = {}

    def close(self) -> None:
        self._open.close()

    def move_clock(self, now: datetime) -> None:
        self.design.now = now
        self._clock.move_to(now)

    def register(self, email: str) -> Account:
        return Account(email, create_account(email, PASSWORD, CLIENT).pk, PASSWORD)

    def login(self, account: Account, password: str) -> None:
        while self.design.now in {device.created_at for device in self.design.devices}:
            self.move_clock(self.design.now + SECOND)  # two of the same instant have no order
        try:
            pair = login(account.email.upper(), password, CLIENT)
        except InvalidCredentials:
            assert not self.design.accepts_password(account, password), "an honest sign-in was refused"
            return
        assert self.design.accepts_password(account, password), "a sign-in was let in that had to be refused"
        claims = access_token.verify(pair.access_token, self.design.now)
        assert claims.user_id == account.id
        self._record_tokens(pair, self.design.login(account, claims.session_id, pair.refresh_token))

    def refresh(self, token: UUID, key: str = "") -> None:
        device, due = self.design.find_device(token), self.design.refresh(token, key)
        try:
            pair = refresh(token, CLIENT, key)
        except InvalidRefreshToken:
            assert due is None, f"refused, where {due} was due"
            return
        assert pair.refresh_token == due, f"answered {pair.refresh_token}, where {due or 'a refusal'} was due"
        assert device is not None
        claims = access_token.verify(pair.access_token, self.design.now)
        assert (claims.user_id, claims.session_id) == (device.owner.id, device.id)
        self._record_tokens(pair, device)

    def _record_tokens(self, pair: TokenPair, device: Device) -> None:
        issued_at = self.design.now.replace(microsecond=0)  # a JWT's times are whole seconds
        expires_at = issued_at + self.design.policy.access_token_lifetime
        self.accesses.append(IssuedAccessToken(device, issued_at, expires_at, pair.access_token))
        history = self.histories.setdefault(device.id, [])
        if len(history) < len(device.rows):  # a retry leaves no new row behind
            history += [dict(row) for row in Session.objects.filter(pk=device.id).values()]

    def logout(self, token: UUID) -> None:
        logout(token, CLIENT)
        if device := self.design.find_device(token):
            device.deleted = True

    def authenticate(self, access: IssuedAccessToken) -> None:
        request = Request(RequestFactory().get("/api/me/", headers={"Authorization": f"Bearer {access.secret}"}))
        try:
            found = BearerAuthentication().authenticate(request)
        except InvalidToken:
            assert not self.design.accepts_access_token(access), "a good access token was refused"
            return
        assert self.design.accepts_access_token(access), "an access token was let in that had to be refused"
        assert found is not None
        user, token = found
        assert (user.pk, token.session_id) == (access.device.owner.id, access.device.id)

    def restore(self, device: Device, rotations: int) -> None:
        """Restore the row of some rotations ago, as after a fail-over to a lagging replica."""
        for rows in (device.rows, self.histories[device.id]):
            del rows[-rotations:]
        Session.objects.filter(pk=device.id).update(**self.histories[device.id][-1])

    def assert_same_state(self) -> None:
        """Compare the stored rows, the live sessions, and the tokens that the digests accept."""
        stored = {
            row[0]: (row[1], bytes(row[2]), bytes(row[3]), *row[4:])
            for row in Session.objects.values_list(*COMPARED_COLUMNS)
        }
        assert stored == {device.id: self._expected_row(device) for device in self.design.stored()}
        live = set(Session.objects.live(self.design.now).values_list("pk", flat=True))
        assert live == {device.id for device in self.design.live()}
        for device in self.design.stored():
            opening = [t for t in device.chain if self.design.digest(t) in stored[device.id][1:3]]
            lagging = device.row.position < len(device.chain) - 1
            assert lagging or opening == device.chain[-1:], "a spent token opens the session"

    def _expected_row(self, device: Device) -> tuple[Any, ...]:
        current, digest = device.chain[device.row.position], self.design.digest
        digests = digest(current), digest(self.design.successor(current))
        return device.owner.id, *digests, device.created_at, device.row.rotated_at, device.row.expires_at
