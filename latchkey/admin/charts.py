"""Plots as SVG, made here: they need no script, and a table says the same to whoever cannot see them."""

from collections.abc import Sequence
from dataclasses import dataclass, field

WIDTH, HEIGHT = 600, 100
"""Units of the drawing, which is stretched to the room there is."""


@dataclass(frozen=True, slots=True)
class Series:
    """A number for each column; None where nobody counted. tone is the name of its colour."""

    label: str
    color: str
    counts: Sequence[int | None]


@dataclass(frozen=True, slots=True)
class Bar:
    x: float
    y: float
    width: float
    height: float
    color: str


@dataclass(frozen=True, slots=True)
class Column:
    """What was counted in one stretch of time: its bars, one on the other, and the numbers as text."""

    when: str
    x: float
    width: float
    bars: list[Bar]
    cells: list[str]
    title: str


@dataclass(frozen=True, slots=True)
class Chart:
    name: str
    title: str
    description: str
    headline: str
    axis_max: str
    columns: list[Column]
    series: Sequence[Series] = field(default=())

    @property
    def last(self) -> Column:
        return self.columns[-1]

    @property
    def is_empty(self) -> bool:
        return not any(column.bars for column in self.columns)


def draw_chart(  # noqa: PLR0913 - named at the call
    *, name: str, title: str, description: str, headline: str, series: Sequence[Series], whens: Sequence[str]
) -> Chart:
    """Draw series of counts, those of the same time one on the other."""
    per_column = list(zip(*(each.counts for each in series), strict=True))
    top = round_up_axis(max((sum(count or 0 for count in counts) for counts in per_column), default=0))
    step = WIDTH / max(len(whens), 1)
    columns = []
    for number, (when, counts) in enumerate(zip(whens, per_column, strict=True)):
        cells = ["no data" if count is None else f"{count:,}" for count in counts]
        said = f"{when}: " + ", ".join(f"{cell} {each.label}" for each, cell in zip(series, cells, strict=True))
        bars = stack_bars(series, counts, x=number * step, width=step * 0.8, axis_max=top)
        columns.append(Column(when, round(number * step, 2), round(step, 2), bars, cells, said))
    return Chart(name, title, description, headline, f"{top:,}", columns, series)


def stack_bars(
    series: Sequence[Series], counts: Sequence[int | None], *, x: float, width: float, axis_max: int
) -> list[Bar]:
    """Return the bars of one column, from the ground up; what happened once can be seen."""
    bars, y = [], float(HEIGHT)
    for each, count in zip(series, counts, strict=True):
        if count:
            height = max(HEIGHT * count / axis_max, 1.0)
            y -= height
            bars.append(Bar(round(x, 2), round(y, 2), round(width, 2), round(height, 2), each.color))
    return bars


def round_up_axis(highest: int) -> int:
    """Return the number that the axis ends at: 1, 2 or 5 and zeros."""
    end = 1
    while True:
        for step in (1, 2, 5):
            if highest <= step * end:
                return step * end
        end *= 10
