"""The ledger and the tests name the same rows."""

from tests.contracts.ledger import applicable_rows, covered_ids, deviation_ids, report


def test_every_mark_names_a_row_that_applies() -> None:
    assert covered_ids() - set(applicable_rows()) == set()


def test_every_deviation_names_a_row_that_applies_and_that_no_test_answers() -> None:
    assert deviation_ids() - set(applicable_rows()) == set()
    assert deviation_ids() & covered_ids() == set()


def test_every_row_that_applies_is_answered_or_deviated_from() -> None:
    assert set(applicable_rows()) - covered_ids() - deviation_ids() == set(), report()
