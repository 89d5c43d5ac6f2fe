"""Platforms: parse what people type, print, and compare with what an index holds.

    linux/arm/v7                   linux/arm/v7
    arm64                          linux/arm64
    Linux/x86_64                   linux/amd64
    windows(10.0.17763)/amd64      windows/amd64:10.0.17763

The specifiers and their normalisation are those of the Go library containerd/platforms, which docker uses
(`Parse` and `Normalize` in `platforms.go`, the names in `database.go`). The differences:

- an architecture alone means linux, not the operating system of this machine, and an operating system
  alone is refused: which architecture was meant would be a guess;
- a version may also be written as hubindex prints it, after a colon; operating system features
  (`windows(10.0.17763+win32k)`) are refused, because an index does not hold them;
- what upstream accepts although it cannot be an image's platform is refused: an architecture before the
  slash (`arm/v7`), an empty version, `unknown/unknown`, which is how an attestation is listed, and parts of
  more than 64 characters, which an index does not hold either.
"""

from collections.abc import Iterable
from typing import NamedTuple

from hubindex.errors import WrongUsage
from hubindex.text import quote

_UNKNOWN = "unknown"

_SYSTEMS = {
    "aix", "android", "darwin", "dragonfly", "freebsd", "hurd", "illumos", "ios", "js", "linux", "nacl", "netbsd",
    "openbsd", "plan9", "solaris", "windows", "zos",
}  # fmt: skip
_ARCHITECTURES = {
    "386", "amd64", "amd64p32", "arm", "armbe", "arm64", "arm64be", "ppc64", "ppc64le", "loong64", "mips",
    "mipsle", "mips64", "mips64le", "mips64p32", "mips64p32le", "ppc", "riscv", "riscv64", "s390", "s390x",
    "sparc", "sparc64", "wasm",
}  # fmt: skip
_SYSTEM_ALIASES = {"macos": "darwin"}
_ARCHITECTURE_ALIASES = {"x86_64": "amd64", "x86-64": "amd64", "aarch64": "arm64"}
# Names that say the variant too, whatever stands after them.
_WITH_VARIANT = {"i386": ("386", None), "armhf": ("arm", "v7"), "armel": ("arm", "v6")}
_VARIANTS: dict[tuple[str, str | None], str | None] = {
    ("amd64", "v1"): None,
    ("arm64", "8"): None,
    ("arm64", "v8"): None,
    ("arm64", "v8.0"): None,
    ("arm64", "9"): "v9",
    ("arm64", "9.0"): "v9",
    ("arm64", "v9.0"): "v9",
    ("arm", None): "v7",
    ("arm", "5"): "v5",
    ("arm", "6"): "v6",
    ("arm", "7"): "v7",
    ("arm", "8"): "v8",
}

# What a part of a platform's name is made of in an index (`sources/hub/rows.py`).
_CHARACTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.+-")
_PART_MAX = 64
_TEXT_MAX = 4 * _PART_MAX + len("()//")

_EXAMPLES = "'linux/amd64', 'arm64' or 'linux/arm/v7'"


class Platform(NamedTuple):
    """A normalised platform. Build one with `parse`; the fields are not checked again.

    `os` and `architecture` are Go's names (`linux`, `arm64`), `variant` is that of the processor (`v7`) and
    `version` that of the operating system (`10.0.17763`), as written. The variant of amd64/v1 and arm64/v8
    is None, and arm without one is v7. `str()` is the form that hubindex writes: `windows/amd64:10.0.17763`.
    """

    os: str
    architecture: str
    variant: str | None = None
    version: str | None = None

    @classmethod
    def parse(cls, text: str) -> "Platform":
        """Read a platform as people type it after `--platform`, in upper or lower case.

        Text of any size and content is safe. Raises WrongUsage.
        """
        if len(text) > _TEXT_MAX:
            raise _refused(text, f"it is {len(text)} characters long, at most {_TEXT_MAX} are possible")
        if "*" in text:
            raise _refused(text, "wildcards are not supported")
        parts, version = _split_version(text)
        for part in parts if version is None else [*parts, version]:
            _check_part(text, part)
        if len(parts) == 1:
            return _from_one_part(text, parts[0], version)
        if len(parts) > 3:
            raise _refused(text, f"it has {len(parts)} parts between '/'")
        os, architecture, variant = parts[0], parts[1], parts[2] if len(parts) == 3 else None
        platform = cls(*_normalised(os, architecture, variant), version)
        if platform.os in _ARCHITECTURES or platform.os in _ARCHITECTURE_ALIASES or platform.os in _WITH_VARIANT:
            raise _refused(text, f"{quote(os, 50)} is an architecture; the operating system comes first")
        if platform.os == platform.architecture == _UNKNOWN:
            raise _refused(text, "that is how an attestation is listed, which no platform runs")
        return platform

    def fits(self, name: str) -> bool:
        """Whether the platform `name` of an image, as an index holds it, is the one asked for.

        Both are compared normalised: `linux/arm64` is `linux/arm64/v8`. A version asked for fits every
        version that begins with all its components: 10.0.17763 fits 10.0.17763.6659, and not 10.0.177630;
        without one every version fits. Of Windows the build has to match, which is the first three numbers, and
        not the revision after it, as in containerd (`platforms/platforms_windows.go`). There is no falling back
        to a lesser variant: docker runs `linux/arm/v6` where it finds no `linux/arm/v7`, but a digest that is
        written down must not be of another platform than was asked for. Text of any content is safe.
        """
        path, colon, version = name.partition(":")
        os, _, rest = path.partition("/")
        architecture, slash, variant = rest.partition("/")
        if self[:3] != _normalised(os, architecture, variant if slash else None):
            return False
        if self.version is None:
            return True
        wanted = _build(self.version) if self.os == "windows" else self.version
        return colon != "" and f"{version}.".startswith(f"{wanted}.")

    def choose(self, names: Iterable[str]) -> list[str]:
        """Of the platforms of an image those that fit: the one written so, or else the newest of one build.

        More than one remain where nothing says which is meant.
        """
        fitting = list(dict.fromkeys(name for name in names if self.fits(name)))
        if str(self) in fitting:
            return [str(self)]
        versions = [name.partition(":")[2] for name in fitting]
        if len(fitting) > 1 and all(versions) and len(set(map(_build, versions))) == 1:
            return [max(fitting, key=_revision)]
        return fitting

    def __str__(self) -> str:
        variant = "" if self.variant is None else f"/{self.variant}"
        version = "" if self.version is None else f":{self.version}"
        return f"{self.os}/{self.architecture}{variant}{version}"


def _build(version: str) -> str:
    """`10.0.17763` of `10.0.17763.6659`."""
    return ".".join(version.split(".")[:3])


def _revision(name: str) -> tuple[int, str]:
    """What tells the versions of one build apart; a greater one is newer."""
    revision = ".".join(name.partition(":")[2].split(".")[3:])
    is_number = revision.isascii() and revision.isdigit()
    return int(revision) if is_number else -1, revision


def _split_version(text: str) -> tuple[list[str], str | None]:
    """The parts between the slashes, and the version, if there is one; both unchecked."""
    path, colon, version = text.partition(":")
    first, *others = path.split("/")
    system, bracket, options = first.partition("(")
    if not bracket:
        return [first, *others], version if colon else None
    if colon:
        raise _refused(text, "it has two versions, one in '()' and one after ':'")
    if not options.endswith(")"):
        raise _refused(text, "the '(' of the version is not closed before the '/'")
    if "+" in options:
        raise _refused(text, "the features of an operating system, after '+', are not known here; leave them out")
    return [system, *others], options[:-1]


def _check_part(text: str, part: str) -> None:
    if not part:
        raise _refused(text, "a part of it is empty" if text else "it is empty")
    if len(part) > _PART_MAX:
        raise _refused(text, f"a part of it has {len(part)} characters, at most {_PART_MAX} are possible")
    if not _CHARACTERS.issuperset(part):
        raise _refused(text, "its parts are made of letters, digits, '_', '.', '+' and '-'")


def _from_one_part(text: str, part: str, version: str | None) -> Platform:
    """The platform of an architecture alone."""
    os, architecture, variant = _normalised(part, part, None)
    if os in _SYSTEMS:
        raise _refused(text, f"it is an operating system alone; add the architecture, as in '{os}/amd64'")
    if architecture not in _ARCHITECTURES:
        raise _refused(text, "no operating system and no architecture of that name is known")
    if version is not None:
        raise _refused(text, "a version needs an operating system, as in 'windows/amd64:10.0.17763'")
    return Platform("linux", architecture, variant)


def _normalised(os: str, architecture: str, variant: str | None) -> tuple[str, str, str | None]:
    """The names that Go uses, as `Normalize` upstream."""
    os, architecture, variant = os.lower(), architecture.lower(), variant and variant.lower()
    os = _SYSTEM_ALIASES.get(os, os)
    if architecture in _WITH_VARIANT:
        return os, *_WITH_VARIANT[architecture]
    architecture = _ARCHITECTURE_ALIASES.get(architecture, architecture)
    return os, architecture, _VARIANTS.get((architecture, variant), variant)


def _refused(text: str, why: str) -> WrongUsage:
    return WrongUsage(f"{quote(text, 50)} is not a platform such as {_EXAMPLES}: {why}")
