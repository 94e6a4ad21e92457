"""Everything that touches boto: build and check a client, make a call."""

import inspect
from typing import Any

from botocore.config import Config

from . import errors
from ._failures import building_error, client_config, to_error, without_user_info
from ._text import shown
from ._wire import Call, Outcome

_SERVICE = "kinesisvideo"
# With botocore's 10 connections, a fleet creates 20 streams a second if replies take 0.5 s.
_ROOMY = Config(max_pool_connections=64)
# The operations that the library calls, without ListStreams, which is optional.
_OPERATIONS = "CreateStream DescribeStream DescribeStreamStorageConfiguration ListTagsForStream"
_NEWEST_PARAMETER = "StreamStorageConfiguration"


def build(
    session: Any, region_name: str | None, endpoint_url: str | None, config: Config | None
) -> Any:
    """Build a boto3 client; errors of botocore become ``ConfigurationError``."""
    import boto3  # noqa: PLC0415  # only needed to build a client

    try:
        # The session that boto3.client would use, but without creating boto3's global session.
        session = session or boto3.DEFAULT_SESSION or boto3.Session()
        client = session.client(
            _SERVICE,
            region_name=region_name,
            endpoint_url=endpoint_url,
            config=_with_connections(session, config),
        )
    except Exception as exc:
        error = building_error(exc)
        if error is None:
            raise
        raise error from exc
    check_client(client)
    return client


def _with_connections(session: Any, config: Config | None) -> Config:
    """Return the user's settings, with more connections unless they set the number."""
    botocore_session = getattr(session, "_session", None)
    read_default = getattr(botocore_session, "get_default_client_config", Config)
    return _ROOMY.merge(read_default() or Config()).merge(config or Config())


def check_client(client: object) -> None:
    """Refuse a client that is not for Kinesis Video Streams, or is too old.

    Raises:
        TypeError: If it is a client for another service, or not a client.
        ConfigurationError: If its service model lacks an operation or a parameter.
    """
    model: Any = getattr(getattr(client, "meta", None), "service_model", None)
    service = getattr(model, "service_name", None)
    is_named = type(service) is str  # false for a fake or a mock
    if is_named and service != _SERVICE:
        raise TypeError(f"client must be a {_SERVICE!r} client, not a {service!r} client")
    if not callable(getattr(client, "create_stream", None)):
        raise TypeError(f"client must be a boto3 {_SERVICE!r} client{_way_out(client)}")
    if not is_named:
        return
    missing = [name for name in _OPERATIONS.split() if name not in model.operation_names]
    if not missing:
        known = model.operation_model("CreateStream").input_shape.members
        missing = [] if _NEWEST_PARAMETER in known else [_NEWEST_PARAMETER]
    if missing:
        names = ", ".join(missing)
        raise errors.ConfigurationError(
            f"this version of botocore does not know {names} (update boto3 and botocore)"
        )


def _way_out(client: object) -> str:
    if isinstance(client, str):
        return ", not a str; pass a region as region_name=, an endpoint as endpoint_url="
    if callable(getattr(client, "client", None)):
        return "; pass a session as session="
    return f", not {shown(client)}"


def check_sources(client: object, **sources: object) -> None:
    """Refuse wrong types, and a client together with the arguments to build one."""
    given = [name for name, value in sources.items() if value is not None]
    if client is not None and given:
        names = ", ".join(given)
        raise TypeError(f"client cannot be combined with {names}: set these on the client itself")
    session = sources["session"]
    if session is not None and not callable(getattr(session, "client", None)):
        raise TypeError(
            "session must be a boto3.Session, such as boto3.Session(profile_name=...) or "
            f"boto3.Session(botocore_session=...), not {shown(session)}"
        )
    for name in ("region_name", "endpoint_url"):
        if not isinstance(sources[name], str | None):
            raise TypeError(f"{name} must be a str, not {shown(sources[name])}")
    config = sources["config"]
    if not isinstance(config, Config | None):
        raise TypeError(f"config must be a botocore.config.Config, not {shown(config)}")


def is_async(client: object) -> bool:
    """Return whether a client is asynchronous, without importing aiobotocore."""
    classes = {f"{cls.__module__}.{cls.__qualname__}" for cls in type(client).__mro__}
    is_coroutine = inspect.iscoroutinefunction(getattr(client, "create_stream", None))
    return is_coroutine or "aiobotocore.client.AioBaseClient" in classes


def connections(client: object) -> int | None:
    """Return the size of a boto client's connection pool; ``None`` if unknown."""
    found = client_config(client, "max_pool_connections")
    return found if isinstance(found, int) and found > 0 else None


def where(client: object) -> str:
    """Return the region and the endpoint of a boto client, for a ``repr``."""
    parts: list[str] = []
    for name in ("region_name", "endpoint_url"):
        text = getattr(getattr(client, "meta", None), name, None)
        if isinstance(text, str):
            parts.append(f"{name}={without_user_info(text)!r}")
    return ", ".join(parts) or f"client={shown(client)}"


def make(client: Any, call: Call) -> Outcome:
    """Make a call; exceptions that come from neither AWS nor botocore are raised."""
    try:
        return Outcome(reply=getattr(client, call.method)(**call.kwargs))
    except Exception as exc:  # noqa: BLE001  # re-raised unless it is botocore's
        return _failed(exc, client, call)


async def make_async(client: Any, call: Call) -> Outcome:
    """Make a call of an asynchronous client, as ``make`` does."""
    try:
        return Outcome(reply=await getattr(client, call.method)(**call.kwargs))
    except Exception as exc:  # noqa: BLE001  # re-raised unless it is botocore's
        return _failed(exc, client, call)


def _failed(exc: Exception, client: object, call: Call) -> Outcome:
    error = to_error(exc, client, call)
    if error is not None:
        return Outcome(error=error)
    if isinstance(exc, StopIteration):  # a future cannot hold it
        raise RuntimeError("the boto client raised StopIteration") from exc  # noqa: TRY004
    raise exc
