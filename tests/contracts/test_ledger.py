"""The requirements ledger and the marks of the tests name the same rows."""

from tests.contracts.ledger import applicable_rows, covered_ids, deviation_ids, report


def test_ledger_marks_name_applicable_rows_only() -> None:
    assert covered_ids() - set(applicable_rows()) == set()


def test_ledger_deviations_name_applicable_rows_that_no_test_answers() -> None:
    assert deviation_ids() - set(applicable_rows()) == set()
    assert deviation_ids() & covered_ids() == set()


def test_ledger_has_no_applicable_row_without_a_test_or_a_deviation() -> None:
    assert set(applicable_rows()) - covered_ids() - deviation_ids() == set(), report()
