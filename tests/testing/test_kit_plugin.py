"""The pytest plugin, run as its users run it; and the kit in unittest and in a plain script."""

import re
import subprocess
import sys

import pytest

# pytester forgets what a run imported: what is here before stays, and need not load again.
import kvs_streams.testing._moto

assert kvs_streams.testing._moto

pytest_plugins = ["pytester"]

BOTH_MODES = pytest.mark.parametrize("server", [False, True], ids=["in-process", "server"])


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


@BOTH_MODES
def test_fixtures(project: pytest.Pytester, *, server: bool) -> None:
    """The fixtures give the kit and its three clients, all with the same streams."""
    project.makepyfile(
        f"""
        import asyncio, os, pytest, cameras
        from kvs_streams import AsyncStreamsClient, StreamsClient, ClientLimitExceededException

        pytestmark = pytest.mark.kvs_options(server={server})

        def test_code_under_test(kvs_mock):
            kvs_mock.fail_next("ClientLimitExceededException", times=2)
            kvs_mock.hold_creating(3)
            assert cameras.add("cam") == "CREATED"
            assert kvs_mock.count("describe_stream") == 4

        def test_clients(kvs_mock, kvs_client, kvs_async_client, kvs_boto_client):
            assert kvs_mock.streams == {{}}
            assert type(kvs_client) is StreamsClient
            assert type(kvs_async_client) is AsyncStreamsClient
            arn = kvs_boto_client.create_stream(StreamName="cam")["StreamARN"]
            assert kvs_client.describe_stream("cam").stream_arn == arn
            assert asyncio.run(kvs_async_client.describe_stream("cam")).stream_arn == arn
            assert kvs_mock.streams["cam"].stream_arn == arn

        def test_one_fixture_alone(kvs_client):
            assert cameras.add("cam") == "CREATED"

        def test_without():
            assert os.environ.get("AWS_ACCESS_KEY_ID") is None
        """
    )
    project.runpytest_inprocess("-W", "error", "--strict-markers").assert_outcomes(passed=4)


@BOTH_MODES
def test_unused_faults_fail_a_test(project: pytest.Pytester, *, server: bool) -> None:
    """A test that passed fails for an unused fault, once, in words, and without a traceback."""
    project.makepyfile(
        f"""
        import pytest, cameras

        pytestmark = pytest.mark.kvs_options(server={server})

        def test_unused(kvs_mock):
            kvs_mock.fail_next("ClientLimitExceededException", times=2)
            kvs_mock.lose_next_reply(stream_name="other")
            cameras.add("cam")

        @pytest.mark.kvs_options(allow_unused=True)
        def test_allowed(kvs_mock):
            kvs_mock.fail_next("ClientLimitExceededException")

        def test_cleared(kvs_mock):
            kvs_mock.fail_next("ClientLimitExceededException")
            kvs_mock.clear()

        def test_failed_anyway(kvs_mock):
            kvs_mock.fail_next("ClientLimitExceededException")
            assert cameras.add("cam") == "EXISTING"

        def test_asked_for_late(request):
            request.getfixturevalue("kvs_mock").hide_new()

        def test_next_one_is_fresh(kvs_mock):
            assert kvs_mock.unused == ()
            assert kvs_mock.calls == ()
        """
    )
    result = project.runpytest_inprocess("-W", "error")
    result.assert_outcomes(passed=3, failed=3)
    result.stdout.fnmatch_lines(
        [
            "*_ test_unused _*",
            "The test ended, and some of what it scripted had not happened:",
            "  - lose_next_reply() applied to no call of create_stream for 'other'",
            "Requests that were made: create_stream 3, describe_stream 1.",
            "Take out what the test does not need, call clear() *allow_unused=True).",
            "*_ test_failed_anyway _*",
            "E *AssertionError: assert *CREATED* == 'EXISTING'",
            "*_ test_asked_for_late _*",
            "  - hide_new(1) applied to no new stream",
            "Requests that were made: none.",
        ],
        consecutive=False,
    )
    assert str(result.stdout).count("had not happened") == 2


def test_options(project: pytest.Pytester) -> None:
    """The closest marker wins, option by option; what the marker does not know is refused."""
    project.makepyfile(
        """
        import os, pytest

        pytestmark = pytest.mark.kvs_options(region_name="eu-west-1", validate=False)

        def test_all(kvs_mock, kvs_boto_client):
            assert os.environ["AWS_REGION"] == "eu-west-1"
            kvs_boto_client.create_stream(StreamName="no spaces")

        @pytest.mark.kvs_options(region_name="eu-west-2")
        def test_closest(kvs_mock, kvs_boto_client):
            assert os.environ["AWS_REGION"] == "eu-west-2"
            kvs_boto_client.create_stream(StreamName="no spaces")

        @pytest.mark.kvs_options(sever=True)
        def test_misspelt(kvs_mock): ...

        @pytest.mark.kvs_options("eu-west-2")
        def test_positional(kvs_mock): ...
        """
    )
    result = project.runpytest_inprocess()
    result.assert_outcomes(passed=2, errors=2)
    text = "kvs_options takes the keyword arguments server, validate, allow_unused, region_name"
    assert str(result.stdout).count(text) >= 2


def test_help(project: pytest.Pytester) -> None:
    """Fixtures and marker explain themselves, and all names have the prefix."""
    fixtures = str(project.runpytest_inprocess("--fixtures").stdout)
    for name in ("kvs_mock", "kvs_client", "kvs_async_client", "kvs_boto_client"):
        assert re.search(rf"^{name} -- .*\n    \S+", fixtures, re.MULTILINE)
    markers = str(project.runpytest_inprocess("--markers").stdout)
    assert "@pytest.mark.kvs_options(server=False, validate=True, " in markers


def test_missing_moto(project: pytest.Pytester) -> None:
    """Without moto only the tests that need it fail, and say what to install."""
    project.makeconftest("import sys; sys.modules['moto'] = None")
    project.makepyfile(
        """
        def test_without(): ...
        def test_with(kvs_mock): ...
        """
    )
    result = project.runpytest_subprocess()
    result.assert_outcomes(passed=1, errors=1)
    text = 'ImportError: kvs_streams.testing needs moto, which is missing: pip install "kvs_streams'
    result.stdout.fnmatch_lines([f"*{text}*"])


def test_xdist(project: pytest.Pytester) -> None:
    """Workers do not see each other's streams, faults or ports; their failures can be read."""
    project.makepyfile(
        """
        import pytest, cameras

        modes = [pytest.mark.kvs_options(server=False), pytest.mark.kvs_options(server=True)]

        @pytest.mark.parametrize("n", [pytest.param(n, marks=modes[n % 2]) for n in range(8)])
        def test_same_name(kvs_mock, n):
            kvs_mock.fail_next("ClientLimitExceededException", times=n % 3 or 1)
            assert cameras.add("cam") == "CREATED"
            assert list(kvs_mock.streams) == ["cam"]

        def test_unused(kvs_mock):
            kvs_mock.drop_next()
        """
    )
    result = project.runpytest_subprocess("-n", "2", "-W", "error")
    result.assert_outcomes(passed=8, failed=1)
    result.stdout.fnmatch_lines(["*drop_next() applied to no call of create_stream"])


def test_unittest(project: pytest.Pytester) -> None:
    """With unittest the kit is started in ``setUp``, and its end is a cleanup."""
    project.makepyfile(
        test_cameras="""
        import unittest, cameras
        from kvs_streams.testing import mock_kvs

        class CamerasTest(unittest.TestCase):
            def setUp(self):
                self.kvs = mock_kvs().start()
                self.addCleanup(self.kvs.stop)

            def test_throttled(self):
                self.kvs.fail_next("ClientLimitExceededException")
                self.assertEqual(cameras.add("cam"), "CREATED")

            def test_unused(self):
                self.kvs.fail_next("ClientLimitExceededException")
        """
    )
    result = project.run(sys.executable, "-W", "error", "-m", "unittest", "-v")
    assert result.ret == 1
    result.stderr.fnmatch_lines(
        [
            "*test_throttled*ok",
            "*UnusedFaultError: The test ended, and some of what it scripted *",
            "FAILED (failures=1)",
        ]
    )


def test_the_plugin_costs_next_to_nothing() -> None:
    """In a run that does not use it, the plugin brings in three small modules and nothing else."""
    script = (
        "import sys, pytest; before = set(sys.modules); import kvs_streams.testing.plugin;"
        "print(*sorted(set(sys.modules) - before))"
    )
    output = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True
    ).stdout
    assert output.split() == ["kvs_streams", "kvs_streams.testing", "kvs_streams.testing.plugin"]
