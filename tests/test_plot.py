"""The plot of the fleets: a well-formed picture of what was measured."""

import re
from xml.etree import ElementTree as ET

from hypothesis import given, strategies as st

from benchmarks.plot import Row, draw, per_second

SVG = "{http://www.w3.org/2000/svg}"


@given(st.lists(st.integers(0, 100), max_size=95))
def test_no_create_is_lost_between_slots_and_seconds(timeline: list[int]) -> None:
    """The seconds hold all that the slots hold, ten slots each."""
    seconds = per_second(timeline)
    assert sum(seconds) == sum(timeline)
    assert len(seconds) == -(-len(timeline) // 10)


def test_each_contender_has_a_row_with_its_steps() -> None:
    """Labels are escaped, and a row has a step for each second, as high as its creates."""
    rows = [
        Row("a <loop>", "slow", [2] * 40, is_ours=False),
        Row("ours", "quick", [5] * 20, is_ours=True),
    ]
    root = ET.fromstring(draw(rows, quota=50))  # noqa: S314  # made here
    texts = [element.text for element in root.iter(f"{SVG}text")]
    assert {"a <loop>", "slow", "ours", "quick"} <= set(texts)
    paths = {path.get("class"): path.get("d") or "" for path in root.iter(f"{SVG}path")}
    assert paths["theirs"].count("L") == 4
    assert paths["ours"].count("L") == 2
    heights = [float(y) for y in re.findall(r"L[\d.]+,-([\d.]+)", paths["theirs"] + paths["ours"])]
    ratio = heights[-1] / heights[0]
    assert 2.4 < ratio < 2.6


def test_the_plot_reads_in_light_and_dark() -> None:
    """Every colour but those of the style is the text's own, and the style has both themes."""
    picture = draw([Row("ours", "", [1], is_ours=True)], quota=50)
    drawn = picture.partition("</style>")[2]
    assert "prefers-color-scheme: dark" in picture
    assert not re.search(r"#[0-9a-f]{3,6}|rgb", drawn)
