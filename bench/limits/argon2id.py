"""Upper limit of logins: a loop of Argon2id in its own process (python -m bench.limits.argon2id LIBRARY SECONDS)."""

import subprocess
import sys
import time
from collections.abc import Callable

from argon2 import PasswordHasher
from nacl.pwhash import argon2id as libsodium

from bench import processes

LIBRARIES = ("argon2-cffi", "libsodium")
"""The library of Django and the other Django systems, and that of Latchkey (decision 16)."""

PASSWORD = "correct horse battery staple"


def measure(library: str, seconds: float) -> dict[str, float]:
    """Return the CPU time of one verification on the server's core, and the verifications per second."""
    with processes.cpu_affinity(processes.SERVER_CORES):
        command = [sys.executable, "-m", "bench.limits.argon2id", library, str(seconds)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    count, cpu, wall = map(float, done.stdout.split())
    return {"cpu_us": cpu / count * 1e6, "rate": count / wall}


def make_verifier(library: str) -> Callable[[], bool]:
    """Return a function that verifies a hash with 19 MiB, two passes and one lane."""
    hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
    made = hasher.hash(PASSWORD)
    if library == "libsodium":
        return lambda: libsodium.verify(made.encode(), PASSWORD.encode())
    return lambda: hasher.verify(made, PASSWORD)


def loop(library: str, seconds: float) -> None:
    verify = make_verifier(library)
    for _ in range(3):
        verify()
    count, began, computed = 0, time.perf_counter(), time.process_time()
    while time.perf_counter() < began + seconds:
        verify()
        count += 1
    print(count, time.process_time() - computed, time.perf_counter() - began)


if __name__ == "__main__":
    loop(sys.argv[1], float(sys.argv[2]))
