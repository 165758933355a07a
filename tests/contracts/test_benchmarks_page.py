"""docs/benchmarks.md is written by `make bench ARGS=--publish`: the text around the figures is that of the program."""

from pathlib import Path

from bench.report.files import HEAD
from bench.report.markdown import NOTES, ROWS

PAGE = (Path(__file__).parents[2] / "docs" / "benchmarks.md").read_text()


def test_benchmarks_page_begins_with_the_text_of_the_program() -> None:
    assert PAGE.startswith(HEAD)
    assert f"\n\n{NOTES}\n\nUpper limits, measured in the same run:\n" in PAGE


def test_benchmarks_page_has_the_rows_of_the_program_in_order() -> None:
    table = PAGE.removeprefix(HEAD).partition("\n\n")[0].splitlines()
    assert [line.split(" | ")[0].removeprefix("| ") for line in table[2:]] == [name for name, _ in ROWS]
