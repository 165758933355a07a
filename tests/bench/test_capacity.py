"""The capacity calculator: arithmetic, wrong values, and docs/scaling.md, whose tables are its output."""

import json
import math
import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from bench.capacity import Demand, UnitCosts, calculate, main, pages_touched

SCALING = (Path(__file__).resolve().parents[2] / "docs/scaling.md").read_text()
COMMANDS = re.findall(r"^```\n\.venv/bin/python -m bench\.capacity (.+)\n```\n\n((?:\|.+\n)+)", SCALING, re.MULTILINE)
BILLION = Demand(sessions=1e9, online=2e7, access_token=300)
COSTS = UnitCosts(
    refresh_us=200, database_us=100, wal_bytes=250, page_wal_bytes=8000, session_bytes=500, session_index_bytes=100,
    user_bytes=200, user_index_bytes=200, worker_mb=100, worker_connections=20, http_bytes=1000, sql_bytes=700,
    node_load=0.5, load=0.5, sessions_per_user=2, checkpoint=600,
)  # fmt: skip
"""Round numbers of this test, so that the expected values can be reckoned by head."""


def values(demand: Demand, costs: UnitCosts) -> dict[str, float | None]:
    return {figure.name: figure.value for figure in calculate(demand, costs)}


def test_scaling_page_has_the_output_of_the_calculator_for_its_commands() -> None:
    assert len(COMMANDS) == 3
    assert COMMANDS[-1][0] == "--units"


@pytest.mark.parametrize(("arguments", "table"), COMMANDS, ids=[arguments for arguments, _ in COMMANDS])
def test_each_table_of_the_scaling_page_is_what_its_command_prints(
    arguments: str, table: str, capsys: pytest.CaptureFixture[str]
) -> None:
    main(arguments.split())
    assert capsys.readouterr().out == table


def test_figures_are_products_of_the_demand_and_the_unit_costs() -> None:
    found = values(Demand(sessions=1e6, online=3e5, access_token=300), COSTS)
    assert found["refreshes a second"] == 1000
    assert found["cores for nodes"] == 1  # 1000 x 200 µs is 0.2 of a core, at half load 0.4
    assert found["cores for PostgreSQL"] == pytest.approx(0.2)
    assert found["primary, and each standby"] == 2
    assert found["connections"] == 20
    assert found["WAL of the refreshes"] == 250_000
    assert found["storage of rows"] == 1e6 * 500 + 5e5 * 200
    assert found["storage of indexes"] == 1e6 * 100 + 5e5 * 200
    assert found["network between clients and nodes"] == 1e6
    assert found["network between nodes and PostgreSQL"] == 7e5


@pytest.mark.parametrize(
    ("database_us", "access_token", "cores", "primary"),
    [(140, 300, 19, 32), (140, 30, 187, None), (UnitCosts().database_us, 300, 12, 16)],
    ids=["decision 44", "decision 44, tokens of 30 s", "decision 17, with batches"],
)
def test_the_sizing_of_a_billion_sessions_is_that_of_the_decision_records(
    database_us: float, access_token: float, cores: int, primary: int | None
) -> None:
    found = values(Demand(1e9, 2e7, access_token), UnitCosts(database_us=database_us))
    assert math.ceil(found["cores for PostgreSQL"] or 0) == cores
    assert found["primary, and each standby"] == primary


def test_pages_touched_are_as_many_as_the_rows_when_they_are_few_and_all_pages_when_they_are_all() -> None:
    assert pages_touched(10, 1e6, 819.2) == pytest.approx(10, rel=0.001)
    assert pages_touched(1e6, 1e6, 819.2) == 1e5
    assert pages_touched(5e5, 1e6, 819.2) == pytest.approx(1e5 * (1 - 0.5**10))


def test_more_time_between_checkpoints_makes_less_wal_of_whole_pages() -> None:
    sooner = values(BILLION, UnitCosts(checkpoint=900))["WAL of whole pages"]
    later = values(BILLION, UnitCosts(checkpoint=1800))["WAL of whole pages"]
    assert sooner
    assert later == pytest.approx(sooner / 2)


@pytest.mark.parametrize("one", fields(UnitCosts), ids=lambda one: one.name)
def test_an_option_replaces_each_unit_cost(one: Any, capsys: pytest.CaptureFixture[str]) -> None:
    main([f"--{one.name.replace('_', '-')}", "0.25", "--json"])
    assert json.loads(capsys.readouterr().out)["units"][one.name] == 0.25


def test_json_has_the_demand_the_unit_costs_and_each_figure_with_its_unit(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--sessions", "1e6", "--online", "1e5", "--access-token", "50", "--json"])
    printed = json.loads(capsys.readouterr().out)
    assert printed["demand"] == {"sessions": 1e6, "online": 1e5, "access_token": 50}
    assert {figure["name"]: (figure["value"], figure["unit"]) for figure in printed["figures"]}[
        "refreshes a second"
    ] == (2000, "1/s")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--online", "2e9"], "--online is 2e+09, more than --sessions, which is 1e+09."),
        (["--online", "0"], "argument --online: '0' is not a number above zero."),
        (["--sessions", "many"], "argument --sessions: 'many' is not a number."),
        (["--sessions", "nan"], "argument --sessions: 'nan' is not a number above zero."),
        (["--access-token", "-30"], "argument --access-token: '-30' is not a number above zero."),
        (["--access-token", "inf"], "argument --access-token: 'inf' is not a number above zero."),
        (["--load", "1.5"], "argument --load: '1.5' is not a share: 1 at most."),
        (["--refresh-us", "0"], "argument --refresh-us: '0' is not a number above zero."),
    ],
)
def test_a_wrong_value_exits_with_2_and_a_sentence(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert sentence in capsys.readouterr().err
