"""Image references: parse, normalise, print.

    mongo                  docker.io/library/mongo
    bitnami/redis:7.4      docker.io/bitnami/redis:7.4
    localhost:5000/a/b:t   localhost:5000/a/b:t

The grammar, the limits and the normalisation are those of the Go library distribution/reference, which
docker, podman and containerd use (`regexp.go`, `normalize.go`); digests are checked as by
opencontainers/go-digest.
Three differences, each where upstream accepts what no registry can answer or what does not read back:

- a host with an underscore (`my_host.com/app`) is refused; upstream returns a name without a registry;
- a host is at most 255 characters long (DNS allows 253); upstream sets no limit;
- `Reference.familiar` keeps the full form where the short form would mean something else.
"""

import re
from typing import NamedTuple

from hubindex import docker_hub
from hubindex.digests import HEX_LENGTHS
from hubindex.errors import InvalidReference
from hubindex.text import quote

DEFAULT_REGISTRY = docker_hub.NAME
DEFAULT_TAG = "latest"

_OFFICIAL = "library/"

_REGISTRY_MAX = 255
_REPOSITORY_MAX = 255
_TAG_MAX = 128
_TEXT_MAX = _REGISTRY_MAX + 1 + _REPOSITORY_MAX + 1 + _TAG_MAX + 1 + len("sha512:") + 128

# Every repetition begins with a character that cannot end the one before it, so nothing is tried twice.
_LABEL = r"[A-Za-z0-9]+(?:-+[A-Za-z0-9]+)*"
_REGISTRY = re.compile(rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[A-Fa-f0-9:]+\])(?::[0-9]+)?")
_COMPONENT = r"[a-z0-9]+(?:(?:__|[._]|-+)[a-z0-9]+)*"
_REPOSITORY = re.compile(rf"{_COMPONENT}(?:/{_COMPONENT})*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_HEX = re.compile(r"[a-f0-9]+")
_IDENTIFIER = re.compile(r"[a-f0-9]{64}")


class Reference(NamedTuple):
    """A normalised image reference. Build one with `parse`; the fields are not checked again.

    `registry` is a host with an optional port (`docker.io` for Docker Hub), `repository` the path in it
    (`library/mongo`), `tag` and `digest` (`sha256:…`) are None when they were not given.
    `str()` is the full form: `docker.io/library/mongo:latest@sha256:…`.
    """

    registry: str
    repository: str
    tag: str | None = None
    digest: str | None = None

    @classmethod
    def parse(cls, text: str) -> "Reference":
        """Read a reference as people type it, as `ParseNormalizedNamed` does upstream.

        A missing tag stays missing (see `with_default_tag`), and a tag beside a digest is kept.
        Text of any size and content is safe. Raises InvalidReference.
        """
        named, at, digest = text[: _TEXT_MAX + 1].partition("@")
        registry, rest = _split_registry(named)
        repository, colon, tag = rest.partition(":")
        wrong = (
            _wrong_text(text)
            or _wrong_registry(registry)
            or _wrong_repository(repository)
            or (_wrong_tag(tag) if colon else None)
            or (_wrong_digest(digest) if at else None)
        )
        if wrong:
            raise InvalidReference(f"{quote(text)} is not an image reference: {wrong}")
        return cls(registry, repository, tag if colon else None, digest if at else None)

    @classmethod
    def parse_repository(cls, text: str) -> "Reference":
        """Read the name of a whole repository; the result has neither tag nor digest.

        Raises InvalidReference, also when a tag or a digest is given.
        """
        reference = cls.parse(text)
        if reference.tag is None and reference.digest is None:
            return reference
        extra = "tag" if reference.digest is None else "digest"
        raise InvalidReference(
            f"{quote(text)} is not a repository: it names a {extra}; "
            f"the repository alone is {quote(reference.familiar_name)}"
        )

    def with_default_tag(self) -> "Reference":
        """The same with the tag `latest`, if it has neither tag nor digest (`TagNameOnly` upstream)."""
        if self.tag is None and self.digest is None:
            return self._replace(tag=DEFAULT_TAG)
        return self

    @property
    def name(self) -> str:
        """Registry and repository: `docker.io/library/mongo`."""
        return f"{self.registry}/{self.repository}"

    @property
    def familiar_name(self) -> str:
        """Registry and repository as docker shows them: `mongo`, `bitnami/redis`, `ghcr.io/a/b`.

        It always reads back as the same repository. Where docker's short form would not
        (`docker.io/ghcr.io/a` is not the host `ghcr.io`), this is the full name.
        """
        if self.registry != DEFAULT_REGISTRY:
            return self.name
        short = short_name(self.repository)
        first, slash, _ = short.partition("/")
        if slash:
            reads_back = not _is_host(first)
        else:
            reads_back = short != self.repository and not (len(short) == 64 and _IDENTIFIER.fullmatch(short))
        return short if reads_back else self.name

    @property
    def familiar(self) -> str:
        """The whole reference as docker shows it: `mongo:latest` (`FamiliarString` upstream)."""
        return self.familiar_name + self._suffix

    @property
    def _suffix(self) -> str:
        tag = "" if self.tag is None else f":{self.tag}"
        digest = "" if self.digest is None else f"@{self.digest}"
        return tag + digest

    def __str__(self) -> str:
        return self.name + self._suffix


def short_name(repository: str) -> str:
    """A Docker Hub repository as it is shown: `library/mongo` becomes `mongo`, others stay as they are.

    As upstream, only one component directly below `library/` is shortened.
    """
    rest = repository.removeprefix(_OFFICIAL)
    return repository if "/" in rest else rest


def is_repository(text: str) -> bool:
    """Whether the text can be the path of a repository in a registry: `mongo`, `library/mongo`, `a/b/c`."""
    return len(text) <= _REPOSITORY_MAX and _REPOSITORY.fullmatch(text) is not None


def is_tag(text: str) -> bool:
    """Whether the text can be a tag."""
    return len(text) <= _TAG_MAX and _TAG.fullmatch(text) is not None


def _split_registry(named: str) -> tuple[str, str]:
    """Registry and remainder, as `splitDockerDomain` upstream; neither is checked."""
    first, slash, rest = named.partition("/")
    if not slash:
        return DEFAULT_REGISTRY, _OFFICIAL + named
    if first == docker_hub.LEGACY_HOST:
        registry, remainder = DEFAULT_REGISTRY, rest
    elif _is_host(first):
        registry, remainder = first, rest
    else:
        registry, remainder = DEFAULT_REGISTRY, named
    if registry == DEFAULT_REGISTRY and "/" not in remainder:
        remainder = _OFFICIAL + remainder
    return registry, remainder


def _is_host(first: str) -> bool:
    """Whether what stands before the first slash is a registry, and no part of the repository."""
    return first == "localhost" or "." in first or ":" in first or first != first.lower()


# Each of these answers what is wrong and what would be right, or None when nothing is wrong.


def _wrong_text(text: str) -> str | None:
    if not text:
        return "it is empty; write a name such as 'mongo' or 'bitnami/redis:latest'"
    if len(text) > _TEXT_MAX:
        return f"it is {len(text)} characters long, more than any reference can have ({_TEXT_MAX})"
    if "://" in text:
        return "it is a URL; leave out everything up to '://', as in 'ghcr.io/owner/name'"
    if _IDENTIFIER.fullmatch(text):
        return "64 hexadecimal digits are an image ID; a digest is written 'NAME@sha256:…'"
    return None


def _wrong_registry(registry: str) -> str | None:
    if len(registry) > _REGISTRY_MAX:
        return f"the registry has {len(registry)} characters, at most {_REGISTRY_MAX} are allowed"
    if not _REGISTRY.fullmatch(registry):
        return (
            f"{quote(registry)} is not a registry host; "
            "write it like 'example.com', 'localhost:5000' or '[::1]:5000'"
        )
    return None


def _wrong_repository(repository: str) -> str | None:
    if repository in {"", _OFFICIAL}:
        return "the repository name is missing; write one such as 'mongo' or 'bitnami/redis'"
    if len(repository) > _REPOSITORY_MAX:
        return f"the repository name has {len(repository)} characters, at most {_REPOSITORY_MAX} are allowed"
    if _REPOSITORY.fullmatch(repository):
        return None
    lower = repository.lower()
    if _REPOSITORY.fullmatch(lower):
        return f"the repository name must be lower case, as in {quote(short_name(lower))}"
    return (
        "the repository name is malformed; its parts between '/' are lower-case letters and digits, "
        "joined by one '.', one or two '_', or any number of '-'"
    )


def _wrong_tag(tag: str) -> str | None:
    if not tag:
        return "the tag after ':' is missing; write one such as ':latest', or leave out the ':'"
    if len(tag) > _TAG_MAX:
        return f"the tag has {len(tag)} characters, at most {_TAG_MAX} are allowed"
    if not _TAG.fullmatch(tag):
        return (
            f"{quote(tag)} is not a tag; a tag is letters, digits, '_', '.' and '-', "
            "and begins with a letter, a digit or '_'"
        )
    return None


def _wrong_digest(digest: str) -> str | None:
    algorithm, colon, encoded = digest.partition(":")
    if not colon:
        return "a digest follows '@', written 'sha256:' and 64 lower-case hexadecimal digits"
    length = HEX_LENGTHS.get(algorithm)
    if length is None:
        return f"{quote(algorithm)} is not a digest algorithm; known are {', '.join(HEX_LENGTHS)}"
    if len(encoded) != length:
        return f"a {algorithm} digest has {length} hexadecimal digits, this one has {len(encoded)}"
    if not _HEX.fullmatch(encoded):
        return f"a {algorithm} digest has {length} hexadecimal digits, lower case (0-9, a-f)"
    return None
