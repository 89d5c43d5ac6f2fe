"""What an image is made of: the image and the operating system that it is based on, and its language runtime.

Each statement says where it comes from. Sources, in the order in which they are believed:

- annotations and labels `org.opencontainers.image.base.name` and `.digest` (OCI image specification,
  `annotations.md`): the builder's word;
- its layers: the longest beginning of them that is a whole image in the index;
- the first lines of its history, as the makers of base images write them, and the labels of Ubuntu's;
- variables such as `PYTHON_VERSION`, which the official images of languages set.

Lines of histories and variables as of the official images of Docker Hub from 2016 to 2026.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from hubindex.contents import Contents, ImageConfig, chain_ids
from hubindex.digests import digest_bytes, digest_text
from hubindex.errors import InvalidReference, NoAnswer
from hubindex.index.content_rows import chain_number, chain_of, unpacked
from hubindex.index.database.reader import Reader
from hubindex.index.questions.repositories import most_specific_first
from hubindex.index.questions.whatis import Holding, whatis
from hubindex.reference import DEFAULT_REGISTRY, Reference
from hubindex.text import shown

_BASE_NAME = "org.opencontainers.image.base.name"
_BASE_DIGEST = "org.opencontainers.image.base.digest"
_REF_NAME = "org.opencontainers.image.ref.name"
_VERSION = "org.opencontainers.image.version"
_MAX_CANDIDATES = 100
_MAX_NAMES = 3
_LINES = 12

_SYSTEMS = {
    "almalinux", "alpine", "amazonlinux", "archlinux", "busybox", "centos", "clearlinux", "debian", "fedora",
    "mageia", "opensuse/leap", "opensuse/tumbleweed", "oraclelinux", "photon", "rockylinux", "ubuntu", "wolfi",
}  # fmt: skip

_DEBIAN = {
    "wheezy": "7", "jessie": "8", "stretch": "9", "buster": "10", "bullseye": "11", "bookworm": "12",
    "trixie": "13", "forky": "14",
}  # fmt: skip
_UBUNTU = {
    "precise": "12.04", "trusty": "14.04", "xenial": "16.04", "bionic": "18.04", "focal": "20.04",
    "jammy": "22.04", "noble": "24.04", "oracular": "24.10", "plucky": "25.04", "questing": "25.10",
    "resolute": "26.04",
}  # fmt: skip
_CODE_NAMES = {"debian": _DEBIAN, "ubuntu": _UBUNTU}

_RUNTIMES = {
    "PYTHON_VERSION": "Python",
    "JAVA_VERSION": "Java",
    "GOLANG_VERSION": "Go",
    "NODE_VERSION": "Node.js",
    "RUBY_VERSION": "Ruby",
    "PHP_VERSION": "PHP",
    "RUST_VERSION": "Rust",
    "DOTNET_VERSION": ".NET",
    "ASPNET_VERSION": "ASP.NET",
    "OTP_VERSION": "Erlang/OTP",
    "JULIA_VERSION": "Julia",
    "GHC": "GHC",
    "SWIFT_VERSION": "Swift",
    "R_BASE_VERSION": "R",
    "DENO_VERSION": "Deno",
    "BUN_VERSION": "Bun",
    "PYPY_VERSION": "PyPy",
    "GROOVY_VERSION": "Groovy",
    "KOTLIN_VERSION": "Kotlin",
    "SCALA_VERSION": "Scala",
}

_ROOT_ARCHIVES = re.compile(
    r"\bADD (?:\S*/)?(alpine|debian|ubuntu|fedora|rocky|oraclelinux|amazonlinux|al2023|almalinux|photon|wolfi)"
    r"[-_.](?:minirootfs-|oci-|container-base-|base-)*([A-Za-z0-9.]+)\S*?\.tar",
    re.IGNORECASE,
)
_DEBOOTSTRAP = re.compile(r"debootstrap|debuerreotype", re.IGNORECASE)
_BUSYBOX = re.compile(r"\bBusyBox (\d[\w.]*)", re.IGNORECASE)
_FEDORA = re.compile(r"f(\d{2})(?:container)?")
_UBUNTU_VERSION = re.compile(r"\d\d\.(?:04|10)")


class Origin(NamedTuple):
    """One statement: `debian 12`, and where it comes from, in words for a person."""

    value: str
    source: str


class Origins(NamedTuple):
    """What an image is based on. None: unknown.

    `image` is a reference, as people write it, or a digest where no name is known; `also` are other names of it.
    `system` is an operating system with its version, as far as that is known, `runtime` a language with one.
    """

    image: Origin | None = None
    also: tuple[str, ...] = ()
    system: Origin | None = None
    runtime: Origin | None = None


class _Base(NamedTuple):
    """An image of the index that an image is built on, by its layers."""

    contents: Contents
    layers: int
    names: tuple[Reference, ...]


def origins(reader: Reader, contents: Contents) -> Origins:
    """What is known of an image's origins."""
    config = contents.image
    if config is None:
        return Origins()
    said = {**config.labels, **contents.annotations}
    bases = list(_bases(reader, contents, config))
    claimed = _claimed(said)
    image = claimed
    also: tuple[str, ...] = ()
    if image is None and bases:
        image, also = _image_of(bases[0])
    return Origins(image, also, _system(said, claimed, bases, config), runtime(config))


def runtime(config: ImageConfig) -> Origin | None:
    """The language that an image brings, by its environment."""
    variables = dict(_variables(config.env))
    for name, language in _RUNTIMES.items():
        if version := variables.get(name):
            return Origin(f"{language} {shown(version, 60)}", f"environment: {name}")
    return None


def versions(config: ImageConfig) -> list[str]:
    """The variables of the environment that name a version, as `NAME=value`."""
    return [
        f"{name}={value}" for name, value in _variables(config.env)
        if name in _RUNTIMES or name.endswith(("VERSION", "_RELEASE"))
    ]  # fmt: skip


def _variables(env: Sequence[str]) -> Iterator[tuple[str, str]]:
    for variable in env:
        name, _, value = variable.partition("=")
        yield name, value


def _claimed(said: Mapping[str, str]) -> Origin | None:
    """The base image that annotations or labels name."""
    name, digest = said.get(_BASE_NAME, ""), said.get(_BASE_DIGEST, "")
    source = "the builder's annotation or label"
    try:
        reference = Reference.parse(name) if name else None
    except InvalidReference:
        reference = None
    if digest_bytes(digest) is None:
        digest = ""
    if reference is not None:
        told = reference.familiar if reference.digest or not digest else f"{reference.familiar}@{digest}"
        return Origin(told, source)
    return Origin(digest, source) if digest else None


def _bases(reader: Reader, contents: Contents, config: ImageConfig) -> Iterator[_Base]:
    """The whole images of the index that are the lowest layers of an image; those with most layers first."""
    if not config.diff_ids:
        return
    chains = chain_ids(config.diff_ids)
    numbers = sorted(set(map(chain_number, chains)))
    rows = reader.query("contents", "by_chain", chains=numbers, limit=_MAX_CANDIDATES)
    found: dict[int, list[Contents]] = {}
    for digest, document in rows:
        if bytes(digest) == contents.digest:
            continue
        other = unpacked(bytes(document))
        chain = chain_of(other)
        layers = len(other.image.diff_ids) if other.image else 0
        if not 0 < layers <= len(chains) or chain != chains[layers - 1]:
            continue
        if layers == len(chains) and not _is_beginning(other, config):
            continue
        found.setdefault(layers, []).append(other)
    for layers in sorted(found, reverse=True):
        named = [_Base(other, layers, _names(reader, other.digest)) for other in found[layers]]
        yield from sorted(named, key=lambda base: (_rank(base.names), base.contents.digest))


def _is_beginning(other: Contents, config: ImageConfig) -> bool:
    """Whether an image with the same layers has a shorter history: nothing but settings came on top."""
    steps = other.image.history if other.image else ()
    return len(steps) < len(config.history) and config.history[: len(steps)] == steps


def _rank(names: Sequence[Reference]) -> tuple[int, ...]:
    """Images with a name come before those without, official ones first."""
    if not names:
        return (3,)
    first = names[0]
    return (0 if _is_official(first) else 1 if first.registry == DEFAULT_REGISTRY else 2,)


def _is_official(reference: Reference) -> bool:
    return reference.registry == DEFAULT_REGISTRY and reference.repository.startswith("library/")


def _names(reader: Reader, digest: bytes) -> tuple[Reference, ...]:
    """The tags that have or had an image: of the best repository, present ones first, the most specific first."""
    held = _holdings(reader, digest)
    if not held:
        return ()
    best = min(held, key=lambda holding: (_rank([holding.reference]), holding.reference.name))
    own = [holding for holding in held if holding.reference.name == best.reference.name]
    present = {holding.reference.tag or "" for holding in own if holding.until is None}
    names = present or {holding.reference.tag or "" for holding in own}
    return tuple(best.reference._replace(tag=tag) for tag in most_specific_first(names))


def _holdings(reader: Reader, digest: bytes) -> list[Holding]:
    try:
        return whatis(reader, digest_text(digest))
    except NoAnswer:
        return []


def _image_of(base: _Base) -> tuple[Origin, tuple[str, ...]]:
    layers = "layer is" if base.layers == 1 else f"{base.layers} layers are"
    source = f"its lowest {layers} that image, which the index knows"
    if not base.names:
        return Origin(digest_text(base.contents.digest), source), ()
    first, *others = base.names
    return Origin(first.familiar, source), tuple(str(name.tag) for name in others[:_MAX_NAMES])


def _system(
    said: Mapping[str, str], claimed: Origin | None, bases: Iterable[_Base], config: ImageConfig
) -> Origin | None:
    if claimed is not None and (system := _system_of_name(claimed.value)):
        return Origin(system, claimed.source)
    for base in bases:
        for name in base.names:
            if system := _system_of_name(name.familiar):
                return Origin(system, f"based on {name.familiar}")
    return _system_of_history(config) or _system_of_labels(said, config)


def _system_of_name(text: str) -> str | None:
    """`alpine 3.18` of `alpine:3.18`; None if that is no image of an operating system alone."""
    try:
        reference = Reference.parse(text)
    except InvalidReference:
        return None
    name = reference.repository.removeprefix("library/")
    if reference.registry != DEFAULT_REGISTRY:
        name = name.rpartition("/")[2]
    if name not in _SYSTEMS:
        return None
    tag = reference.tag or ""
    word = re.split(r"[-_]", tag)[0]
    version = _CODE_NAMES.get(name, {}).get(word)
    if version is None and re.match(r"\d", word):
        version = word
    return f"{name} {version}" if version else name


def _system_of_history(config: ImageConfig) -> Origin | None:
    for line in config.history[:_LINES]:
        if found := _system_of_line(line):
            return Origin(found, f"history: {shown(line, 80)}")
    return None


def _system_of_line(line: str) -> str | None:
    """The system that a line of a history unpacks, if it names one."""
    if archive := _ROOT_ARCHIVES.search(line):
        name, version = archive[1].lower(), archive[2]
        name = {"rocky": "rockylinux", "al2023": "amazonlinux"}.get(name, name)
        version = _CODE_NAMES.get(name, {}).get(version, version)
        return f"{name} {version}" if re.match(r"\d", version) else name
    if _DEBOOTSTRAP.search(line) or "debian.sh" in line:
        words = re.findall(r"[a-z]+", line)
        for name, releases in _CODE_NAMES.items():
            for word in words:
                if word in releases:
                    return f"{name} {releases[word]}"
        return "debian" if "debian.sh" in line else None
    if busybox := _BUSYBOX.search(line):
        return f"busybox {busybox[1]}"
    return None


def _system_of_labels(said: Mapping[str, str], config: ImageConfig) -> Origin | None:
    version = said.get(_VERSION, "")
    if said.get(_REF_NAME) == "ubuntu" and _UBUNTU_VERSION.fullmatch(version):
        return Origin(f"ubuntu {version}", f"labels {_REF_NAME} and {_VERSION}")
    release = _FEDORA.fullmatch(dict(_variables(config.env)).get("DISTTAG", ""))
    return Origin(f"fedora {release[1]}", "environment: DISTTAG") if release else None
