"""The benchmark of one process that serves many accounts."""

from pathlib import Path

import pytest

from benchmarks import places
from benchmarks.places import BEGIN, END


def test_the_table_has_the_medians() -> None:
    """Each row is the median of its rounds, and the text counts what one core serves."""
    figures = {"rate": 50.0, "processor": 4.0, "load": 1.0}
    rounds = [{"share": share, **figures} for share in (10.0, 99.0, 97.0)]
    text = places.text_of({1: rounds, 2: rounds})
    assert "| 1 | 50 | 97 % | 4.0 ms | 250 |\n| 2 | 50 | 97 % | 4.0 ms | 250 |\n" in text
    assert "at most about 250 creates per second" in text
    assert "**5 accounts or regions**" in text


def test_the_table_goes_to_its_place(tmp_path: Path) -> None:
    """Only what is between the two marks changes; a page without them is refused."""
    page = tmp_path / "page.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    places.write("new", page)
    assert page.read_text() == f"before\n{BEGIN}\n\nnew\n\n{END}\nafter\n"
    page.write_text("nothing")
    with pytest.raises(ValueError, match="no place"):
        places.write("new", page)


def test_the_page_has_the_place() -> None:
    """The marks stand on the page that a run writes to, with a table between them."""
    text = places.PAGE.read_text(encoding="utf-8")
    assert text.partition(BEGIN)[2].partition(END)[0].strip().startswith("| Accounts")
