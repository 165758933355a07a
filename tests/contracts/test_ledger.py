"""The ledger and the tests name the same rows."""

from tests.contracts.ledger import answered, deviating, report, rows


def test_every_mark_names_a_row_that_applies() -> None:
    assert answered() - set(rows()) == set()


def test_every_deviation_names_a_row_that_applies_and_that_no_test_answers() -> None:
    assert deviating() - set(rows()) == set()
    assert deviating() & answered() == set()


def test_every_row_that_applies_is_answered_or_deviated_from() -> None:
    assert set(rows()) - answered() - deviating() == set(), report()
