"""docs/benchmarks.md is written by `make bench ARGS=--publish`: the text around the figures is that of the program."""

from pathlib import Path

from bench.report.files import HEAD, replace_results
from bench.report.markdown import NOTES, ROWS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "benchmarks.md").read_text()


def test_benchmarks_page_begins_with_the_text_of_the_program() -> None:
    assert PAGE.startswith(HEAD)
    assert f"\n\n{NOTES}\n\nUpper limits, measured in the same run:\n" in PAGE


def test_benchmarks_page_has_the_rows_of_the_program_in_order() -> None:
    table = PAGE.removeprefix(HEAD).partition("\n\n")[0].splitlines()
    assert [line.split(" | ")[0].removeprefix("| ") for line in table[2:]] == [name for name, _ in ROWS]


def test_publishing_new_results_keeps_the_sections_below_them() -> None:
    results = {"systems": {}, "limits": {}, "failed": {}, "unavailable": {}, "quick": False, "machine": {"cores": "2"}}
    page = replace_results(PAGE, results)
    assert page.startswith(HEAD)
    assert "\n\nMeasured on: cores 2.\n\n## Servers in other languages\n" in page
    assert page.partition("\n## ")[2] == PAGE.partition("\n## ")[2]
    assert replace_results(page, results) == page


def test_readme_has_the_figures_of_the_servers_in_other_languages() -> None:
    section = PAGE.partition("\n## Servers in other languages\n")[2].partition("\n## ")[0]
    measured = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("| ")][1:]
    readme = (ROOT / "README.md").read_text()
    assert len(measured) == 8
    for system, _, refresh, database, *_, rounds in measured:
        assert f"| {system} | {refresh} | {database} | {rounds} |" in readme
