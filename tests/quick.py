"""A pytest plugin for the quick loop: `pytest --quick` leaves out slow tests and tries fewer Hypothesis examples.

For all runs it raises Hypothesis' deadline for one example from 200 ms to 2 s of wall time, which a busy machine needs.
"""

import gc

import hypothesis
import pytest

hypothesis.settings.register_profile("test", deadline=2000)
hypothesis.settings.register_profile("dev", deadline=2000, max_examples=25)

PROCESS_FIXTURES = {"server", "race", "database_url"}
"""Fixtures whose tests start `latchkey` as a process."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--quick", action="store_true", help="no slow tests, 25 Hypothesis examples per property")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Load the profile before the test modules derive settings of their own from it."""
    hypothesis.settings.load_profile("dev" if config.option.quick else "test")
    if config.option.quick:
        config.option.markexpr = f"({config.option.markexpr}) and not slow"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests that start processes as slow."""
    for item in items:
        if PROCESS_FIXTURES.intersection(getattr(item, "fixturenames", ())):
            item.add_marker("slow")


def pytest_collection_finish() -> None:
    """Have the garbage collector ignore imported modules and collected tests, which saves a tenth of the CPU time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
