"""How much is measured: all of it, or a tenth for a first look."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Profile:
    """Each measurement ends with its requests or with its seconds, whichever is first."""

    repetitions: int  # of each measurement, one after another through all that is measured
    warm_up: int  # requests before each measurement, a quarter of its seconds at most
    requests: int
    logins: int  # with the real hash
    seconds: float
    login_users: int  # who sign in with the real hash by turns
    rounds: int  # of parallel refreshes of one token
    flood: bool  # whether bench.flood runs too


FULL = Profile(
    repetitions=3, warm_up=2_000, requests=20_000, logins=400, seconds=4.0, login_users=16, rounds=20, flood=True
)
QUICK = Profile(
    repetitions=3, warm_up=200, requests=2_000, logins=32, seconds=0.3, login_users=8, rounds=5, flood=False
)
