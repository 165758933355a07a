"""How new passwords are hashed, and what a wrong guess at a cheaper hash has to cost besides."""

from django.contrib.auth.hashers import Argon2PasswordHasher

from latchkey.limits.hashing import hashed

MOST_MEMORY = 32 * 1024
"""KiB: more than that the allocator asks of the kernel each time, which takes twice as long."""


class Argon2id(Argon2PasswordHasher):
    """Argon2id with 19 MiB, two passes, one lane (OWASP Password Storage Cheat Sheet)."""

    memory_cost, time_cost, parallelism = 19_456, 2, 1

    def encode(self, password: str, salt: str) -> str:
        return hashed(lambda: super(Argon2id, self).encode(password, salt))

    def verify(self, password: str, encoded: str) -> bool:
        return hashed(lambda: super(Argon2id, self).verify(password, encoded))

    def work(self, encoded: str) -> int:
        """Return what verifying costs, in KiB times passes."""
        return self.memory(encoded) * int(self.decode(encoded)["time_cost"])

    def memory(self, encoded: str) -> int:
        """Return how many KiB verifying takes."""
        return int(self.decode(encoded)["memory_cost"])

    def harden_runtime(self, password: str, encoded: str) -> None:
        """Do the work that a cheaper stored hash has saved; Django leaves it out for Argon2."""
        make_up_for(self.work(encoded), password)


WORK = Argon2id.memory_cost * Argon2id.time_cost
"""KiB times passes: what one hash of ours costs."""


def make_up_for(work: int, password: str) -> None:
    """Do what is missing to the work of one hash of ours, so that a wrong guess costs the same for every account.

    In as few passes as 32 MiB allow, because the processor's cache makes passes over little memory cheaper than they
    count.
    """
    missing = WORK - work
    if missing > 0:
        rest = Argon2id()
        rest.time_cost = 1 + missing // MOST_MEMORY
        rest.memory_cost = max(missing // rest.time_cost, 8 * rest.parallelism)  # the least that Argon2 takes
        rest.encode(password, rest.salt())
