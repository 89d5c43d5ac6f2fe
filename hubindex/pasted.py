"""References as people paste them: from the address bar, from a tool's command line, with a host of Docker Hub.

    https://hub.docker.com/r/bitnami/nginx/tags               bitnami/nginx
    https://hub.docker.com/_/nginx                            nginx
    https://hub.docker.com/layers/library/nginx/1.27/images/sha256-…    nginx:1.27
    docker://ghcr.io/owner/name:1                             ghcr.io/owner/name:1
    registry-1.docker.io/library/nginx                        nginx

Pages of Docker Hub as of 2026. Whatever else is pasted is read as `Reference.parse` does.
"""

import re
from urllib.parse import unquote, urlsplit

from hubindex import docker_hub
from hubindex.errors import InvalidReference
from hubindex.reference import DEFAULT_REGISTRY, Reference
from hubindex.text import quote

_REGISTRY_HOSTS = {
    docker_hub.NAME, docker_hub.LEGACY_HOST, docker_hub.REGISTRY_HOST, "registry.docker.io",
    "registry.hub.docker.com", "www.docker.io",
}  # fmt: skip
_PAGE_HOSTS = {docker_hub.HUB_HOST, "www.hub.docker.com", "registry.hub.docker.com", "store.docker.com"}
_TRANSPORTS = ("docker://", "oci://")
_URL = re.compile(r"https?://", re.IGNORECASE)
_LONGEST = 2000

_NAME = r"(?P<name>[^/]+/[^/]+)"
_PAGES = [
    re.compile(pattern)
    for pattern in (
        rf"/layers/[^/]+/{_NAME}/(?P<tag>[^/]+)/images/(?P<digest>sha\d+-[0-9a-fA-F]+)(?:/.*)?",
        rf"/layers/{_NAME}/(?P<tag>[^/]+)(?:/images/(?P<digest>sha\d+-[0-9a-fA-F]+))?(?:/.*)?",
        rf"/(?:r|extensions|u/r)/{_NAME}(?:/.*)?",
        rf"/repository/(?:docker/)?{_NAME}(?:/.*)?",
        rf"/v2/repositories/{_NAME}(?:/tags/(?P<tag>[^/]+))?(?:/.*)?",
        r"/v2/namespaces/(?P<namespace>[^/]+)/repositories/(?P<name>[^/]+)(?:/tags/(?P<tag>[^/]+))?(?:/.*)?",
        r"/(?:_|r)/(?P<name>[^/]+)(?:/.*)?",
    )
]


def read(text: str) -> Reference:
    """The reference that a person pasted or typed. Raises `InvalidReference`."""
    return _read(text)[0]


def read_repository(text: str) -> Reference:
    """The repository that a person pasted or typed, without tag and digest. The address of a tag's page will do.

    Raises `InvalidReference`, also where a tag or a digest is written behind a name.
    """
    reference, is_page = _read(text)
    if is_page:
        return Reference(reference.registry, reference.repository)
    return Reference.parse_repository(text.strip() if reference == _parsed(text.strip()) else reference.familiar)


def read_digest(text: str) -> str:
    """The digest in a pasted address of an image's layers (`sha256:…`); any other text as it is."""
    if page := _page(text.strip()):
        digest = page.groupdict().get("digest")
        if digest:
            return digest.replace("-", ":", 1)
    return text


def is_reference(text: str) -> bool:
    """Whether a text is more than words: an address, or a name with a registry, a tag or a digest."""
    text = text.strip()
    if _URL.match(text) or text.startswith(_TRANSPORTS) or _page(text):
        return True
    try:
        reference = read(text)
    except InvalidReference:
        return False
    host = text.partition("/")[0]
    return bool(reference.tag or reference.digest or ("/" in text and ("." in host or ":" in host)))


def is_page(text: str) -> bool:
    """Whether a text is the address of a page of Docker Hub, which is about a repository whatever tag it shows."""
    return _page(text.strip()) is not None


def _parsed(text: str) -> Reference | None:
    try:
        return Reference.parse(text)
    except InvalidReference:
        return None


def _read(text: str) -> tuple[Reference, bool]:
    """The reference, and whether it is the address of a page, which may show a tag."""
    pasted = text.strip()
    if len(pasted) <= _LONGEST:
        if page := _page(pasted):
            return _of_page(page, text), True
        for transport in _TRANSPORTS:
            pasted = pasted.removeprefix(transport)
        if match := _URL.match(pasted):
            parts = urlsplit(pasted)
            if parts.netloc.lower() in _PAGE_HOSTS and parts.netloc.lower() not in _REGISTRY_HOSTS:
                raise InvalidReference(f"{quote(text)} names no repository: it is another page of Docker Hub")
            pasted = re.split(r"[?#]", pasted[match.end() :], maxsplit=1)[0].rstrip("/")
            if pasted.lower().startswith("quay.io/repository/"):
                pasted = "quay.io/" + pasted[len("quay.io/repository/") :]
    reference = Reference.parse(pasted)
    if reference.registry.lower() in _REGISTRY_HOSTS and reference.registry != DEFAULT_REGISTRY:
        suffix = str(reference)[len(reference.name) :]
        return Reference.parse(f"{DEFAULT_REGISTRY}/{reference.repository}{suffix}"), False
    return reference, False


def _page(text: str) -> re.Match[str] | None:
    """The page of Docker Hub about a repository or a tag that an address names, with or without its scheme."""
    if len(text) > _LONGEST:
        return None
    address = _URL.sub("", text, count=1)
    host, slash, path = re.split(r"[?#]", address, maxsplit=1)[0].partition("/")
    if host.lower() not in _PAGE_HOSTS or not slash:
        return None
    path = "/" + unquote(path).rstrip("/")
    return next((match for page in _PAGES if (match := page.fullmatch(path))), None)


def _of_page(page: re.Match[str], text: str) -> Reference:
    found = page.groupdict()
    name = "/".join(filter(None, (found.get("namespace"), found["name"].replace("_/", "library/", 1))))
    tag = found.get("tag")
    try:
        return Reference.parse(f"{DEFAULT_REGISTRY}/{name}" + (f":{tag}" if tag else ""))
    except InvalidReference as error:
        raise InvalidReference(f"{quote(text)} names no repository: {error}") from None
