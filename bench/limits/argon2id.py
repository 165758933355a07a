"""A loop of Argon2id and nothing else, in a process of its own: python -m bench.limits.argon2id SECONDS."""

import subprocess
import sys
import time

from argon2 import PasswordHasher

from bench import processes


def measure(seconds: float) -> dict[str, float]:
    """Return what one verification costs on the server's core, and how many it does in a second."""
    with processes.placed(processes.SERVER):
        done = subprocess.run(
            [sys.executable, "-m", "bench.limits.argon2id", str(seconds)], capture_output=True, text=True, check=True
        )
    count, cpu, wall = map(float, done.stdout.split())
    return {"cpu_us": cpu / count * 1e6, "rate": count / wall}


def loop(seconds: float) -> None:
    hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
    made = hasher.hash("correct horse battery staple")
    for _ in range(3):
        hasher.verify(made, "correct horse battery staple")
    count, began, computed = 0, time.perf_counter(), time.process_time()
    while time.perf_counter() < began + seconds:
        hasher.verify(made, "correct horse battery staple")
        count += 1
    print(count, time.process_time() - computed, time.perf_counter() - began)


if __name__ == "__main__":
    loop(float(sys.argv[1]))
