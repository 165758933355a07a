"""The Hypothesis state machine of sessions: client rules, and here those of clock, operator and database."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from tests.model.client_rules import Clients
from tests.model.operator_rules import Operator

PEOPLE = ("alice@example.com", "bob@example.com", "mallory@example.com")
SECONDS = [timedelta(seconds=n) for n in (1, 2, 5, 9, 10, 11, 29, 30, 31, 60, 61, 600)]
DAYS = [timedelta(days=n) for n in (1, 29, 31, 181)]
SETTING_VALUES: dict[
    str, list[Any]
] = {  # the last value of each is only drawn for a change, as few sessions outlive it
    "access_token_lifetime": [timedelta(seconds=n) for n in (3600, 30, 1)],
    "refresh_token_lifetime": [timedelta(seconds=n) for n in (30 * 86_400, 365 * 86_400, 86_400, 60)],
    "retry_window": [timedelta(seconds=n) for n in (10, 0, 60, 1)],
    "session_lifetime_cap": [timedelta(seconds=n) for n in (180 * 86_400, 3650 * 86_400, 86_400, 60, 1)],
    "sessions_per_user": [100, 1, 2, 3],
}
POLICIES = st.fixed_dictionaries({setting: st.sampled_from(values[:-1]) for setting, values in SETTING_VALUES.items()})
WEIGHTED_SETTINGS = ["session_lifetime_cap", "session_lifetime_cap", "retry_window", *SETTING_VALUES]
SETTING_CHANGES = st.sampled_from(WEIGHTED_SETTINGS).flatmap(
    lambda setting: st.tuples(st.just(setting), st.sampled_from(SETTING_VALUES[setting]))
)

SETS_A_PASSWORD = ("change_password", "save")


class SessionMachine(Clients):
    def __init__(self, set_policy: Callable[..., None]) -> None:
        super().__init__()
        self.operator = Operator(self.design, set_policy)
        self.passwords = 0

    @initialize(policy=POLICIES, microseconds=st.sampled_from([0, 999_600]))
    def people_register(self, policy: dict[str, Any], microseconds: int) -> None:
        """Begin at a whole second, which SQLite formats shorter, or just below one, which could be rounded up."""
        self.comparison.move_clock(self.design.now + timedelta(microseconds=microseconds))
        self.operator.set_policy(**policy)
        self.accounts = [self.comparison.register(email) for email in PEOPLE]
        for account in self.accounts:
            self.comparison.login(account, account.password)

    @rule(data=st.data(), change=SETTING_CHANGES, goes_on=st.booleans())
    def change_a_setting(self, data: st.DataObject, change: tuple[str, Any], goes_on: bool) -> None:
        self.operator.set_policy(**dict([change]))
        if goes_on:
            self.comparison.refresh(self.device(data).chain[-1])

    @rule()
    def prune(self) -> None:
        self.operator.prune()

    @rule(by=st.sampled_from([*SECONDS, *DAYS]))
    def wait(self, by: timedelta) -> None:
        self.comparison.move_clock(self.design.now + by)

    @rule(data=st.data(), by=st.sampled_from(SECONDS), signs_in=st.booleans())
    def set_the_clock_back(self, data: st.DataObject, by: timedelta, signs_in: bool) -> None:
        self.comparison.move_clock(self.design.now - by)
        if signs_in:
            self.login(data, mistyped="")

    @rule(data=st.data(), off=st.integers(-1, 1), goes_on=st.booleans())
    def wait_for_an_end(self, data: st.DataObject, off: int, goes_on: bool) -> None:
        """Move the clock to the second of an expiry, or one second before or after."""
        device, policy = self.device(data), self.design.policy
        window_end, cap = device.row.rotated_at + policy.retry_window, device.created_at + policy.session_lifetime_cap
        end = data.draw(st.sampled_from([window_end, device.row.expires_at, cap]), "end") + timedelta(seconds=off)
        self.comparison.move_clock(max(end, self.design.now))
        if goes_on:
            self.comparison.refresh(device.chain[-1])

    @rule(data=st.data(), times=st.integers(1, 3), goes_on=st.booleans())
    def fail_over_to_a_replica_that_lags(self, data: st.DataObject, times: int, goes_on: bool) -> None:
        device = self.device(data)
        for _ in range(times):
            self.comparison.refresh(device.chain[-1])
        missed = data.draw(st.integers(1, 3), "rotations missed")
        if not device.deleted and missed < len(device.rows):
            self.comparison.restore(device, missed)
        if goes_on:
            self.comparison.refresh(device.chain[-1])

    @rule(data=st.data(), verb=st.sampled_from(["sign_out_everywhere", "deactivate", "reactivate", "reactivate"]))
    def act_in_the_admin(self, data: st.DataObject, verb: str) -> None:
        getattr(self.operator, verb)(self.account(data))

    @rule(data=st.data())
    def load_a_row_in_the_shell(self, data: st.DataObject) -> None:
        self.operator.load(self.account(data))

    @rule(data=st.data(), active=st.sampled_from([None, None, True, False]))
    def save_a_row_in_the_shell(self, data: st.DataObject, active: bool | None) -> None:
        self.operator.save(self.account(data), active=active)

    @rule(data=st.data(), meanwhile=st.sampled_from(["sign_out_everywhere", "deactivate", "reactivate"]))
    def save_a_row_that_was_loaded_before(self, data: st.DataObject, meanwhile: str) -> None:
        account = self.device(data).owner
        if account.exists:
            self.operator.load(account)
            getattr(self.operator, meanwhile)(account)
            self.operator.save(account)

    @rule(data=st.data(), way=st.sampled_from(["change_password", "save", "outdate_hash", "delete"]))
    def put_an_account_in_order(self, data: st.DataObject, way: str) -> None:
        """Set a password in one of two ways, outdate its hash, or delete the user and register the address again."""
        account = self.account(data)
        self.passwords += 1
        new_password = {"password": f"another fine passphrase {self.passwords}"} if way in SETS_A_PASSWORD else {}
        getattr(self.operator, way)(account, **new_password)
        self.comparison.login(account, account.password)
        if way == "delete":
            self.accounts[self.accounts.index(account)] = self.comparison.register(account.email)
