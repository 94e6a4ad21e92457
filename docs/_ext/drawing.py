"""What pictures are made of: boxes, texts, arrows, and one set of colours for light and dark.

A picture comes in two forms. In the documentation it is part of the page: its boxes can be links,
and it follows the reader's choice between light and dark. As a file, for GitHub and PyPI, it has
its own colours and background, and follows the browser.
"""

from __future__ import annotations

import math
import re
from html import escape
from pathlib import Path

STYLE = Path(__file__).parents[1] / "_static" / "pictures.css"

# Name: light, dark.
COLOURS = {
    "page": ("#ffffff", "#131416"),
    "ink": ("#1f2328", "#e6e8eb"),
    "muted": ("#55606b", "#a6b0ba"),
    "line": ("#6b7680", "#8b96a1"),
    "box": ("#f5f7f9", "#1d2024"),
    "edge": ("#c3cad1", "#454d55"),
    "accent": ("#0a50ff", "#77a8ff"),
    "good": ("#17692f", "#6fd08c"),
    "good-box": ("#eaf6ed", "#15261b"),
    "bad": ("#b3261e", "#ff9a92"),
    "bad-box": ("#fdeeec", "#301a19"),
}
LIGHT = {f"picture-{name}": colours[0] for name, colours in COLOURS.items()}
DARK = {f"picture-{name}": colours[1] for name, colours in COLOURS.items()}

# In pixels: the width of a character of code, and the height of a line.
CODE, LINE = 6.65, 14
# The widths of characters in a text of 12 pixels: of most, and of those that differ. Fonts differ
# between systems; these are the widths of a wide one.
WIDTHS = dict.fromkeys("iljI.,:;'|!", 3.6) | dict.fromkeys("ftr() -/", 4.9)
WIDTHS |= dict.fromkeys("mwMW—…", 10.6) | dict.fromkeys("ACDGHNOQRUV=_", 8.6)
USUAL = 7.5
# The space around a picture that is a file.
MARGIN = 10
# Half the width of an arrow's head, and its length.
HEAD = 3.5, 7


def measure(text: str, size: float = 12) -> float:
    """Return how wide a text is, in pixels, given the size of its font."""
    return math.fsum(WIDTHS.get(character, USUAL) for character in text) * size / 12


def wrap_text(text: str, width: float) -> list[str]:
    """Return the lines of a small text that is no wider than some pixels."""
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and measure(longer, 11) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def set_colours(style: str, colours: dict[str, str]) -> str:
    """Return rules with the values of the colours instead of their names."""
    return re.sub(r"var\(--([\w-]+)\)", lambda match: colours[match[1]], style)


def standalone_style() -> str:
    """Return the rules of a picture that is a file, with the colours of light and dark."""
    style = STYLE.read_text(encoding="utf-8")
    style = re.sub(r"/\*.*?\*/", "", style)
    style = re.sub(r"\s+", " ", style).strip()
    coloured = re.findall(r"[^{}]+\{[^{}]*var[^{}]*\}", style)
    dark = set_colours("".join(coloured), DARK)
    return f"{set_colours(style, LIGHT)} @media (prefers-color-scheme: dark) {{ {dark} }}"


def number(value: float) -> str:
    """Return a coordinate in as few characters as show it."""
    return f"{value:.1f}".removesuffix(".0")


class Picture:
    """A picture under construction; coordinates are pixels from the top left corner.

    Args:
        name: What the picture is called in addresses and files.
        title: What the picture shows, for those who do not see it.
        width: The width that all texts fit into, in pixels.
        zoom: By how much the picture is enlarged where there is room.
    """

    def __init__(self, name: str, title: str, width: float, *, zoom: float = 1.0) -> None:
        self.name = name
        self.title = title
        self.width = width
        self.zoom = zoom
        self.height = 0.0
        self.has_links = False
        self._behind: list[str] = []
        self._front: list[str] = []

    def add(self, element: str, *, bottom: float) -> None:
        """Add an element that ends at a height."""
        self._front.append(element)
        self.height = max(self.height, bottom)

    def text(self, x: float, y: float, content: str, kind: str = "") -> None:
        """Write a line of text, which stands on ``y``."""
        attribute = f' class="{kind}"' if kind else ""
        at = f'x="{number(x)}" y="{number(y)}"'
        self.add(f"<text {at}{attribute}>{escape(content)}</text>", bottom=y + 4)

    def box(
        self, x: float, y: float, width: float, height: float, kind: str = "", *, radius: float = 6
    ) -> None:
        """Draw a box with round corners."""
        attribute = f' class="{kind}"' if kind else ""
        size = f'width="{number(width)}" height="{number(height)}" rx="{number(radius)}"'
        self.add(
            f'<rect x="{number(x)}" y="{number(y)}" {size}{attribute}/>', bottom=y + height + 1
        )

    def line(self, points: str, kind: str = "") -> None:
        """Draw a line behind everything else; ``points`` is in SVG's own words."""
        attribute = f' class="{kind}"' if kind else ""
        self._behind.append(f'<path d="{points}"{attribute}/>')

    def arrow(self, points: list[tuple[float, float]], kind: str = "") -> None:
        """Draw a line through points with a head at its end, horizontally or vertically."""
        path = "M" + "L".join(f"{number(x)} {number(y)}" for x, y in points)
        self.line(path, kind)
        (from_x, from_y), (x, y) = points[-2:]
        half, length = HEAD
        if from_y == y:
            back = x - length if x > from_x else x + length
            head = f"M{number(x)} {number(y)}L{number(back)} {number(y - half)}v{2 * half:g}z"
        else:
            back = y - length if y > from_y else y + length
            head = f"M{number(x)} {number(y)}L{number(x - half)} {number(back)}h{2 * half:g}z"
        colour = kind.replace("dashed", "").strip()
        self._behind.append(f'<path d="{head}" class="{f"head {colour}".strip()}"/>')

    def begin_link(self, address: str) -> None:
        """Make a link of all that follows."""
        self.has_links = True
        self._front.append(f'<a href="{escape(address)}">')

    def end_link(self) -> None:
        """End the link."""
        self._front.append("</a>")

    def _body(self) -> str:
        return "".join([*self._behind, *self._front])

    def inline(self) -> str:
        """Return the picture as a part of a page."""
        size = f'viewBox="0 0 {number(self.width)} {number(self.height)}"'
        size += f' width="{number(self.width * self.zoom)}"'
        # To a screen reader an image is one thing, and links inside cannot be reached.
        role = "group" if self.has_links else "img"
        return (
            f'<svg class="picture" {size} role="{role}" aria-label="{escape(self.title)}"'
            f' xmlns="http://www.w3.org/2000/svg">{self._body()}</svg>\n'
        )

    def file(self) -> str:
        """Return the picture as a file of its own."""
        width, height = self.width + 2 * MARGIN, self.height + 2 * MARGIN
        box = f"{-MARGIN} {-MARGIN} {number(width)} {number(height)}"
        body = self._body().replace("/><", "/>\n<").replace("</text><", "</text>\n<")
        return (
            f'<svg class="picture" xmlns="http://www.w3.org/2000/svg" viewBox="{box}"'
            f' width="{number(width * self.zoom)}" role="img">\n'
            f"<title>{escape(self.title)}</title>\n<style>{standalone_style()}</style>\n"
            f'<rect class="sheet" x="{-MARGIN}" y="{-MARGIN}" width="{number(width)}"'
            f' height="{number(height)}" rx="8"/>\n{body}\n</svg>\n'
        )
