"""The ledger and the tests name the same rows."""

from tests.contracts.ledger import answered, deviating, rows


def test_every_mark_names_a_row_that_applies() -> None:
    assert answered() - set(rows()) == set()


def test_every_deviation_names_a_row_that_applies_and_that_no_test_answers() -> None:
    assert deviating() - set(rows()) == set()
    assert deviating() & answered() == set()
