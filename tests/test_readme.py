"""What README.md and the pages promise: blocks to paste, links that work, policies to copy."""

import json
import re
from pathlib import Path
from typing import Any

import boto3
import pytest

from kvs_streams.testing import mock_kvs

ROOT = Path(__file__).parent.parent
README = ROOT.joinpath("README.md").read_text(encoding="utf-8")
# One block starts a kit, which runs already where the others are tried.
BLOCKS = [
    block for block in re.findall(r"(?ms)^```python\n(.*?)^```$", README) if "mock_kvs" not in block
]
LINKS = re.findall(r"\]\((.*?)\)", README)
DOCUMENTATION = "https://kvs-streams.readthedocs.io/en/latest/"
POLICIES = re.findall(
    r"(?ms)^```json\n(.*?)^```$",
    ROOT.joinpath("docs", "iam-policies.md").read_text(encoding="utf-8"),
)


@pytest.mark.parametrize("block", BLOCKS)
def test_each_block_runs_alone(block: str) -> None:
    """A reader can paste any block of the README on its own."""
    code = compile(block, "README.md", "exec")
    names: dict[str, Any] = {}
    with mock_kvs() as kit:
        exec(code, names)  # noqa: S102  # the README's own code
        for name in [name for name in names if name.startswith("test_")]:
            names[name](kit)


def test_links_work_wherever_the_readme_is_shown() -> None:
    """No link is relative, and every link into the documentation leads to a page that exists."""
    assert [link for link in LINKS if not link.startswith("https://")] == []
    pages = [link.removeprefix(DOCUMENTATION) for link in LINKS if link.startswith(DOCUMENTATION)]
    assert pages
    missing = [page for page in pages if not (ROOT / "docs" / page).with_suffix(".md").is_file()]
    assert missing == []


@pytest.mark.parametrize("policy", POLICIES)
def test_policies_name_real_operations(policy: str) -> None:
    """Each IAM policy is valid JSON and allows only operations of the service."""
    known = {"kinesisvideo:PutMedia"}  # which boto3 does not have
    for service in "kinesisvideo", "kinesis-video-media", "kinesis-video-archived-media":
        model = boto3.client(service, region_name="eu-central-1").meta.service_model
        known |= {f"kinesisvideo:{operation}" for operation in model.operation_names}
    for statement in json.loads(policy)["Statement"]:
        actions = statement["Action"]
        assert set([actions] if isinstance(actions, str) else actions) <= known
        assert statement["Resource"] == "*" or statement["Resource"].endswith(":stream/*")
