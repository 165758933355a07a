"""The client rules of the session state machine: sign-in, refresh, logout, lost responses and guessed tokens."""

from datetime import timedelta
from uuid import UUID, uuid4

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from latchkey.rate_limits.in_memory import clear
from tests.model.comparison import Comparison
from tests.model.design import VERIFIER, Account, Device

KEYS = st.sampled_from(["", "key of one request", "key of one request", "key of another"])
"""Idempotency-Key headers, or none."""
SECONDS = st.sampled_from([0, 1, 9, 10, 11, 59, 60, 3600, -1, -60, -61, -3600])


class Clients(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.comparison = Comparison()
        self.design = self.comparison.design
        self.accounts: list[Account] = []

    def teardown(self) -> None:
        self.comparison.close()

    @invariant()
    def the_service_and_the_design_agree(self) -> None:
        self.comparison.assert_same_state()

    def account(self, data: st.DataObject) -> Account:
        """Draw an account, more often alice: errors need several steps of the same account."""
        alice, *others = self.accounts
        return data.draw(st.sampled_from([alice, alice, alice, *others]), "account")

    def device(self, data: st.DataObject) -> Device:
        """Draw a session, mostly one with a row, live or ended; if none is live, a user may sign in first."""
        if not self.design.live() and (not self.design.stored() or data.draw(st.booleans(), "signs in first")):
            self.login(data, mistyped="")
        stored, ever = self.design.stored(), self.design.devices
        return data.draw(st.sampled_from([*stored * len(ever) * 4, *ever]), "session")

    @rule(data=st.data(), mistyped=st.sampled_from(["", "", "", " "]))
    def login(self, data: st.DataObject, mistyped: str) -> None:
        account = self.account(data)
        self.comparison.login(account, account.password + mistyped)

    @rule(data=st.data(), times=st.integers(1, 3), key=KEYS)
    def refresh(self, data: st.DataObject, times: int, key: str) -> None:
        device = self.device(data)
        for _ in range(times):
            self.comparison.refresh(device.chain[-1], key)

    @rule(data=st.data(), generations=st.sampled_from([1, 1, 2]), after=SECONDS, first=KEYS, second=KEYS)
    def lose_an_answer(self, data: st.DataObject, generations: int, after: int, first: str, second: str) -> None:
        """Refresh and, some seconds later, send an ancestor of the current token, mostly its parent."""
        device = self.device(data)
        self.comparison.refresh(device.chain[-1], first)
        self.comparison.move_clock(self.design.now + timedelta(seconds=after))
        self.comparison.refresh(device.chain[-1 - generations :][0], second)

    @rule(data=st.data(), key=KEYS)
    def send_any_token_of_a_session(self, data: st.DataObject, key: str) -> None:
        self.comparison.refresh(data.draw(st.sampled_from(self.device(data).chain), "token"), key)

    @rule(data=st.data(), verifier=st.integers(0, VERIFIER))
    def guess(self, data: st.DataObject, verifier: int) -> None:
        """Send tokens that were never issued: an unknown one, and one with a forged verifier for a known selector."""
        clear()  # the rate limit of guesses is tested elsewhere
        for refresh_or_logout in (self.comparison.refresh, self.comparison.logout):
            refresh_or_logout(uuid4())
        self.comparison.refresh(UUID(int=self.device(data).chain[-1].int & ~VERIFIER | verifier))

    @rule(data=st.data())
    def logout(self, data: st.DataObject) -> None:
        self.comparison.logout(data.draw(st.sampled_from(self.device(data).chain), "token"))

    @rule(data=st.data())
    def use_an_access_token(self, data: st.DataObject) -> None:
        device = self.device(data)
        accesses = [access for access in self.comparison.accesses if access.device is device]
        self.comparison.authenticate(data.draw(st.sampled_from(accesses[::-1]), "access token"))
