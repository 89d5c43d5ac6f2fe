"""References as people paste them."""

import pytest

from hubindex import pasted
from hubindex.errors import InvalidReference

DIGEST = "ab" * 32
HUB = "https://hub.docker.com"

READ = [
    (f"{HUB}/r/bitnami/nginx", "bitnami/nginx"),
    (f"{HUB}/r/bitnami/nginx/", "bitnami/nginx"),
    (f"{HUB}/r/bitnami/nginx/tags", "bitnami/nginx"),
    (f"{HUB}/r/bitnami/nginx/tags?page=2&name=1.2#x", "bitnami/nginx"),
    (f"{HUB}/r/library/nginx", "nginx"),
    (f"{HUB}/_/nginx", "nginx"),
    (f"{HUB}/_/nginx/tags", "nginx"),
    (f"{HUB}/_/nginx?tab=description", "nginx"),
    (f"{HUB}/repository/docker/bitnami/nginx/general", "bitnami/nginx"),
    (f"{HUB}/extensions/acme/tool", "acme/tool"),
    (f"{HUB}/layers/library/nginx/1.27/images/sha256-{DIGEST}", "nginx:1.27"),
    (f"{HUB}/layers/library/nginx/1.27/images/sha256-{DIGEST}?context=explore", "nginx:1.27"),
    (f"{HUB}/layers/nginx/library/nginx/1.27/images/sha256-{DIGEST}", "nginx:1.27"),
    (f"{HUB}/layers/acme/app/v1", "acme/app:v1"),
    (f"{HUB}/v2/repositories/library/nginx/tags/1.27/", "nginx:1.27"),
    (f"{HUB}/v2/namespaces/acme/repositories/app/tags?page=2", "acme/app"),
    ("http://hub.docker.com/r/acme/app", "acme/app"),
    ("HTTPS://Hub.Docker.com/r/acme/app", "acme/app"),
    ("hub.docker.com/r/acme/app", "acme/app"),
    ("  hub.docker.com/_/nginx\n", "nginx"),
    ("docker://nginx", "nginx"),
    ("docker://docker.io/nginx:1", "nginx:1"),
    (f"docker://ghcr.io/a/b@sha256:{DIGEST}", f"ghcr.io/a/b@sha256:{DIGEST}"),
    ("registry-1.docker.io/library/nginx", "nginx"),
    ("registry-1.docker.io/nginx:1", "nginx:1"),
    ("registry.hub.docker.com/library/nginx", "nginx"),
    ("https://registry.hub.docker.com/v2/repositories/acme/app", "acme/app"),
    ("index.docker.io/acme/app", "acme/app"),
    ("https://index.docker.io/acme/app", "acme/app"),
    ("https://ghcr.io/a/b", "ghcr.io/a/b"),
    ("https://quay.io/repository/a/b?tab=tags", "quay.io/a/b"),
    ("http://localhost:5000/a/b:t", "localhost:5000/a/b:t"),
    ("mongo:7", "mongo:7"),
    ("bitnami/redis", "bitnami/redis"),
]


@pytest.mark.parametrize(("text", "familiar"), READ)
def test_what_people_paste_is_read(text: str, familiar: str) -> None:
    """Pages of Docker Hub, its hosts, transports of tools, and what was understood before."""
    reference = pasted.read(text)
    assert reference.familiar == familiar
    if "hub.docker.com/" in text:
        assert pasted.read_repository(text).familiar == reference.familiar_name


@pytest.mark.parametrize(
    "text",
    [
        f"{HUB}/search?q=nginx",
        f"{HUB}/u/bitnami",
        HUB,
        f"{HUB}/r/Acme/App",
        f"{HUB}/r/a%20b/c",
        f"{HUB}/r/{'x' * 5000}",
        f"{HUB}/r/\x1b[31m/x",
        "https://",
        "docker://",
        "ftp://example.com/a",
        "x" * 100_000,
        "",
    ],
)
def test_what_names_no_repository_is_refused(text: str) -> None:
    """In one line of bounded length, whatever it contains."""
    with pytest.raises(InvalidReference) as refused:
        pasted.read(text)
    message = str(refused.value)
    assert "\x1b" not in message
    assert len(message) < 500


def test_a_repository_has_no_tag_but_the_address_of_a_tag_will_do() -> None:
    """A tag that is typed is a slip; one in an address came with it."""
    with pytest.raises(InvalidReference, match="'mongo:7' is not a repository"):
        pasted.read_repository("mongo:7")
    with pytest.raises(InvalidReference, match="'nginx:1' is not a repository"):
        pasted.read_repository("docker://registry-1.docker.io/nginx:1")
    assert pasted.read_repository(f"{HUB}/layers/library/nginx/1.27/images/sha256-{DIGEST}").familiar == "nginx"


def test_the_digest_of_an_address() -> None:
    """That of the image whose layers it shows."""
    assert pasted.read_digest(f"{HUB}/layers/library/nginx/1/images/sha256-{DIGEST}?x=y") == f"sha256:{DIGEST}"
    assert pasted.read_digest(f"nginx@sha256:{DIGEST}") == f"nginx@sha256:{DIGEST}"
    assert pasted.read_digest("1f2e3d4c") == "1f2e3d4c"


@pytest.mark.parametrize(
    ("text", "is_reference"),
    [
        ("nginx", False), ("library/nginx", False), ("bitnami/nginx", False), ("a b", False), ("*", False),
        ("", False), ("node.js", False), ("a:b:c", False), ("nginx:latest", True),
        ("docker.io/nginx", True), ("localhost:5000/a", True),
        (f"{HUB}/_/nginx", True), ("docker://nginx", True), (f"nginx@sha256:{DIGEST}", True),
    ],
)  # fmt: skip
def test_a_term_that_is_a_reference(text: str, *, is_reference: bool) -> None:
    """It has a registry, a tag or a digest, or is an address."""
    assert pasted.is_reference(text) == is_reference
