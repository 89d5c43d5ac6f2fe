"""docs/importing.md: its jq programs make reports of data in the shapes that they are for."""

import io
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Call
from tests.repo_info import digest

PAGE = Path(__file__).parent.parent.parent / "docs" / "importing.md"
PROGRAMS = dict(re.findall(r"^```jq (\w+)\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL))
A, B = digest("a"), digest("b")
HEX = A.removeprefix("sha256:")
AT = "2026-11-20T10:00:00Z"

DATA: dict[str, object] = {
    "images": [
        {
            "Id": B, "RepoTags": ["redis:7", "ghcr.io/acme/redis:mine"],
            "RepoDigests": [f"redis@{A}", f"ghcr.io/acme/redis@{B}"],
            "Metadata": {"LastTagTime": "2026-11-20T12:00:00.123456789+02:00"},
        },
        {"Id": A, "RepoTags": [], "RepoDigests": [f"node@{A}"], "Metadata": {}},
    ],
    "pods": {"items": [
        {"metadata": {"name": "shop-1", "namespace": "default"}, "status": {"containerStatuses": [
            {"image": "docker.io/library/redis:7", "imageID": f"docker.io/library/redis@{A}",
             "state": {"running": {"startedAt": AT}}},
            {"image": f"redis@{A}", "imageID": f"redis@{A}", "state": {"running": {"startedAt": AT}}},
            {"image": "redis:8", "imageID": "", "state": {"waiting": {}}},
        ]}},
        {"metadata": {"name": "new", "namespace": "default"}, "status": {}},
    ]},
    "pushes": {"events": [
        {"id": "1", "timestamp": AT, "action": "push", "request": {"host": "localhost:5000"},
         "target": {"repository": "devenv", "tag": "latest", "digest": A}},
        {"id": "2", "timestamp": AT, "action": "pull", "request": {}, "target": {"repository": "x", "tag": "y"}},
        {"id": "3", "timestamp": AT, "action": "push", "request": {}, "target": {"repository": "x", "digest": A}},
    ]},
    "harbor": [{"digest": A, "tags": [{"name": "7"}, {"name": "latest"}]}, {"digest": B, "tags": None}],
    "provenance": {"predicate": {
        "buildDefinition": {"resolvedDependencies": [
            {"uri": "pkg:docker/golang@1.22?platform=linux%2Famd64", "digest": {"sha256": HEX}},
            {"uri": "git+https://example.org/x", "digest": {"sha1": "1"}},
        ]},
        "runDetails": {"metadata": {"finishedOn": AT}},
    }},
    "sbom": {
        "metadata": {"timestamp": AT, "component": {"type": "container", "name": "app"}},
        "components": [
            {"purl": f"pkg:oci/redis@sha256%3A{HEX}?arch=amd64&repository_url=docker.io%2Flibrary%2Fredis&tag=7"},
            {"purl": "pkg:deb/debian/libc6@2.36"}, {"name": "no purl"},
        ],
    },
}  # fmt: skip
EXPECTED = {
    "images": [("redis:7", A), ("ghcr.io/acme/redis:mine", B)],
    "pods": [("docker.io/library/redis:7", A)],
    "pushes": [("localhost:5000/devenv:latest", A)],
    "harbor": [("harbor.example/library/redis:7", A), ("harbor.example/library/redis:latest", A)],
    "provenance": [("golang:1.22", A)],
    "sbom": [("docker.io/library/redis:7", A)],
}
ARGUMENTS = {"harbor": ["--arg", "at", AT, "--arg", "name", "harbor.example/library/redis"]}


def test_every_program_has_data() -> None:
    """And none is left out."""
    assert PROGRAMS.keys() == DATA.keys() == EXPECTED.keys()


@pytest.mark.parametrize("name", sorted(DATA))
def test_a_program_makes_reports(
    name: str,
    tmp_path: Path,
    call: Call,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """That are taken in, each of them."""
    jq = shutil.which("jq")
    if jq is None:
        pytest.skip("the program jq is not installed")
    line = [jq, "-c", *ARGUMENTS.get(name, []), PROGRAMS[name]]
    made = subprocess.run(line, input=json.dumps(DATA[name]).encode(), check=True, capture_output=True).stdout
    found = [json.loads(each) for each in made.splitlines()]
    assert [(each["reference"], each["digest"]) for each in found] == EXPECTED[name]
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(made)))
    taken = call("--db", str(tmp_path / "index.db"), "import", "reports", "-", "--witness", name)
    assert taken == (0, f"{len(found)} new, 0 known, 0 refused\n", "")


def test_provenance_before_version_1(tmp_path: Path) -> None:
    """Has other names for the same."""
    jq = shutil.which("jq")
    if jq is None:
        pytest.skip("the program jq is not installed")
    old = {"predicate": {
        "materials": [{"uri": "pkg:docker/golang@1.22", "digest": {"sha256": HEX}}],
        "metadata": {"buildFinishedOn": AT},
    }}  # fmt: skip
    line = [jq, "-c", PROGRAMS["provenance"]]
    made = subprocess.run(line, input=json.dumps(old).encode(), check=True, capture_output=True).stdout
    assert json.loads(made)["reference"] == "golang:1.22"
    assert json.loads(made)["by"] == AT
