"""Profiles of a run: full, or quick with a tenth of the requests."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Profile:
    """Size of a run. A measurement ends after its requests or after its seconds, whichever comes first."""

    repetitions: int  # turns; each turn measures all systems
    warm_up: int  # requests before each measurement, at most a quarter of its seconds
    requests: int
    logins: int  # with the real hash
    seconds: float
    login_users: int  # users that sign in with the real hash in turns
    rounds: int  # of parallel refreshes of one token
    flood: bool  # whether bench.flood runs, too


FULL = Profile(
    repetitions=3, warm_up=2_000, requests=20_000, logins=400, seconds=4.0, login_users=16, rounds=20, flood=True
)
QUICK = Profile(
    repetitions=3, warm_up=200, requests=2_000, logins=32, seconds=0.3, login_users=8, rounds=5, flood=False
)
