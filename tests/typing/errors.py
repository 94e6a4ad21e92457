"""What type checkers must say of every error: checked, never run."""

from typing import Any

from typing_extensions import assert_type

from kvs_streams import (
    AccessDeniedError,
    AccountStreamLimitExceededException,
    AuthenticationError,
    ClientLimitExceededException,
    ConfigurationError,
    CreateStreamResponse,
    DeviceStreamLimitExceededException,
    Drift,
    InvalidArgumentException,
    InvalidDeviceException,
    InvalidRequestError,
    KvsStreamsError,
    LimitExceededError,
    RequestValidationError,
    ResourceInUseException,
    ResourceNotFoundException,
    ServerError,
    ServiceError,
    StreamDeletingError,
    StreamDriftError,
    StreamStatus,
    TagsPerResourceExceededLimitException,
    ThrottlingError,
    TransportError,
    UnexpectedResponseError,
    Violation,
    WaitError,
    WaitTimeoutError,
)


def errors() -> None:
    """Give each error its own attributes, inherited ones too."""
    try:
        pass
    except RequestValidationError as error:
        assert_type(error.violations, tuple[Violation, ...])
        for violation in error.violations:
            assert_type(violation.parameter, str)
            assert_type(violation.field, str)
            assert_type(violation.message, str)
            assert_type(violation.value, str)
            rule: str = violation.rule
            del rule
        value_error: ValueError = error
        raise value_error from None
    except ResourceInUseException as error:
        assert_type(error.possibly_own, bool)
        service_error: ServiceError = error
        raise service_error from None
    except ServiceError as error:
        assert_type(error.operation_name, str)
        assert_type(error.code, str)
        assert_type(error.message, str)
        assert_type(error.request_id, str | None)
        assert_type(error.http_status_code, int | None)
        assert_type(error.retry_attempts, int)
        assert_type(error.stream_name, str | None)
        assert_type(error.retryable, bool)
        assert_type(error.created, CreateStreamResponse | None)
        raise
    except TransportError as error:
        assert_type(error.outcome_unknown, bool)
        raise
    except WaitTimeoutError as error:
        assert_type(error.last_status, StreamStatus | None)
        assert_type(error.waited, float)
        timeout_error: TimeoutError = error
        raise timeout_error from None
    except StreamDriftError as error:
        assert_type(error.drift, tuple[Drift, ...])
        raise
    except KvsStreamsError as error:
        assert_type(error.created, CreateStreamResponse | None)
        assert_type(error.stream_name, str | None)
        assert_type(error.operation_name, str | None)
        assert_type(error.request_id, str | None)
        assert_type(error.retryable, bool)
        raise


def tree() -> None:
    """Be what DESIGN's tree says: each error fits wherever its parents are asked for."""
    invalid: list[type[InvalidRequestError]] = [
        InvalidArgumentException,
        InvalidDeviceException,
        TagsPerResourceExceededLimitException,
    ]
    limits: list[type[LimitExceededError]] = [
        AccountStreamLimitExceededException,
        DeviceStreamLimitExceededException,
    ]
    throttles: list[type[ThrottlingError]] = [ClientLimitExceededException]
    service: list[type[ServiceError]] = [
        *invalid,
        ResourceInUseException,
        ResourceNotFoundException,
        *limits,
        *throttles,
        AccessDeniedError,
        AuthenticationError,
        ServerError,
    ]
    waits: list[type[WaitError]] = [WaitTimeoutError, StreamDeletingError]
    everything: list[type[KvsStreamsError]] = [
        RequestValidationError,
        *service,
        TransportError,
        ConfigurationError,
        UnexpectedResponseError,
        *waits,
        StreamDriftError,
    ]
    assert_type(everything.pop(), type[KvsStreamsError])


def reply_of_boto3(error: ServiceError) -> dict[str, Any]:
    """Keep boto3's own reply as boto3 types it: a dict of anything."""
    return error.response
