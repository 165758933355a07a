"""Parallel logins of one user: each opens its own session, also during a password change."""

import pytest

from tests.fixtures.races import OpenRace
from tests.people import PASSWORD
from tests.support.simultaneous import login_action, session_id_from, with_tokens

pytestmark = pytest.mark.race
ROUNDS = 200
SLOW_ROUNDS = 50


@pytest.mark.ledger("H-RACE-07")
def test_parallel_logins_open_independent_sessions(race: OpenRace) -> None:
    with race("sign-in x2") as on:
        alice = on.person("alice.twice").register()
        for _ in range(ROUNDS):
            phone, laptop = on.copies(alice, 2)
            answers = [outcome.answer for outcome in on.start(login_action(phone), login_action(laptop))]
            assert [answer.status_code for answer in answers] == [200, 200]
            assert session_id_from(answers[0].json()["access_token"]) != session_id_from(
                answers[1].json()["access_token"]
            )
            phone, laptop = (with_tokens(each, answer) for each, answer in zip((phone, laptop), answers, strict=True))
            stolen = phone.refresh_token
            assert phone.refresh().refresh().me().status_code == 200
            assert phone.try_refresh(stolen).status_code == 401  # refresh token reuse, which ends only this session
            assert phone.me().status_code == 401
            assert laptop.me().status_code == 200
            assert laptop.refresh().logout().status_code == 200
            assert laptop.try_refresh().status_code == 401


def test_login_with_the_old_password_never_ends_a_session_of_the_new_one(race: OpenRace) -> None:
    with race("sign-in with the old password against sign-in with the new one") as on:
        alice = on.person("alice.imported").register()
        mallory, owner = on.copies(alice, 2)
        mallory.password, owner.password = PASSWORD, f"{PASSWORD}, renewed"
        for _ in range(SLOW_ROUNDS):
            on.operator("hash_password", alice.id, mallory.password, True)  # slow to check
            on.operator("save_password", alice.id)
            on.operator("hash_password", alice.id, owner.password)

            def change_and_sign_in() -> object:
                on.operator("save_password", alice.id)
                return login_action(owner)()

            old, new = (outcome.answer for outcome in on.start(login_action(mallory), then=change_and_sign_in))
            assert old.status_code in (200, 401)
            assert new.status_code == 200
            if old.status_code == 200:  # the password was right when it was checked, but its session has ended
                assert alice.me(old.json()["access_token"]).status_code == 401
            on.lost += alice.me(new.json()["access_token"]).status_code != 200
