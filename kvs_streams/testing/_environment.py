"""The environment of the tests: environment variables, and moto for the rest of AWS."""

import importlib
import os
import re
import sys
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from typing import Any

from ._clients import PLACEHOLDER

_NO_MOTO = 'kvs_streams.testing needs moto 5.0.8 or newer: pip install "kvs_streams[testing]" ({})'

# The endpoint of child processes without a server: nothing listens, and errors show the URL.
NOWHERE = "http://127.0.0.1:9/mock_kvs(server=True)"

_KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
# Other variables by which botocore finds credentials, and its settings.
_CREDENTIALS = re.compile(
    r"AWS_(SESSION_TOKEN|SECURITY_TOKEN|(ROLE|WEB_IDENTITY|CONTAINER|CREDENTIAL)_\w+)"
)
_SETTINGS = re.compile(
    r"AWS_((DEFAULT_)?PROFILE|RETRY_MODE|MAX_ATTEMPTS|DEFAULTS_MODE|CA_BUNDLE|ENDPOINT_URL\w*"
    r"|IGNORE_CONFIGURED_ENDPOINT_URLS|USE_(FIPS|DUALSTACK)_ENDPOINT|ACCOUNT_ID_ENDPOINT_MODE"
    r"|STS_REGIONAL_ENDPOINTS)"
)
_FILES = ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "BOTO_CONFIG")
_SERVICES = ("", "_ARCHIVED_MEDIA", "_MEDIA", "_SIGNALING", "_WEBRTC_STORAGE")

# Variables that stopped kits had set since the pytest plugin last cleaned up.
_stopped: set[tuple[str, str | None]] = set()


def _values(region_name: str, endpoint_url: str) -> dict[str, str | None]:
    """Return the kit's value of each variable; ``None`` removes it."""
    values: dict[str, str | None] = dict.fromkeys(filter(_SETTINGS.fullmatch, os.environ))
    if not _moto_is_active():
        values |= dict.fromkeys(filter(_CREDENTIALS.fullmatch, os.environ))
        values |= dict.fromkeys(_KEYS, PLACEHOLDER)
    for service in _SERVICES:
        values[f"AWS_ENDPOINT_URL_KINESIS_VIDEO{service}"] = endpoint_url
    for name in _FILES:
        values[name] = os.environ.get(name, os.devnull)
    direct = os.environ.get("no_proxy") or os.environ.get("NO_PROXY")
    if direct != "*":
        direct = ",".join(filter(None, [direct, "127.0.0.1"]))
    values |= {
        "AWS_DEFAULT_REGION": region_name,
        "AWS_REGION": region_name,
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": direct,
        "no_proxy": direct,
    }
    return values


def _set(values: Mapping[str, str | None]) -> None:
    for name, value in values.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


def _keep(names: Iterable[str]) -> dict[str, str | None]:
    return {name: os.environ.get(name) for name in names}


@contextmanager
def environment(region_name: str, endpoint_url: str) -> Generator[None, None, None]:
    """Hide this machine's AWS settings, then restore each one that still has the kit's value."""
    values = _values(region_name, endpoint_url)
    before = _keep(values)
    _set(values)
    try:
        yield
    finally:
        _set({name: before[name] for name in values if os.environ.get(name) == values[name]})
        _stopped.update(values.items())


def clean_up(at_start: Mapping[str, str]) -> None:
    """Remove values of stopped kits that other code has restored.

    Args:
        at_start: the environment before the test. A variable that already had the kit's value then
            is left alone.
    """
    for name, value in _stopped:
        if os.environ.get(name) == value:
            _set({name: at_start.get(name)})
    _stopped.clear()


def require_moto() -> None:
    """Raise ``ImportError`` with instructions if moto is missing or too old."""
    try:
        importlib.import_module("moto").mock_aws  # noqa: B018 - older versions have none
    except (ImportError, AttributeError) as error:
        raise ImportError(_NO_MOTO.format(error), name="moto") from error


def _moto_is_active() -> bool:
    models: Any = sys.modules.get("moto.core.models")
    return models is not None and bool(models.botocore_stubber.enabled)


@contextmanager
def rest_of_aws() -> Generator[None, None, None]:
    """Let moto answer for all other services, unless ``mock_aws`` is already active."""
    elsewhere = os.environ.get("TEST_SERVER_MODE", "").lower() == "true"
    if elsewhere or _moto_is_active():
        yield
        return
    boto3: Any = importlib.import_module("boto3")
    moto: Any = importlib.import_module("moto")
    adapter: Any = importlib.import_module("requests.adapters").HTTPAdapter
    keys, session, send = _keep(_KEYS), boto3.DEFAULT_SESSION, adapter.send
    mock = moto.mock_aws()
    mock.start()
    # moto sets keys of its own.
    _set(keys)
    motos = adapter.send
    if send.__module__ != "requests.adapters":
        # Another mock, such as a RequestsMock, answers requests.
        adapter.send = send
    try:
        yield
    finally:
        keys, send = _keep(_KEYS), adapter.send
        mock.stop()
        _set(keys)
        boto3.DEFAULT_SESSION = session
        if send is not motos:
            adapter.send = send
