"""The pictures of the documentation: true to the code, readable, and up to date as files."""

import re
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

import kvs_streams
from kvs_streams import EnsureOutcome, StreamStatus

DOCS = Path(__file__).parent.parent / "docs"
sys.path.append(str(DOCS / "_ext"))
drawing, pictures, rooms = map(import_module, ("drawing", "pictures", "rooms"))

SVG = "{http://www.w3.org/2000/svg}"
DRAWN = [draw() for draw in pictures.DRAWN]
SOURCES = "https://example.com/kvs_streams"
EVERY = [*DRAWN, pictures.draw_architecture(SOURCES)]


def parse(svg: str) -> ET.Element:
    """Return a picture's elements."""
    return ET.fromstring(svg)  # noqa: S314  # our own


def by_name(picture: Any) -> str:
    """Name a test after its picture."""
    return str(picture.name)


def read_texts(picture: Any) -> Iterator[tuple[str, set[str], float]]:
    """Yield each text of a picture, its classes, and where it is anchored."""
    for element in parse(picture.file()).iter(f"{SVG}text"):
        yield element.text or "", set(element.get("class", "").split()), float(element.get("x", 0))


@pytest.mark.parametrize("picture", DRAWN, ids=by_name)
def test_files_are_up_to_date(picture: Any) -> None:
    """The committed file is what the code draws."""
    path = DOCS / "pictures" / f"{picture.name}.svg"
    assert path.read_text(encoding="utf-8") == picture.file(), "run: python docs/_ext/pictures.py"


def test_no_file_is_left_over() -> None:
    """The folder holds the pictures that are drawn from code, and nothing else."""
    found = {path.stem for path in (DOCS / "pictures").iterdir()}
    assert found == {picture.name for picture in DRAWN}


@pytest.mark.parametrize("picture", EVERY, ids=by_name)
def test_fits_a_phone(picture: Any) -> None:
    """No text or box leaves the picture, and the picture is no wider than a phone."""
    assert picture.width <= 358  # 390 pixels without furo's margins
    for box in parse(picture.inline()).iter(f"{SVG}rect"):
        left, width = float(box.get("x", 0)), float(box.get("width", 0))
        assert 0 < left < left + width < picture.width
    for text, classes, x in read_texts(picture):
        size = 11 if "small" in classes else 12
        width = len(text) * drawing.CODE if "code" in classes else drawing.measure(text, size)
        start = x - width * (1 if "end" in classes else 0.5 if "middle" in classes else 0)
        assert start >= 0, text
        assert start + width <= picture.width, text


@pytest.mark.parametrize("picture", EVERY, ids=by_name)
def test_looks_the_same_on_a_page(picture: Any) -> None:
    """What is part of a page is the file without background and colours of its own."""

    def read_elements(svg: str) -> list[tuple[str, dict[str, str], str | None]]:
        elements = [(item.tag, dict(item.attrib), item.text) for item in parse(svg).iter()]
        return elements[1:]

    def strip(elements: list[tuple[str, dict[str, str], str | None]]) -> list[Any]:
        return [(tag, attributes, (text or "").strip()) for tag, attributes, text in elements]

    on_page, in_file = map(read_elements, (picture.inline(), picture.file()))
    assert strip(in_file[3:]) == strip(on_page)
    assert [tag for tag, *_ in in_file[:3]] == [f"{SVG}title", f"{SVG}style", f"{SVG}rect"]


@pytest.mark.parametrize("picture", EVERY, ids=by_name)
def test_names_only_what_exists(picture: Any) -> None:
    """Every error, status and outcome in a picture is one of the library's."""
    known = {*kvs_streams.__all__, *StreamStatus, *EnsureOutcome}
    known |= {"ClientError", "BotoCoreError", "TimeoutError", "ValueError"}
    text = " ".join(text for text, *_ in read_texts(picture))
    names = re.findall(r"\b(?:[A-Z]\w+(?:Error|Exception)|[A-Z]{4,})\b", text)
    assert set(names) - known == set()


def test_shows_every_status_outcome_and_error() -> None:
    """A new status, outcome or error needs its place in a picture."""
    shown = {picture.name: {text for text, *_ in read_texts(picture)} for picture in DRAWN}
    assert set(StreamStatus) <= shown["life-cycle"]
    assert set(EnsureOutcome) <= shown["ensure-stream"]
    errors = {name for name in kvs_streams.__all__ if name.endswith(("Error", "Exception"))}
    assert errors <= shown["error-tree"]


def luminance(colour: str) -> float:
    """Return the relative luminance of a colour, as WCAG defines it."""
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
        for value in channels
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours, as WCAG defines it."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("colours", [drawing.LIGHT, drawing.DARK], ids=["light", "dark"])
def test_colours_have_contrast(colours: dict[str, str]) -> None:
    """Texts reach WCAG's 4.5 on whatever they stand on, and lines that carry meaning reach 3."""
    read = {name.removeprefix("picture-"): colour for name, colour in colours.items()}
    for text in "ink", "muted", "accent", "good", "bad":
        for ground in "page", "box":
            assert contrast(read[text], read[ground]) >= 4.5, (text, ground)
    for kind in "good", "bad":
        assert contrast(read[kind], read[f"{kind}-box"]) >= 4.5, kind
    for line in "line", "accent", "good", "bad":
        assert contrast(read[line], read["page"]) >= 3, line


def test_a_file_has_no_colour_left_open() -> None:
    """A file names its colours, and others for dark: not every viewer knows variables."""
    style = drawing.standalone_style()
    assert "var(" not in style
    light, dark = style.split("@media (prefers-color-scheme: dark)")
    assert all(colour in light for colour in drawing.LIGHT.values())
    assert all(colour in dark for colour in drawing.DARK.values())


def test_error_tree_leads_to_the_reference() -> None:
    """On a page each box is a link, and the picture is no image to screen readers."""
    tree = pictures.draw_error_tree("errors.html").inline()
    assert 'role="group"' in tree
    assert '<a href="errors.html#kvs_streams.ThrottlingError">' in tree


# The modules


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A package of a few modules."""
    sources = {
        "__init__.py": "from .top import x",
        "top.py": '"""Top. More."""\nfrom pack import middle\nfrom pack.low import y\nimport boto3',
        "middle.py": '"""Middle: a\nsecond line.\n\nMore."""\n'
        "def f():\n    from .parts.one import z",
        "low.py": '"""Low."""\nfrom typing import TYPE_CHECKING\n'
        "from botocore.exceptions import ClientError\n"
        "if TYPE_CHECKING:\n    from .top import x\n",
        "parts/__init__.py": '"""Nothing but this."""',
        "parts/one.py": '"""One."""\nfrom ..low import y',
        "testing/__init__.py": '"""Kit."""',
        "testing/kit.py": "import pack.testing.other\nimport pack.top",
        "testing/other.py": "",
    }
    folder = tmp_path / "pack"
    for name, source in sources.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source, encoding="utf-8")
    return folder


def test_rooms_are_read_from_the_sources(package: Path) -> None:
    """Imports inside functions count, those for type checkers do not; the kit is one room."""
    found = rooms.read_rooms(package)
    assert {name: room.path for name, room in found.items()} == {
        "low": "low.py",
        "middle": "middle.py",
        "parts.one": "parts/one.py",
        "testing": "testing/",
        "top": "top.py",
    }
    assert {name: room.about for name, room in found.items()} == {
        "low": "Low",
        "middle": "Middle: a second line",
        "parts.one": "One",
        "testing": "Kit",
        "top": "Top",
    }
    assert {name: set(room.imports) for name, room in found.items()} == {
        "low": set(),
        "middle": {"parts.one"},
        "parts.one": {"low"},
        "testing": {"top"},
        "top": {"low", "middle"},
    }
    assert [name for name, room in found.items() if room.uses_boto] == ["top"]


def test_rooms_stand_above_what_they_import(package: Path) -> None:
    """What is imported through another import needs no line of its own."""
    found = rooms.read_rooms(package)
    order = [room.name for room in rooms.sort_rooms(found)]
    assert order == ["testing", "top", "middle", "parts.one", "low"]
    assert rooms.drop_implied(found)["top"] == {"middle"}


def test_a_circle_of_rooms_is_refused(package: Path) -> None:
    """Modules that import each other have no order."""
    (package / "low.py").write_text("import pack.middle", encoding="utf-8")
    with pytest.raises(ValueError, match=r"in a circle: low, middle, parts\.one"):
        rooms.sort_rooms(rooms.read_rooms(package))


def test_architecture_shows_every_module() -> None:
    """Each module says what it is for, and its box leads to its source."""
    picture = pictures.draw_architecture(SOURCES).inline()
    for room in rooms.read_rooms().values():
        assert room.about, f"{room.path} has no docstring"
        assert f'<a href="{SOURCES}/{room.path}">' in picture


def test_pictures_are_written_by_the_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It writes each picture that is also a file, and says where."""
    monkeypatch.setattr(pictures, "FILES", tmp_path)
    pictures.main()
    written = {path.stem for path in tmp_path.glob("*.svg")}
    assert written == {picture.name for picture in DRAWN}
    assert len(capsys.readouterr().out.splitlines()) == len(written)
