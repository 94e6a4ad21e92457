"""Every fact that the library builds on and a run on AWS can settle, in the order of the checks."""

from . import boundaries, checks
from .fact import Basis, Fact

_MODEL, _DOCS = Basis.MODEL, Basis.DOCS
_OBSERVED, _ASSUMED = Basis.OBSERVED, Basis.ASSUMED

LIFE = (
    Fact(
        "arn-suffix",
        "The ARN's trailing number is the creation time in epoch milliseconds.",
        _OBSERVED,
        "two independent public logs",
        checks.arn_suffix,
        70,
    ),
    Fact(
        "one-clock",
        "The date header of a reply and CreationTime are of one clock.",
        _ASSUMED,
        "how ensure_stream tells RECOVERED from EXISTING",
        checks.one_clock,
        70,
    ),
    Fact(
        "second-create",
        "A second create of a name answers 400 ResourceInUseException.",
        _MODEL,
        "botocore service model, CreateStream; the status from public logs",
        checks.second_create,
        70,
    ),
    Fact(
        "creating-lasts",
        "A create answers within about half a second, and the stream is ACTIVE soon after.",
        _OBSERVED,
        "public logs",
        checks.creating_lasts,
        70,
    ),
    Fact(
        "describe-soon",
        "DescribeStream shows a new stream within the grace period of 10 s.",
        _ASSUMED,
        "the grace period of wait_until_active and ensure_stream",
        checks.describe_soon,
        70,
    ),
    Fact(
        "list-soon",
        "ListStreams shows a new stream within seconds.",
        _ASSUMED,
        "how ensure_streams verifies",
        checks.list_soon,
        70,
    ),
    Fact(
        "null-members",
        "DescribeStream answers DeviceName and MediaType that are not set with null.",
        _OBSERVED,
        "a public issue thread",
        checks.null_members,
        70,
    ),
    Fact(
        "default-key",
        "With no key given, KmsKeyId is arn:...:alias/aws/kinesisvideo.",
        _OBSERVED,
        "a public issue thread",
        checks.default_key,
        70,
    ),
    Fact(
        "info-lacks-tier-and-tags",
        "CreateStream's reply and StreamInfo do not carry the storage tier or the tags.",
        _MODEL,
        "botocore service model, CreateStream and DescribeStream",
        checks.info_lacks_tier_and_tags,
        70,
    ),
)

_END = (
    Fact(
        "deleting-shown",
        "DescribeStream shows a stream that is being deleted, with status DELETING.",
        _MODEL,
        "botocore service model, Status",
        checks.deleting_shown,
        250,
    ),
    Fact(
        "create-while-deleting",
        "A create during DELETING answers ResourceInUseException.",
        _ASSUMED,
        "how ensure_stream waits for the name",
        checks.create_while_deleting,
        250,
    ),
    Fact(
        "deleting-lasts",
        "A deletion takes tens of seconds; ensure_stream waits for it up to 300 s.",
        _OBSERVED,
        "public logs",
        checks.deleting_lasts,
        250,
    ),
    Fact(
        "name-again",
        "A name can be used again once DescribeStream says ResourceNotFoundException.",
        _OBSERVED,
        "public code",
        checks.name_again,
        250,
    ),
)

_FLOWS = (
    Fact(
        "concurrent-creates",
        "Only one of several concurrent creates of a name succeeds.",
        _DOCS,
        "Kinesis Video Streams API reference, CreateStream",
        checks.concurrent_creates,
    ),
    Fact(
        "wait-until-active",
        "wait_until_active returns a new stream once it is ACTIVE.",
        _ASSUMED,
        "the contract of wait_until_active",
        checks.wait_until_active,
        60,
    ),
    Fact(
        "ensure-stream",
        "ensure_stream creates a stream, then finds it, then tells how it differs.",
        _ASSUMED,
        "the contract of ensure_stream",
        checks.ensure_stream,
        60,
    ),
    Fact(
        "ensure-streams",
        "ensure_streams creates a fleet, and finds it when it runs again.",
        _ASSUMED,
        "the contract of ensure_streams",
        checks.ensure_streams,
        60,
    ),
)

_RULES = (
    Fact(
        "empty-tags",
        "An empty map of tags is refused with ValidationException, which the model does not list.",
        _OBSERVED,
        "a public issue thread",
        checks.empty_tags,
    ),
    Fact(
        "missing-key",
        "CreateStream succeeds with a KMS key that does not exist.",
        _DOCS,
        "Kinesis Video Streams developer guide, data protection",
        checks.missing_key,
    ),
    Fact(
        "storage-offered",
        "DescribeStreamStorageConfiguration is offered in this region.",
        _MODEL,
        "botocore service model, DescribeStreamStorageConfiguration",
        checks.storage_offered,
    ),
)

_ERRORS = (
    Fact(
        "not-found",
        "A stream that does not exist is 404 ResourceNotFoundException, "
        '"The requested stream is not found or not active."',
        _OBSERVED,
        "public issue threads",
        checks.not_found,
    ),
    Fact(
        "denied",
        "A call that is denied is 403 AccessDeniedException, where the model says 401.",
        _OBSERVED,
        "public issue threads",
        checks.denied,
    ),
    Fact(
        "bad-key",
        "An unknown access key is 403 UnrecognizedClientException, with message in lower case.",
        _OBSERVED,
        "a public issue thread",
        checks.bad_key,
    ),
    Fact(
        "bad-secret",
        "A wrong secret is 403 InvalidSignatureException.",
        _ASSUMED,
        "AWS's common errors",
        checks.bad_secret,
    ),
)

_LISTS = (
    Fact(
        "list-prefix",
        "StreamNameCondition BEGINS_WITH filters a list by prefix.",
        _MODEL,
        "botocore service model, ListStreams",
        checks.list_prefix,
        70,
    ),
    Fact(
        "list-default-page",
        "A page of ListStreams has 10 streams by default, not 10,000 as documented.",
        _OBSERVED,
        "a public pull request of cloud-custodian",
        checks.list_default_page,
    ),
    Fact(
        "list-full-page",
        "A page of ListStreams has up to 1,000 streams with MaxResults=10000.",
        _OBSERVED,
        "a public pull request of cloud-custodian",
        checks.list_full_page,
    ),
)

# Last: it leaves no quota to the others.
_THROTTLE = (
    Fact(
        "throttle",
        "Creates beyond 50 a second are 400 ClientLimitExceededException, "
        '"Limit exceeded on number of requests for ... API".',
        _OBSERVED,
        "public issue threads; the quota from AWS's documentation",
        checks.throttle,
    ),
)

FACTS: tuple[Fact, ...] = (
    *LIFE,
    *_END,
    *_FLOWS,
    *_RULES,
    *_ERRORS,
    *boundaries.ACCEPTED,
    *boundaries.REFUSED,
    *_LISTS,
    *_THROTTLE,
)
