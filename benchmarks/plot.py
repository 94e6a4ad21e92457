"""A plot as SVG: accepted creates in each second, one row for each contender, on one time axis."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from xml.sax.saxutils import escape

_WIDTH, _ROW, _CHART, _TOP, _EDGE = 760, 74, 44, 34, 12
_SECONDS_PER_TICK = 10
# Read on white and on black; who looks at the file alone gets what the system is set to.
_STYLE = """
svg { color: #24292f; font: 13px system-ui, sans-serif }
text { fill: currentColor }
.quiet { opacity: .7 }
.axis { stroke: currentColor; opacity: .35 }
.quota { stroke: currentColor; stroke-dasharray: 4 3; opacity: .8 }
.page { fill: #ffffff }
.theirs { fill: #8c6d1f }
.ours { fill: #1a7f5a }
@media (prefers-color-scheme: dark) {
  svg { color: #e6edf3 }
  .page { fill: #131416 }
  .theirs { fill: #d4a72c }
  .ours { fill: #3fb98b }
}
"""


@dataclass(frozen=True)
class Row:
    """One contender: accepted creates in equal slots of time, and a note."""

    label: str
    note: str
    timeline: Sequence[int]
    is_ours: bool


def per_second(timeline: Sequence[int], slots_per_second: int = 10) -> list[int]:
    """Return how many creates were accepted in each second."""
    starts = range(0, len(timeline), slots_per_second)
    return [sum(timeline[start : start + slots_per_second]) for start in starts]


def _area(values: Sequence[int], x: float, y: float) -> str:
    """Return the path of steps below the values; ``x`` and ``y`` are pixels for each unit."""
    edges = accumulate([x] * len(values), initial=0.0)
    steps = [
        f"L{edge:.1f},{-value * y:.1f}h{x:.1f}" for edge, value in zip(edges, values, strict=False)
    ]
    return f"M0,0{''.join(steps)}V0Z"


def draw(rows: Sequence[Row], quota: float) -> str:
    """Return the plot."""
    seconds = [per_second(row.timeline) for row in rows]
    longest = max(map(len, seconds))
    highest = max(quota * 1.2, *(max(values, default=0) for values in seconds))
    x, y = (_WIDTH - 2 * _EDGE) / longest, _CHART / highest
    height = _TOP + _ROW * len(rows) + 30
    title = "CreateStream calls that the service accepts, in each second"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img">',
        f"<title>{title}</title>",
        f"<style>{_STYLE}</style>",
        # Its own ground: a page may be light where the system is dark.
        '<rect class="page" width="100%" height="100%" rx="6"/>',
        f'<text x="{_EDGE}" y="18">{title}; dashed: the quota of {quota:.0f}</text>',
    ]
    for i, (row, values) in enumerate(zip(rows, seconds, strict=True)):
        base = _TOP + _ROW * (i + 1)
        line = f"h{_WIDTH - 2 * _EDGE}"
        parts += [
            f'<g transform="translate({_EDGE},{base})">',
            f'<text y="{-_CHART - 8}">{escape(row.label)}</text>',
            f'<g class="quiet" text-anchor="end" transform="translate({_WIDTH - 2 * _EDGE})">',
            f'<text y="{-_CHART - 8}">{escape(row.note)}</text></g>',
            f'<path class="{"ours" if row.is_ours else "theirs"}" d="{_area(values, x, y)}"/>',
            f'<path class="axis" d="M0,0{line}" fill="none"/>',
            f'<path class="quota" d="M0,{-quota * y:.1f}{line}" fill="none"/>',
            "</g>",
        ]
    every = _SECONDS_PER_TICK * (1 + longest // (12 * _SECONDS_PER_TICK))
    for second in range(0, longest + 1, every):
        place = f'x="{_EDGE + second * x:.1f}" y="{height - 10}"'
        anchor = "start" if second == 0 else "middle"
        parts.append(f'<text class="quiet" {place} text-anchor="{anchor}">{second} s</text>')
    return "\n".join([*parts, "</svg>", ""])
