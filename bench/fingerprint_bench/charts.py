"""Small charts as SVG: rows of dots and lines. Deterministic text, so that files can be compared.

Coordinates are pixels; a chart is as high as its rows need.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

PALETTE: Final = ("#0b6e4f", "#c1440e", "#7a5ea8", "#2f6db5", "#a8842c", "#6b7280")
"""The first colour is ours."""

WIDTH: Final = 760
LEFT: Final = 170
RIGHT: Final = 20
TOP: Final = 64
BOTTOM: Final = 44
ROW_HEIGHT: Final = 20
PLOT_HEIGHT: Final = 300

Points = Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis from ``low`` to ``high``, with its marks."""

    label: str
    low: float
    high: float
    marks: Sequence[float]
    is_logarithmic: bool = False

    def share(self, value: float) -> float:
        """Where a value lies between the ends, 0 to 1; beyond them it sticks to the end."""
        low, high, at = self.low, self.high, min(max(value, self.low), self.high)
        if self.is_logarithmic:
            low, high, at = math.log(low), math.log(high), math.log(at)
        return (at - low) / (high - low)


RECALL: Final = Axis("recall", 0, 1, (0, 0.2, 0.4, 0.6, 0.8, 1))


def draw_rows(title: str, rows: Sequence[str], series: Mapping[str, Sequence[float]]) -> str:
    """A row of dots on the recall axis for each name; the first series lies on top.

    Args:
        title: of the chart.
        rows: their names.
        series: by name, one value per row.
    """
    height = TOP + ROW_HEIGHT * len(rows) + BOTTOM
    parts = [*_grid_across(RECALL, height)]
    for index, name in enumerate(rows):
        parts.append(_text(LEFT - 10, _row_y(index) + 4, name, anchor="end"))
        parts.append(_line((LEFT, _row_y(index)), (WIDTH - RIGHT, _row_y(index)), "#eef0f2"))
    for number, values in reversed(list(enumerate(series.values()))):
        radius = 5 if number == 0 else 3.5
        parts += [
            f'<circle cx="{_x(RECALL, value)}" cy="{_row_y(index)}" r="{radius}" '
            f'fill="{_colour(number)}"/>'
            for index, value in enumerate(values)
        ]
    return _chart(title, height, list(series), parts)


def draw_lines(title: str, across: Axis, up: Axis, series: Mapping[str, Points]) -> str:
    """Lines through points; the first series is the thick one on top."""
    height = TOP + PLOT_HEIGHT + BOTTOM
    parts = [*_grid_across(across, height)]
    for mark in up.marks:
        y = _y(up, mark)
        parts.append(_line((LEFT, y), (WIDTH - RIGHT, y), "#dde1e5"))
        parts.append(_text(LEFT - 10, y + 4, _number(mark), anchor="end"))
    parts.append(_text(LEFT - 10, TOP - 10, up.label, anchor="end"))
    for number, points in reversed(list(enumerate(series.values()))):
        path = " ".join(f"{_x(across, x)},{_y(up, y)}" for x, y in points)
        parts.append(
            f'<polyline points="{path}" fill="none" stroke="{_colour(number)}" '
            f'stroke-width="{3 if number == 0 else 1.8}"/>'
        )
    return _chart(title, height, list(series), parts)


def _chart(title: str, height: int, names: Sequence[str], parts: Sequence[str]) -> str:
    legend, x = [], LEFT
    for number, name in enumerate(names):
        legend.append(f'<circle cx="{x}" cy="40" r="5" fill="{_colour(number)}"/>')
        legend.append(_text(x + 10, 44, name))
        x += 30 + 7 * len(name)
    opening = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        f'font-family="sans-serif" font-size="12" role="img" aria-label="{escape(title)}">'
    )
    return "\n".join(
        [
            opening,
            f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
            f'<text x="{LEFT}" y="20" font-size="15" fill="#1f2933">{escape(title)}</text>',
            *legend,
            *parts,
            "</svg>",
            "",
        ]
    )


def _grid_across(axis: Axis, height: int) -> list[str]:
    bottom = height - BOTTOM
    parts = [_text((LEFT + WIDTH - RIGHT) / 2, height - 8, axis.label, anchor="middle")]
    for mark in axis.marks:
        x = _x(axis, mark)
        parts.append(_line((x, TOP), (x, bottom), "#dde1e5"))
        parts.append(_text(x, bottom + 16, _number(mark), anchor="middle"))
    return parts


def _x(axis: Axis, value: float) -> float:
    return round(LEFT + axis.share(value) * (WIDTH - RIGHT - LEFT), 1)


def _y(axis: Axis, value: float) -> float:
    return round(TOP + (1 - axis.share(value)) * PLOT_HEIGHT, 1)


def _row_y(index: int) -> float:
    return TOP + ROW_HEIGHT * (index + 0.5)


def _colour(number: int) -> str:
    return PALETTE[number % len(PALETTE)]


def _line(start: tuple[float, float], end: tuple[float, float], colour: str) -> str:
    (x1, y1), (x2, y2) = start, end
    return f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke="{colour}"/>'


def _text(x: float, y: float, text: str, *, anchor: str = "start") -> str:
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}" fill="#3e4c59">{escape(text)}</text>'


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:g}"
