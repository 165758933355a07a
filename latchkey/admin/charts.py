"""Bar charts of the dashboard as SVG, computed on the server: no script is needed, and a table has the same numbers."""

from collections.abc import Sequence
from dataclasses import dataclass, field

WIDTH, HEIGHT = 600, 100
"""Units of the SVG's view box, which is stretched to the width of the page."""


@dataclass(frozen=True, slots=True)
class Series:
    """A number for each column, None where there is no data; `color` is a CSS class of the chart."""

    label: str
    color: str
    counts: Sequence[int | None]


@dataclass(frozen=True, slots=True)
class Bar:
    """A rectangle of the SVG."""

    x: float
    y: float
    width: float
    height: float
    color: str


@dataclass(frozen=True, slots=True)
class Column:
    """The counts of one interval: stacked bars, the same numbers as cells of the table, and a tooltip."""

    when: str
    x: float
    width: float
    bars: list[Bar]
    cells: list[str]
    title: str


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart with its texts; `name` is the prefix of the HTML ids, `headline` the number above the chart."""

    name: str
    title: str
    description: str
    headline: str
    axis_max: str
    columns: list[Column]
    series: Sequence[Series] = field(default=())

    @property
    def last(self) -> Column:
        """The newest column."""
        return self.columns[-1]

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to draw: every count is 0 or None."""
        return not any(column.bars for column in self.columns)


def draw_chart(  # noqa: PLR0913 - keyword arguments only
    *, name: str, title: str, description: str, headline: str, series: Sequence[Series], whens: Sequence[str]
) -> Chart:
    """Return a chart of stacked bars: one column for each label in `whens`."""
    per_column = list(zip(*(each.counts for each in series), strict=True))
    top = round_up_axis(max((sum(count or 0 for count in counts) for counts in per_column), default=0))
    step = WIDTH / max(len(whens), 1)
    columns = []
    for number, (when, counts) in enumerate(zip(whens, per_column, strict=True)):
        cells = ["no data" if count is None else f"{count:,}" for count in counts]
        tooltip = f"{when}: " + ", ".join(f"{cell} {each.label}" for each, cell in zip(series, cells, strict=True))
        bars = stack_bars(series, counts, x=number * step, width=step * 0.8, axis_max=top)
        columns.append(Column(when, round(number * step, 2), round(step, 2), bars, cells, tooltip))
    return Chart(name, title, description, headline, f"{top:,}", columns, series)


def stack_bars(
    series: Sequence[Series], counts: Sequence[int | None], *, x: float, width: float, axis_max: int
) -> list[Bar]:
    """Return the bars of one column from bottom to top; a count of 1 has a visible height."""
    bars, y = [], float(HEIGHT)
    for each, count in zip(series, counts, strict=True):
        if count:
            height = max(HEIGHT * count / axis_max, 1.0)
            y -= height
            bars.append(Bar(round(x, 2), round(y, 2), round(width, 2), round(height, 2), each.color))
    return bars


def round_up_axis(highest: int) -> int:
    """Return the maximum of the axis, at least 1: a 1, 2 or 5 with zeros."""
    end = 1
    while True:
        for step in (1, 2, 5):
            if highest <= step * end:
                return step * end
        end *= 10
