"""A picture of an alignment: seconds of one file across, seconds of the other upwards.

SVG without scripts, links or fonts of its own. File names are hostile text: they are escaped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from xml.sax.saxutils import escape

from titledeed_cli.output import sanitize

if TYPE_CHECKING:
    from titledeed.models.match import Segment

SIDE: Final = 480.0
MARGIN: Final = 64.0
TICKS: Final = 5
AXIS_LABEL_LENGTH_MAX: Final = 60
COLOURS: Final = {"picture": "#0b6e99", "sound": "#b35900"}
"""Told apart without colour as well: sound is dashed."""


@dataclass(frozen=True, slots=True)
class Axis:
    """One file: its name and its length in seconds; a still picture has none."""

    name: str
    duration_s: float

    def place(self, second: float) -> float:
        """Where a second lies, 0 to 1."""
        return second / self.duration_s if self.duration_s else 0.5


def draw_alignment(across: Axis, upwards: Axis, segments: Sequence[Segment]) -> str:
    """The whole SVG document."""
    size = SIDE + 2 * MARGIN
    body = "\n".join(
        [*_ticks(across, upwards), *(_line(across, upwards, segment) for segment in segments)]
    )
    return f"""\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size:g} {size:g}" role="img"
 font-family="sans-serif" font-size="12">
<title>{_text(across.name)} and {_text(upwards.name)}</title>
<rect width="{size:g}" height="{size:g}" fill="white"/>
<rect x="{MARGIN:g}" y="{MARGIN:g}" width="{SIDE:g}" height="{SIDE:g}" fill="none" stroke="#888"/>
{body}
<text x="{size / 2:g}" y="{size - 16:g}" text-anchor="middle">{_text(across.name)}</text>
<text transform="translate(18 {size / 2:g}) rotate(-90)" text-anchor="middle">
{_text(upwards.name)}</text>
</svg>
"""


def _ticks(across: Axis, upwards: Axis) -> list[str]:
    parts = []
    for step in range(TICKS + 1):
        share = step / TICKS
        if across.duration_s:
            x, _ = _point(share, 0)
            label = f"{share * across.duration_s:.4g} s"
            parts.append(
                f'<text x="{x:g}" y="{MARGIN + SIDE + 18:g}" text-anchor="middle">{label}</text>'
            )
        if upwards.duration_s:
            _, y = _point(0, share)
            label = f"{share * upwards.duration_s:.4g} s"
            parts.append(f'<text x="{MARGIN - 6:g}" y="{y:g}" text-anchor="end">{label}</text>')
    return parts


def _line(across: Axis, upwards: Axis, segment: Segment) -> str:
    x1, y1 = _point(across.place(segment.query.start_s), upwards.place(segment.work.start_s))
    x2, y2 = _point(across.place(segment.query.end_s), upwards.place(segment.work.end_s))
    channel = segment.channel.value
    dashes = ' stroke-dasharray="6 4"' if channel == "sound" else ""
    words = f"{channel}{', mirrored' if segment.mirrored else ''}, speed {segment.speed:.2f}"
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke-width="4" '
        f'stroke-linecap="round" stroke="{COLOURS[channel]}"{dashes}><title>{words}</title></line>'
    )


def _point(right: float, up: float) -> tuple[float, float]:
    return MARGIN + SIDE * right, MARGIN + SIDE * (1 - up)


def _text(name: str) -> str:
    shown = sanitize(name)
    return escape(
        shown if len(shown) <= AXIS_LABEL_LENGTH_MAX else f"{shown[:AXIS_LABEL_LENGTH_MAX]}…"
    )
