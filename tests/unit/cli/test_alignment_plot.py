from __future__ import annotations

from xml.etree import ElementTree

from titledeed.models.interval import Interval
from titledeed.models.match import Channel, Segment
from titledeed_cli.alignment_plot import MARGIN, SIDE, Axis, draw_alignment

SVG = "{http://www.w3.org/2000/svg}"


def lines(document: str) -> list[ElementTree.Element]:
    return ElementTree.fromstring(document).findall(f"{SVG}line")


def test_a_segment_lies_where_its_seconds_are() -> None:
    segment = Segment(Interval(2.0, 6.0), Interval(10.0, 14.0), speed=1.0, mirrored=False)
    (line,) = lines(draw_alignment(Axis("a", 8.0), Axis("b", 20.0), [segment]))
    place = {name: float(line.attrib[name]) for name in ("x1", "y1", "x2", "y2")}
    assert place == {
        "x1": MARGIN + SIDE / 4,
        "y1": MARGIN + SIDE / 2,
        "x2": MARGIN + SIDE * 3 / 4,
        "y2": MARGIN + SIDE * 3 / 10,
    }


def test_sound_is_told_from_pictures_without_colour() -> None:
    spans = Interval(0.0, 1.0), Interval(0.0, 1.0)
    segments = [
        Segment(*spans, speed=1.0, mirrored=True, channel=channel)
        for channel in (Channel.PICTURE, Channel.SOUND)
    ]
    picture, sound = lines(draw_alignment(Axis("a", 1.0), Axis("b", 1.0), segments))
    assert "stroke-dasharray" not in picture.attrib
    assert "stroke-dasharray" in sound.attrib
    assert [title.text for title in picture] == ["picture, mirrored, speed 1.00"]


def test_hostile_names_stay_text() -> None:
    name = "</text><script>alert(1)</script>\x1b[31m\u202egpj"
    document = draw_alignment(Axis(name, 1.0), Axis(f"{name}-" * 40, 0.0), [])
    root = ElementTree.fromstring(document)
    assert not [node for node in root.iter() if node.tag.endswith("script")]
    assert "\x1b" not in document and "\u202e" not in document


def test_a_still_picture_has_no_seconds_on_its_axis() -> None:
    segment = Segment(Interval(3.0, 3.0), Interval(0.0, 0.0), speed=1.0, mirrored=False)
    document = draw_alignment(Axis("film", 6.0), Axis("still", 0.0), [segment])
    (line,) = lines(document)
    assert float(line.attrib["y1"]) == MARGIN + SIDE / 2
    assert document.count(" s</text>") == 6
