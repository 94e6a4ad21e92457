"""The how-to page "Test your code", followed by the letter: its blocks in one file, by pytest."""

import re
from pathlib import Path

import pytest

# pytester forgets what a run imported: what is here before stays, and need not load again.
import kvs_streams.testing._moto
from kvs_streams import CreateStreamRequest
from kvs_streams.testing import UnusedFaultError, mock_kvs

assert kvs_streams.testing._moto

pytest_plugins = ["pytester"]

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "test-your-code.md"


def blocks(language: str) -> list[str]:
    """Return the page's blocks of a language."""
    return re.findall(rf"(?ms)^```{language}\n(.*?)^```$", PAGE.read_text("utf-8"))


def test_the_page_as_a_test_file(pytester: pytest.Pytester) -> None:
    """Who copies the blocks of the page into one file gets tests that pass."""
    source = "\n\n".join(blocks("python"))
    pytester.makepyfile(test_cameras=source)
    tests = len(re.findall(r"^ *def test_", source, re.MULTILINE))
    assert tests == 14
    result = pytester.runpytest_inprocess("-W", "error", "--strict-markers")
    result.assert_outcomes(passed=tests)


def test_the_text_of_a_failure() -> None:
    """The failure that the page shows is the kit's own text."""
    kvs = mock_kvs().start()
    kvs.fail_next("AccessDeniedException", operation="delete_stream")
    kvs.client().ensure_stream(CreateStreamRequest(stream_name="cam-01"))
    with pytest.raises(UnusedFaultError) as caught:
        kvs.stop()
    (shown,) = blocks("text")
    assert shown.split() == str(caught.value).split()
