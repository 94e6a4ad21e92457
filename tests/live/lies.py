"""One lie for each fact: an imitation that tells it must make that fact read "differs"."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from . import boundaries
from .imitations import ACCOUNT, REGION, Exchange, Lie

_LATE = 15.0


def _answer(operation: str, change: Callable[[Exchange], Exchange]) -> Lie:
    """Change the answers to one operation."""
    return Lie(lambda it: change(it) if it.operation == operation else it)


def _renamed(old: str, new: str, status: int = 400, text: str = "no") -> Lie:
    """Answer with another error where the service answers with this one."""
    return Lie(lambda it: it.refused(new, status, text) if it.code == old else it)


def _info(**members: Any) -> Lie:
    """Show other members in a description; ``...`` leaves one out."""

    def change(it: Exchange) -> Exchange:
        if it.code:
            return it
        info = {**it.body["StreamInfo"], **members}
        return it.but(body={"StreamInfo": {k: v for k, v in info.items() if v is not ...}})

    return _answer("DescribeStream", change)


def _arn(name: str, number: int = 1_800_000_000_000) -> str:
    return f"arn:aws:kinesisvideo:{REGION}:{ACCOUNT}:stream/{name}/{number}"


def _accepted(it: Exchange) -> Exchange:
    return it.but(status=200, code=None, body={"StreamARN": _arn(it.members["StreamName"])})


def _suffix_in_seconds(it: Exchange) -> Exchange:
    if it.code:
        return it
    arn, _, suffix = it.body["StreamARN"].rpartition("/")
    return it.but(body={"StreamARN": f"{arn}/{int(suffix) // 1000}"})


def _found_late(it: Exchange) -> Exchange:
    return it.refused("ResourceNotFoundException", 404) if it.age < _LATE else it


def _no_deleting(it: Exchange) -> Exchange:
    if it.code or it.body["StreamInfo"]["Status"] != "DELETING":
        return it
    return it.but(body={"StreamInfo": {**it.body["StreamInfo"], "Status": "ACTIVE"}})


def _half_a_page(it: Exchange) -> Exchange:
    page = it.body.get("StreamInfoList", [])
    return it.but(body={**it.body, "StreamInfoList": page[: len(page) // 2]})


def _asked(operation: str, **members: Any) -> Lie:
    """Ask the service something else: ``None`` leaves a member out."""
    return Lie(ask=lambda name, asked: {**asked, **members} if name == operation else asked)


def _ask_large_page(operation: str, members: dict[str, Any]) -> dict[str, Any]:
    return {"MaxResults": 100, **members} if operation == "ListStreams" else members


def _refuse_named(part: str) -> Lie:
    return _answer(
        "CreateStream",
        lambda it: (
            it.refused("InvalidArgumentException")
            if part in it.members.get("StreamName", "")
            else it
        ),
    )


_REFUSES_ALL = _answer("CreateStream", lambda it: it.refused("InvalidArgumentException"))
_ACCEPTS_ALL = _answer("CreateStream", _accepted)

LIES: Mapping[str, Lie] = MappingProxyType(
    {
        "arn-suffix": _answer("CreateStream", _suffix_in_seconds),
        "one-clock": Lie(lambda it: it.but(date=it.date - 10)),
        "second-create": _renamed("ResourceInUseException", "InvalidArgumentException"),
        "creating-lasts": Lie(settings={"active_after": (1e6, 1e6)}),
        "describe-soon": _answer("DescribeStream", _found_late),
        "list-soon": Lie(settings={"list_lag": _LATE}),
        "null-members": _info(DeviceName=..., MediaType=...),
        "default-key": _info(KmsKeyId="alias/aws/kinesisvideo"),
        "info-lacks-tier-and-tags": _info(Tags={}),
        "concurrent-creates": _answer("CreateStream", _accepted),
        "wait-until-active": _info(StreamARN=_arn("other", 1_900_000_000_000)),
        "ensure-stream": _info(DataRetentionInHours=2),
        "ensure-streams": _refuse_named("fleet-1"),
        "empty-tags": _renamed("ValidationException", "InvalidArgumentException"),
        "missing-key": _refuse_named("missing-key"),
        "storage-offered": _answer(
            "DescribeStreamStorageConfiguration",
            lambda it: it.refused("UnknownOperationException", 404),
        ),
        "not-found": _renamed("ResourceNotFoundException", "ResourceNotFoundException", 400),
        "denied": _renamed("AccessDeniedException", "NotAuthorizedException", 401),
        "bad-key": _renamed("UnrecognizedClientException", "InvalidClientTokenId", 403),
        "bad-secret": _renamed("InvalidSignatureException", "SignatureDoesNotMatch", 403),
        **{fact.id: _REFUSES_ALL for fact in boundaries.ACCEPTED},
        **{fact.id: _ACCEPTS_ALL for fact in boundaries.REFUSED},
        "list-prefix": _asked("ListStreams", StreamNameCondition=None),
        "list-default-page": Lie(ask=_ask_large_page),
        "list-full-page": _answer("ListStreams", _half_a_page),
        "deleting-shown": _answer("DescribeStream", _no_deleting),
        "create-while-deleting": _renamed("ResourceInUseException", "ResourceNotFoundException"),
        "deleting-lasts": Lie(settings={"delete_after": 1e6}),
        "name-again": _answer(
            "CreateStream",
            lambda it: it.refused("InvalidArgumentException") if it.number > 3 else it,
        ),
        "throttle": _renamed("ClientLimitExceededException", "ThrottlingException"),
    }
)
