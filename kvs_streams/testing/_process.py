"""What the kit changes in this process while it runs: environment, time and botocore's network."""

import ipaddress
import os
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

from ._changes import Changes
from ._clock import VirtualClock
from ._errors import BlockedRequestError

# Carries the sender's time to the kit's server.
STAMP_HEADER = "x-kvs-streams-testing-time"

# Distinct from any real credentials.
_CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "kvs-streams-testing",
    "AWS_SECRET_ACCESS_KEY": "kvs-streams-testing",
    "AWS_SESSION_TOKEN": "kvs-streams-testing",
}
_PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


def virtual_time(changes: Changes, clock: VirtualClock) -> None:
    """Have every client of ours live by ``clock``."""
    from kvs_streams import _clock

    changes.attribute(_clock, "clock", clock)


# Environment


def _isolated(name: str) -> bool:
    return name.startswith("AWS_") or name == "BOTO_CONFIG" or name.lower() in _PROXIES


@contextmanager
def isolated_environment(
    changes: Changes, region_name: str
) -> Generator[dict[str, str], None, None]:
    """Hide all AWS settings and proxies of this machine behind made-up ones, and give those."""
    before = {name: value for name, value in os.environ.items() if _isolated(name)}
    made_up = {
        **_CREDENTIALS,
        "AWS_DEFAULT_REGION": region_name,
        "AWS_REGION": region_name,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "BOTO_CONFIG": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": "*",
        "no_proxy": "*",
    }
    for name in before.keys() | made_up.keys() | {_ENDPOINT}:
        changes.variable(name, made_up.get(name))
    try:
        yield made_up
    finally:
        # What the test has set is undone as well.
        for name in filter(_isolated, list(os.environ)):
            del os.environ[name]
        os.environ.update(before)


_ENDPOINT = "AWS_ENDPOINT_URL_KINESIS_VIDEO"


def announce(changes: Changes, endpoint_url: str) -> None:
    """Have aiobotocore and child processes find the kit's server."""
    changes.variable(_ENDPOINT, endpoint_url)


# Credentials


def credentials_for_everybody(changes: Changes) -> None:
    """Sign with made-up credentials where a client has none, or has some that need a refresh.

    Such a client was made before the kit: at the import of a module, on a machine without
    credentials, with an expired login, or with a role that is assumed at the first call. A refresh
    could ask for an MFA code, run a program, or leave the client with keys of moto's.
    """
    signers: Any = import_module("botocore.signers")
    providers: Any = import_module("botocore.credentials")
    made_up = providers.Credentials(*_CREDENTIALS.values()).get_frozen_credentials()
    signer = signers.RequestSigner
    sign_with = signer.get_auth_instance

    class Available:
        """Stands in for a client's credentials, and always has some."""

        def __init__(self, credentials: Any) -> None:
            self._credentials = credentials

        def get_frozen_credentials(self) -> Any:
            if isinstance(self._credentials, providers.RefreshableCredentials):
                # get_frozen_credentials would refresh them, even some time before they expire.
                needs_refresh = self._credentials.refresh_needed(refresh_in=0)
                return made_up if needs_refresh else self._credentials._frozen_credentials  # noqa: SLF001
            try:
                return self._credentials.get_frozen_credentials()
            except Exception:  # noqa: BLE001 - there are none, or another provider's failed
                return made_up

    def get_auth_instance(
        self: Any,
        signing_name: str,
        region_name: str,
        signature_version: str | None = None,
        request_credentials: Any = None,
        **kwargs: Any,
    ) -> Any:
        if not changes.undone:
            request_credentials = Available(request_credentials or self._credentials)
        return sign_with(
            self, signing_name, region_name, signature_version, request_credentials, **kwargs
        )

    for name in ("get_auth_instance", "get_auth"):
        changes.attribute(signer, name, get_auth_instance)
    _no_programs_and_no_questions(changes, providers)


def _no_programs_and_no_questions(changes: Changes, providers: Any) -> None:
    """Run no program and ask for no MFA code.

    The signer does not. But clients find credentials when they are made, other code reads them
    directly, and aiobotocore has a signer of its own.
    """
    fetcher = providers.AssumeRoleCredentialFetcher

    def run_no_program(*_: Any) -> Any:
        raise providers.CredentialRetrievalError(
            provider="custom-process", error_msg="mock_kvs runs no credential_process"
        )

    assume_role_arguments = fetcher._assume_role_kwargs  # noqa: SLF001

    def ask_for_no_code(self: Any) -> Any:
        if changes.undone or "SerialNumber" not in self._assume_kwargs:
            return assume_role_arguments(self)
        raise providers.CredentialRetrievalError(
            provider="assume-role", error_msg="mock_kvs asks for no MFA code"
        )

    process_providers = [providers.ProcessProvider]
    aio: Any = sys.modules.get("aiobotocore.credentials")
    if aio is not None:
        process_providers.append(aio.AioProcessProvider)
    for provider in process_providers:
        changes.attribute(provider, "_retrieve_credentials_using", run_no_program)
    changes.attribute(fetcher, "_assume_role_kwargs", ask_for_no_code)


# Pauses


def no_pauses(changes: Changes) -> None:
    """Have botocore not wait between two attempts, in any retry mode.

    The virtual clock stands still meanwhile: botocore's pauses are random, and may be made in
    another thread.
    """
    endpoint: Any = import_module("botocore.endpoint")
    bucket: Any = import_module("botocore.retries.bucket")
    # Only that module's name for the standard module: all other code keeps the real one.
    standard_module = SimpleNamespace(**{**vars(time), "sleep": _no_sleep})
    changes.attribute(endpoint, "time", standard_module)
    # The adaptive mode's bucket waits for a condition.
    changes.attribute(bucket.TokenBucket, "acquire", _has_tokens)


def _no_sleep(seconds: float) -> None:
    """Stand in for ``time.sleep``."""


def _has_tokens(*_: Any, **__: Any) -> bool:
    """Stand in for taking tokens from a bucket that is never empty."""
    return True


# Network


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _check_proxy(session: Any, url: str) -> None:
    """Refuse to send through a proxy: even one on this machine may forward elsewhere."""
    proxy = session._proxy_config.proxy_url_for(url)  # noqa: SLF001 - botocore has no public way
    if proxy:
        raise BlockedRequestError(url, proxy=proxy)


def closed_network(changes: Changes, clock: VirtualClock, answer: Callable[[Any], Any]) -> None:
    """Keep botocore from sending anything beyond this machine.

    Args:
        changes: keeps track.
        clock: stamps each request with its sender's time.
        answer: gives the reply to a request that was about to leave, or ``None``.
    """
    http: Any = import_module("botocore.httpsession")
    send = http.URLLib3Session.send

    def guarded(session: Any, request: Any) -> Any:
        if changes.undone:
            return send(session, request)
        if _is_loopback(request.url):
            _check_proxy(session, request.url)
            request.headers[STAMP_HEADER] = clock.stamp()
            return send(session, request)
        reply = answer(request)
        if reply is None:
            raise BlockedRequestError(request.url)
        return reply

    changes.attribute(http.URLLib3Session, "send", guarded)


# aiobotocore


def tamed_aiobotocore(changes: Changes, clock: VirtualClock, *, load: bool) -> None:
    """Keep aiobotocore from sending anything beyond this machine, and from waiting.

    Args:
        changes: keeps track.
        clock: stamps each request with its sender's time.
        load: import it if it is installed, for clients that the test is going to make. Without it
            only a client from before the kit could reach the network, and then it is loaded.
    """
    if load and find_spec("aiobotocore"):
        import_module("aiobotocore.session")
    module: Any = sys.modules.get("aiobotocore.endpoint")
    if module is None:
        return
    endpoint = module.AioEndpoint
    send = endpoint._send  # noqa: SLF001 - every client of aiobotocore sends through this

    async def guarded(self: Any, request: Any) -> Any:
        if changes.undone:
            return await send(self, request)
        if not _is_loopback(request.url):
            raise BlockedRequestError(request.url)
        _check_proxy(self.http_session, request.url)
        request.headers[STAMP_HEADER] = clock.stamp()
        return await send(self, request)

    async def no_sleep(_: Any, seconds: float) -> None:
        """Stand in for the pause between two attempts."""

    changes.attribute(endpoint, "_send", guarded)
    for each in (endpoint, *endpoint.__subclasses__()):
        # Older versions have no such method, and wait.
        changes.attribute(each, "_sleep", no_sleep)
    bucket: Any = sys.modules.get("aiobotocore.retries.bucket")
    if bucket is not None:

        async def has_tokens(*_: Any, **__: Any) -> bool:
            """Stand in for taking tokens from a bucket that is never empty."""
            return True

        changes.attribute(bucket.AsyncTokenBucket, "acquire", has_tokens)
