"""Every picture of the documentation.

``python docs/_ext/pictures.py`` writes those that are also files into ``docs/pictures``.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from drawing import CODE, HEAD, LINE, Picture, measure, wrap_text
from rooms import drop_implied, read_rooms, sort_rooms

from kvs_streams import errors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FILES = Path(__file__).parents[1] / "pictures"

# What fits on a phone.
WIDTH = 350


# The tree of errors

# In pixels: what a level is moved to the right, the space between two boxes, and the width of a
# note that fits on a phone beside three levels.
INDENT, GAP, NOTE_WIDTH = 18, 9, 272
# What the errors end in whose names are AWS's own.
AWS_SUFFIX = "Exception"


def read_notes() -> dict[str, str]:
    """Return the few words beside each error in the tree that heads its module."""
    row = re.compile(r"^[│├└─\s]*(\w+)(?: \([^)]*\))? {2,}(\S.*)$", re.MULTILINE)
    return dict(row.findall(errors.__doc__ or ""))


def walk(cls: type, depth: int = 0) -> Iterator[tuple[type, int]]:
    """Go through an error and all that derive from it, in the order of the module."""
    yield cls, depth
    for child in cls.__subclasses__():
        if getattr(errors, child.__name__, None) is child:  # not a user's own
            yield from walk(child, depth + 1)


def caption(cls: type, notes: dict[str, str]) -> list[str]:
    """Return what stands below an error's name: what it is about, and foreign parents."""
    parents = [base.__name__ for base in cls.__bases__ if base.__module__.startswith("botocore")]
    parents += [base.__name__ for base in cls.__bases__[1:] if base.__module__ == "builtins"]
    about = notes.get(cls.__name__) or f"{cls.__doc__}".splitlines()[0].rstrip(".")
    about = about[0].upper() + about[1:]
    return wrap_text(" · ".join([about, *(f"also {name}" for name in parents)]), NOTE_WIDTH)


def draw_error_tree(page: str | None = None) -> Picture:
    """Draw the tree of errors from the classes.

    Args:
        page: The address of the page that each box leads to; without one there are no links.
    """
    picture = Picture("error-tree", "The tree of errors", WIDTH, zoom=1.15)
    notes = read_notes()
    bottoms: dict[int, float] = {}
    top = 1.0
    for cls, depth in walk(errors.KvsStreamsError):
        name, texts = cls.__name__, caption(cls, notes)
        left = 1 + depth * INDENT
        width = 18 + max(len(name) * (CODE + 0.2), *(measure(text, 11) for text in texts))
        bottom = top + 26 + LINE * len(texts)
        if depth:
            start, middle = bottoms[depth - 1], (top + bottom) / 2
            picture.line(f"M{left - INDENT + 9} {start:g}V{middle:g}H{left}")
        if page is not None:
            picture.begin_link(f"{page}#kvs_streams.{name}")
        kind = "accent" if name.endswith(AWS_SUFFIX) else ""
        picture.box(left, top, width, bottom - top, kind)
        picture.text(left + 9, top + 17, name, f"code strong {kind}".strip())
        for row, text in enumerate(texts, 1):
            picture.text(left + 9, top + 18 + LINE * row, text, "small muted")
        if page is not None:
            picture.end_link()
        bottoms[depth] = bottom
        top = bottom + GAP
    return picture


# A lost response


def draw_lost_response() -> Picture:
    """Draw how botocore's retry meets the stream that its first request created."""
    title = (
        "A lost response: AWS creates the stream, its response is lost, botocore retries and gets"
        " ResourceInUseException; ensure_stream describes the stream and returns RECOVERED"
    )
    picture = Picture("lost-response", title, WIDTH, zoom=1.5)
    ours, boto, aws = 52.0, 174.0, 298.0

    def message(y: float, start: float, end: float, text: str, kind: str = "") -> None:
        """Draw a message with its text above."""
        picture.arrow([(start, y), (end, y)], kind)
        colour = kind.replace("dashed", "").strip()
        picture.text((start + end) / 2, y - 5, text, f"code middle {colour}".strip())

    for x, name, kind in (
        (ours, "ensure_stream", "code strong"),
        (boto, "botocore", "strong"),
        (aws, "AWS", "strong"),
    ):
        picture.box(x - 50, 1, 100, 26)
        picture.text(x, 18, name, f"{kind} middle")
    end = 404.0
    for x in ours, boto, aws:
        # Not through the words between the two halves.
        picture.line(f"M{x:g} 27V262M{x:g} 290V{end:g}", "thin")

    message(56, ours, boto, "create_stream")
    message(82, boto, aws, "CreateStream")
    picture.box(aws - 46, 92, 92, 22, "good")
    picture.text(aws, 107, "stream created", "small middle good")
    picture.arrow([(aws, 138), (boto + 52, 138)], "bad dashed")
    picture.text(boto + 84, 132, "response lost", "small middle bad")
    for slope in 1, -1:
        picture.line(f"M{boto + 38:g} {138 - 5 * slope:g}l10 {10 * slope:g}", "bad curve")
    picture.text(boto - 8, 190, "botocore retries", "small muted end")
    message(190, boto, aws, "CreateStream")
    message(220, aws, boto, "ResourceInUse…", "bad")
    message(246, boto, ours, "ResourceInUse…", "bad")

    picture.line(f"M1 262H{WIDTH - 1}", "thin dashed")
    picture.text(
        WIDTH / 2, 279, "Raw boto3 ends here, with ResourceInUseException", "small middle muted"
    )
    picture.line(f"M1 290H{WIDTH - 1}", "thin dashed")

    message(318, ours, boto, "describe_stream", "accent")
    message(318, boto, aws, "DescribeStream", "accent")
    message(352, aws, boto, "StreamInfo", "accent")
    message(352, boto, ours, "StreamInfo", "accent")
    picture.box(1, 366, WIDTH - 2, 40, "good")
    picture.text(12, 391, "RECOVERED", "code strong good")
    picture.text(84, 383, "created since this call began, and configured", "small")
    picture.text(84, 397, "as requested: the stream of this call", "small")
    return picture


# What ensure_stream decides


class Case(NamedTuple):
    """One case of a step: when it is, what follows, and the step that it leads to."""

    when: str
    result: str
    kind: str = ""
    leads_to: int | None = None
    notes: tuple[str, ...] = ()


STEPS = {
    ("Create the stream", "create_stream"): (
        Case(
            "success",
            "CREATED",
            "good",
            notes=("described until ACTIVE, or until seen;", "replaced by a newer one: step 3"),
        ),
        Case(
            "ClientLimitExceededException",
            "back off, retry",
            leads_to=1,
            notes=("raised after max_attempts",),
        ),
        Case("ResourceInUseException", "step 2", leads_to=2),
        Case(
            "outcome unknown",
            "step 2",
            leads_to=2,
            notes=("lost response, 5xx, or a success without ARN",),
        ),
        Case(
            "any other error",
            "raised as it is",
            "bad",
            notes=("such as AccessDeniedError: no further call",),
        ),
    ),
    ("Find the stream", "describe_stream"): (
        Case(
            "DELETING",
            "wait, create again",
            leads_to=1,
            notes=("with wait=False: StreamDeletingError",),
        ),
        Case(
            "not found, after a conflict",
            "create again",
            leads_to=1,
            notes=("the name is free",),
        ),
        Case(
            "not found, outcome unknown",
            "the create error",
            "bad",
            notes=("after a grace period: nothing was created",),
        ),
        Case("found", "step 3", leads_to=3, notes=("with wait: described until ACTIVE",)),
    ),
    ("Compare it with the request", "on_drift"): (
        Case('drift, and on_drift="raise"', "StreamDriftError", "bad"),
        Case(
            "possibly from this call",
            "RECOVERED",
            "good",
            notes=("created since it began, and no drift",),
        ),
        Case("otherwise", "EXISTING", "good", notes=("drift is in the result",)),
    ),
}


def draw_case(picture: Picture, case: Case, *, head: float, top: float, right: float) -> float:
    """Draw one case below the head of its step; return where it ends."""
    left, middle, bottom = 28.0, top + 21, top + 33
    picture.line(f"M13 {head:g}V{middle:g}H24")
    is_error = case.when.endswith("Exception")
    picture.text(left, middle + 4, case.when, "code" if is_error else "")
    is_name = " " not in case.result and not case.result.islower()
    width = (len(case.result) * CODE if is_name else measure(case.result, 11)) + 16
    picture.box(right - width, top + 9, width, 24, case.kind)
    style = f"{'code strong' if is_name else 'small'} middle {case.kind}".strip()
    picture.text(right - width / 2, middle + 4, case.result, style)
    start = left + 5 + (len(case.when) * CODE if is_error else measure(case.when))
    if right - width - start > 2 * HEAD[1]:
        picture.arrow([(start, middle), (right - width - 1, middle)])
    for note in case.notes:
        picture.text(left, bottom + 11, note, "small muted")
        bottom += 13
    return bottom


def draw_ensure_stream() -> Picture:
    """Draw the decisions of ``ensure_stream``, step by step."""
    title = (
        "What ensure_stream decides: it creates the stream; after a conflict or an unknown outcome"
        " it describes the stream; then it compares the stream with the request"
    )
    picture = Picture("ensure-stream", title, WIDTH, zoom=1.5)
    right, y = WIDTH - 18.0, 1.0
    heads: list[float] = []
    jumps: list[tuple[float, int]] = []
    for number, ((step, code), cases) in enumerate(STEPS.items(), 1):
        heads.append(y + 14)
        picture.box(1, y, right - 1, 28, "accent")
        picture.text(12, y + 18.5, f"{number}", "strong accent")
        picture.text(28, y + 18.5, step, "strong")
        picture.text(right - 10, y + 18.5, code, "code end muted")
        y = head = y + 28
        for case in cases:
            if case.leads_to:
                jumps.append((y + 21, case.leads_to))
            y = draw_case(picture, case, head=head, top=y, right=right)
        y += 16
    for start, step in jumps:
        end = heads[step - 1]
        lane = right + (8 if end > start else 15)
        picture.arrow([(right, start), (lane, start), (lane, end), (right + 1, end)], "accent")
    picture.text(1, y + 22, "At the deadline, in any step:")
    width = 16 * CODE + 16
    picture.box(right - width, y + 6, width, 24, "bad")
    picture.text(right - width / 2, y + 22, "WaitTimeoutError", "code strong bad middle")
    return picture


# The life of a stream

STATUSES = {
    "CREATING": ("polls on", ""),
    "ACTIVE": ("returns", "good"),
    "UPDATING": ("polls on", ""),
    "DELETING": ("StreamDeletingError", "bad"),
}


def draw_life_cycle() -> Picture:
    """Draw the statuses of a stream, and what ``wait_until_active`` does in each."""
    title = (
        "The life of a stream: CREATING, ACTIVE, UPDATING and back, DELETING, and then not found;"
        " and what wait_until_active does in each"
    )
    picture = Picture("life-cycle", title, WIDTH, zoom=1.5)
    wide, high = 132.0, 42.0
    places = {
        "CREATING": (28.0, 76.0),
        "ACTIVE": (28.0, 156.0),
        "UPDATING": (217.0, 156.0),
        "DELETING": (28.0, 236.0),
    }
    middle = 28 + wide / 2

    picture.box(28, 1, wide, high, radius=21)
    picture.text(middle, 18, "no such stream", "strong middle")
    picture.text(middle, 33, "grace period, or error", "small muted middle")
    for status, (x, y) in places.items():
        does, kind = STATUSES[status]
        picture.box(x, y, wide, high, kind)
        colour = f" {kind}" if kind else ""
        picture.text(x + wide / 2, y + 18, status, f"code strong middle{colour}")
        style = f"code{colour}" if does.endswith("Error") else "small muted"
        picture.text(x + wide / 2, y + 33, does, f"{style} middle")
    for y, end, label in (
        (43, 75, "CreateStream"),
        (118, 155, "ready for use"),
        (198, 235, "DeleteStream"),
    ):
        picture.arrow([(middle, y), (middle, end)])
        picture.text(middle + 10, y + 21, label, "small")
    picture.arrow([(160, 170), (216, 170)])
    picture.arrow([(217, 186), (161, 186)])
    picture.text(188, 163, "update", "small middle")
    picture.text(188, 201, "done", "small middle")
    picture.arrow([(28, 257), (10, 257), (10, 22), (27, 22)], "dashed")
    picture.text(172, 18, "ResourceNotFoundException", "code muted")
    picture.text(172, 33, "the name can be used again", "small muted")
    picture.text(172, 255, "ensure_stream waits until", "small muted")
    picture.text(172, 269, "it is gone, and creates again", "small muted")
    picture.text(1, 302, "wait_until_active", "code muted")
    picture.text(6 + 17 * CODE, 302, "does what the second line says", "small muted")
    return picture


# The modules


def draw_architecture(sources: str) -> Picture:
    """Draw the modules from the top down, with a line to all that each imports.

    What is imported through another import needs no line.

    Args:
        sources: The address of the package's folder, where each box leads to its module.
    """
    rooms = read_rooms()
    order = sort_rooms(rooms)
    wanted = drop_implied(rooms)
    title = "The modules, each above all that it imports"
    picture = Picture("architecture", title, WIDTH, zoom=1.35)

    # A lane for each module that is imported, free between its first importer and itself.
    place = {room.name: index for index, room in enumerate(order)}
    lanes: list[list[tuple[int, int]]] = []
    lane_of: dict[str, int] = {}
    spans = {
        name: (min(place[other] for other in wanted if name in wanted[other]), place[name])
        for name in place
        if any(name in others for others in wanted.values())
    }
    for name, (first, last) in sorted(spans.items(), key=lambda item: item[1][1] - item[1][0]):
        free = (
            index
            for index, lane in enumerate(lanes)
            if all(last <= start or end <= first for start, end in lane)
        )
        index = next(free, len(lanes))
        if index == len(lanes):
            lanes.append([])
        lanes[index].append((first, last))
        lane_of[name] = index

    left = 14 + 9.0 * len(lanes)
    y, tops, bottoms = 1.0, {}, {}
    for room in order:
        texts = wrap_text(room.about, WIDTH - left - 18)
        bottom = y + 25 + LINE * len(texts)
        tops[room.name], bottoms[room.name] = y, bottom
        picture.begin_link(f"{sources}/{room.path}")
        picture.box(left, y, WIDTH - 1 - left, bottom - y, "accent" if room.uses_boto else "")
        picture.text(left + 9, y + 17, room.path, "code strong")
        if room.uses_boto:
            picture.text(WIDTH - 9, y + 17, "imports boto3", "small accent end")
        for row, text in enumerate(texts, 1):
            picture.text(left + 9, y + 17 + LINE * row, text, "small muted")
        picture.end_link()
        y = bottom + 8
    for name, index in lane_of.items():
        lane = left - 12 - 9 * index
        arrival = tops[name] + 9
        for other in place:
            if name in wanted[other]:
                start = bottoms[other] - 9
                picture.arrow([(left, start), (lane, start), (lane, arrival), (left - 1, arrival)])
    return picture


# Those that are also files. The architecture is drawn in the documentation alone: it is as new as
# the code there.
DRAWN: tuple[Callable[[], Picture], ...] = (
    draw_error_tree,
    draw_lost_response,
    draw_ensure_stream,
    draw_life_cycle,
)


def main() -> None:
    """Write the files."""
    for draw in DRAWN:
        picture = draw()
        path = FILES / f"{picture.name}.svg"
        path.write_text(picture.file(), encoding="utf-8")
        print(path)


if __name__ == "__main__":
    main()
