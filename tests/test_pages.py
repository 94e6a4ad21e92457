"""How the blocks of the documentation run, with several workers and in random order."""

from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

CONFTEST = Path(__file__).parents[1] / "conftest.py"

BACKWARDS = """
def pytest_collection_modifyitems(items):
    items.reverse()
"""


@pytest.fixture
def pages(pytester: pytest.Pytester) -> pytest.Pytester:
    """A project whose pages build on every block before."""
    # Wherever the folder for temporary files is: nothing above belongs to this project.
    pytester.makeini("[pytest]")
    pytester.makeconftest(CONFTEST.read_text("utf-8"))
    folder = pytester.mkdir("docs")
    for name in "one", "two", "three":
        blocks = ["```python\nnumber = 0\n```"]
        blocks += [f"```python\nassert number == {n}\nnumber += 1\n```" for n in range(12)]
        blocks.append("```python\nprint(number)\n```\n\n```output\n12\n```")
        (folder / f"{name}.md").write_text("\n\n".join(blocks), "utf-8")
    pytester.makepyfile(backwards=BACKWARDS)
    pytester.syspathinsert()
    return pytester


@pytest.mark.parametrize(
    "options",
    [["-p", "backwards"], ["-p", "backwards", "-n", "3", "--dist=load"]],
    ids=["one-process", "workers"],
)
def test_pages_stay_whole(pages: pytest.Pytester, options: list[str]) -> None:
    """The blocks of a page run in order and in one process, whatever the order of the tests."""
    pages.runpytest_subprocess(*options).assert_outcomes(passed=45)


def test_a_page_can_start_a_kit_of_its_own(pages: pytest.Pytester) -> None:
    """A block starts a kit below the comment that says so, and only there."""
    block = "```python\nfrom kvs_streams.testing import mock_kvs\n\nwith mock_kvs(): ...\n```\n"
    (pages.path / "docs" / "own.md").write_text(f"<!--- own-kit -->\n\n{block}\n{block}", "utf-8")
    result = pages.runpytest_subprocess("docs/own.md")
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(["E *RuntimeError: *"])
