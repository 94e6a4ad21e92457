"""AWS, or another endpoint, with the caller's own credentials."""

from typing import Any

import boto3
from botocore.config import Config

from kvs_streams import StreamsClient

from .account import Clock, Key, RealClock

_CONNECTIONS = 40


class Aws:
    """The service in the caller's account and region, found by the ordinary credential chain.

    Args:
        endpoint_url: Another endpoint than AWS's own.
        may_burst: Whether to exceed the quota of creates once.
        denied_profile: A profile of the AWS config file whose user may do nothing.

    Raises:
        ConfigurationError: If there is no region, for example.
        BotoCoreError: If there is no such profile, for example.
    """

    def __init__(
        self,
        *,
        endpoint_url: str | None = None,
        may_burst: bool = False,
        denied_profile: str | None = None,
    ) -> None:
        self.clock: Clock = RealClock()
        self.may_burst = may_burst
        self.endpoint_url = endpoint_url
        self._session = boto3.Session()
        self._denied = denied_profile
        # Says in the library's words what is missing.
        with StreamsClient(session=self._session, endpoint_url=endpoint_url) as client:
            self.region = str(client.boto_client.meta.region_name)
        self.credentials = self._session.get_credentials()

    def boto(self, *, validates: bool = True, key: Key | None = None) -> Any:
        """Make a boto3 client that sends each request once."""
        access_key, secret_key, token = key or (None, None, None)
        return self._session.client(
            "kinesisvideo",
            endpoint_url=self.endpoint_url,
            aws_access_key_id=access_key,
            aws_secret_access_key=secret_key,
            aws_session_token=token,
            config=_config(validates=validates),
        )

    def streams(self, boto: Any) -> StreamsClient:
        """Make a client of this library over a boto3 client."""
        return StreamsClient(boto)

    def own_key(self) -> Key:
        """Return the credentials that the clients use."""
        frozen = self.credentials.get_frozen_credentials()
        return Key(frozen.access_key, frozen.secret_key, frozen.token)

    def denied(self) -> Any | None:
        """Make a boto3 client whose user may do nothing, if a profile for it was given."""
        if self._denied is None:
            return None
        session = boto3.Session(profile_name=self._denied, region_name=self.region)
        return session.client(
            "kinesisvideo", endpoint_url=self.endpoint_url, config=_config(validates=True)
        )


def _config(*, validates: bool) -> Config:
    return Config(
        connect_timeout=5,
        read_timeout=60,
        # A retry would hide what the first attempt came to.
        retries={"total_max_attempts": 1},
        max_pool_connections=_CONNECTIONS,
        parameter_validation=validates,
    )
