"""The pytest plugin, run as its users run it; and the kit in unittest."""

import os
import re
import subprocess
import sys
import unittest
from pathlib import Path

import pytest

# pytester forgets what a run imported: what is here before stays, and need not load again.
from kvs_streams import CreateStreamRequest, StreamsClient
from kvs_streams.testing import mock_kvs

pytest_plugins = ["pytester"]

PLUGIN = "kvs_streams.testing.plugin"
PAGE = Path(__file__).parents[2] / "docs" / "test-your-code.md"


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A project with some code that creates a camera's stream."""
    # Where one of these is set, pytest tells a failure twice in full.
    for name in "CI", "BUILD_NUMBER":
        monkeypatch.delenv(name, raising=False)
    pytester.makepyfile(
        cameras="""
            from kvs_streams import CreateStreamRequest, StreamsClient

            def add(name):
                with StreamsClient() as client:
                    return client.ensure_stream(CreateStreamRequest(stream_name=name)).outcome
        """
    )
    pytester.syspathinsert()
    return pytester


def run(project: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    """Run the project, with the plugin if it is not installed."""
    registered = project._request.config.pluginmanager.has_plugin("kvs_streams")
    plugin = () if registered else ("-p", PLUGIN)
    return project.runpytest_inprocess(
        "-W", "error", "--strict-markers", "-p", "no:randomly", *plugin, *arguments
    )


def test_fixtures_and_options(project: pytest.Pytester) -> None:
    """The fixtures give the kit and its clients with the same streams; the marker its options."""
    project.makepyfile(
        """
        import asyncio, os, pytest, cameras
        from kvs_streams import AsyncStreamsClient, StreamsClient

        def test_code_under_test(kvs_mock):
            kvs_mock.fail_next("ClientLimitExceededException", times=2)
            kvs_mock.hold_creating(3)
            assert cameras.add("cam") == "CREATED"
            assert kvs_mock.count("describe_stream") == 4

        def test_clients(kvs_mock, kvs_client, kvs_async_client, kvs_boto_client):
            assert kvs_mock.streams == {}
            assert type(kvs_client) is StreamsClient
            assert type(kvs_async_client) is AsyncStreamsClient
            arn = kvs_boto_client.create_stream(StreamName="cam")["StreamARN"]
            assert kvs_client.describe_stream("cam").stream_arn == arn
            assert asyncio.run(kvs_async_client.describe_stream("cam")).stream_arn == arn

        def test_without():
            assert os.environ.get("AWS_ACCESS_KEY_ID") != "kvs-streams-testing"

        @pytest.mark.kvs_options(region_name="eu-west-1", allow_unused=True, server=True)
        class TestOptions:
            def test_all(self, kvs_mock):
                kvs_mock.drop_next()
                assert kvs_mock.endpoint_url

            @pytest.mark.kvs_options(region_name="eu-west-2", validate=False)
            def test_closest(self, kvs_mock, kvs_boto_client):
                kvs_mock.drop_next(stream_name="other")
                kvs_boto_client.create_stream(StreamName="bad name!")
                assert kvs_mock.streams_in("eu-west-2")

        @pytest.mark.kvs_options(servre=True)
        def test_misspelt(kvs_mock): ...

        @pytest.mark.kvs_options(True)
        def test_positional(kvs_mock): ...
        """
    )
    result = run(project)
    result.assert_outcomes(passed=5, errors=2)
    result.stdout.fnmatch_lines(
        ["*unexpected keyword argument 'servre'*", "*the pytest fixture kvs_mock*"]
    )
    assert "kvs_options(server=False" in run(project, "--markers").stdout.str()


def test_unused(project: pytest.Pytester) -> None:
    """What was not used is an error in teardown, once, and never on top of something else."""
    project.makepyfile(
        """
        import unittest, pytest, cameras

        def test_unused(kvs_mock):
            kvs_mock.fail_next("X", operation="delete_stream")

        def test_asked_for_late(request):
            request.getfixturevalue("kvs_mock").hide_new(100)

        @pytest.fixture
        def deletes(kvs_client, kvs_boto_client, kvs_mock):
            yield
            arn = kvs_boto_client.create_stream(StreamName="cam")["StreamARN"]
            with pytest.raises(Exception, match="X"):
                kvs_boto_client.delete_stream(StreamARN=arn)

        def test_used_in_teardown(deletes, kvs_mock):
            kvs_mock.fail_next("X", operation="delete_stream")

        @pytest.mark.kvs_options(allow_unused=True)
        def test_allowed(kvs_mock):
            kvs_mock.fail_next("X")

        def test_cleared(kvs_mock):
            kvs_mock.fail_next("X")
            kvs_mock.clear()

        def test_failed(kvs_mock):
            kvs_mock.fail_next("X")
            assert 1 == 2

        def test_skipped(kvs_mock):
            kvs_mock.fail_next("X")
            pytest.skip()

        @pytest.mark.xfail(strict=True)
        def test_expected_to_fail(kvs_mock):
            kvs_mock.fail_next("X")
            assert 1 == 2

        @pytest.fixture
        def fails_later(kvs_mock):
            yield
            raise KeyError("teardown")

        def test_failed_in_teardown(fails_later, kvs_mock):
            kvs_mock.fail_next("X")

        class TestCase(unittest.TestCase):
            @pytest.fixture(autouse=True)
            def kit(self, kvs_mock):
                self.kvs = kvs_mock

            def test_failed_case(self):
                self.kvs.fail_next("X")
                self.assertEqual(1, 2)

            def test_skipped_case(self):
                self.kvs.fail_next("X")
                self.skipTest("")

            def test_unused_case(self):
                self.kvs.fail_next("X")

        def test_next_one_is_fresh(kvs_mock):
            assert kvs_mock.unused == ()
        """
    )
    result = run(project, "-rA")
    # An error in teardown comes after a test that passed.
    result.assert_outcomes(passed=8, failed=2, skipped=2, xfailed=1, errors=4)
    text = result.stdout.str()
    found = re.findall("ERROR at teardown of ([a-zA-Z_.]+)", text)
    assert found == [
        "test_unused",
        "test_asked_for_late",
        "test_failed_in_teardown",
        "TestCase.test_unused_case",
    ]
    assert text.count("these scripted faults and rules were not used") == 3
    assert "fail_next('X') applied to no call of delete_stream" in text


class Case(unittest.TestCase):
    """The tests that the next test runs."""

    __test__ = False

    def setUp(self) -> None:
        self.kvs = mock_kvs().start()
        self.addCleanup(self.kvs.stop)
        self.kvs.fail_next("ClientLimitExceededException")

    def throttled(self) -> None:
        """Use what is scripted."""
        with StreamsClient() as client:
            client.create_stream(CreateStreamRequest(stream_name="cam"))
        self.kvs.check_unused()

    def skipped(self) -> None:
        """Use nothing."""
        self.skipTest("not here")


def test_unittest() -> None:
    """In unittest, ``stop`` reports nothing: a skip stays a skip."""
    result = unittest.TestSuite([Case("throttled"), Case("skipped")]).run(unittest.TestResult())
    assert (result.testsRun, len(result.skipped), result.wasSuccessful()) == (2, 1, True)


NAMES = ("AWS_ACCESS_KEY_ID", "AWS_DEFAULT_REGION", "AWS_PROFILE")


@pytest.mark.parametrize("fixtures", ["monkeypatch, kvs_mock", "kvs_mock, monkeypatch"])
def test_monkeypatch_in_any_order(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, fixtures: str
) -> None:
    """After a test the environment is as before, whichever of the fixtures ends last."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_PROFILE", "work")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID", raising=False)
    project.makepyfile(
        f"""
        import os, pytest

        @pytest.fixture(autouse=True, scope="session")
        def unchanged():
            before = dict(os.environ)
            yield
            names = {NAMES}
            assert {{n: os.environ.get(n) for n in names}} == {{n: before.get(n) for n in names}}

        @pytest.fixture
        def before(monkeypatch):
            monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")

        @pytest.mark.parametrize("name", {NAMES})
        def test_set({fixtures}, name):
            monkeypatch.setenv(name, "other")

        @pytest.mark.parametrize("name", {NAMES})
        def test_removed({fixtures}, name):
            monkeypatch.delenv(name, raising=False)

        def test_set_before(before, {fixtures}): ...

        def test_set_before_and_within(before, {fixtures}):
            monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-2")

        def test_a_kit_within(monkeypatch):
            from kvs_streams.testing import mock_kvs
            with mock_kvs():
                monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-2")
        """
    )
    run(project).assert_outcomes(passed=9)


def test_nothing_heavy_is_imported(project: pytest.Pytester) -> None:
    """A run that does not use the kit imports neither it nor moto nor botocore."""
    project.makepyfile(
        """
        import sys
        def test_nothing():
            heavy = {"moto", "boto3", "botocore", "attr", "kvs_streams.testing._kit"}
            assert not heavy & sys.modules.keys()
        """
    )
    arguments = [sys.executable, "-m", "pytest", "-p", "no:hypothesispytest", "-q"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    if not project._request.config.pluginmanager.has_plugin("kvs_streams"):
        arguments += ["-p", PLUGIN]
    done = subprocess.run(
        arguments, env=environment, capture_output=True, text=True, check=False, cwd=project.path
    )
    assert "1 passed" in done.stdout, done.stdout


def test_the_page_as_a_test_file(project: pytest.Pytester) -> None:
    """Who copies the blocks of the page into one file gets tests that pass."""
    blocks = re.findall(r"(?ms)^```python\n(.*?)^```$", PAGE.read_text("utf-8"))
    source = "\n\n".join(blocks)
    project.makepyfile(test_page=source)
    tests = len(re.findall(r"^ *(?:async )?def test_", source, re.MULTILINE))
    assert tests > 10
    run(project, "-p", "no:cacheprovider").assert_outcomes(passed=tests)
