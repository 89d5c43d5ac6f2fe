"""Platforms. The expected values follow the tests of the Go library containerd/platforms."""

import subprocess
import sys
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hubindex.errors import WrongUsage
from hubindex.platform import Platform

# text, the platform, as it is printed
PARSED: list[tuple[str, tuple[str, str, str | None, str | None], str]] = [
    ("linux/amd64", ("linux", "amd64", None, None), "linux/amd64"),
    ("linux/arm64", ("linux", "arm64", None, None), "linux/arm64"),
    ("linux/arm64/v8", ("linux", "arm64", None, None), "linux/arm64"),
    ("linux/arm64/8", ("linux", "arm64", None, None), "linux/arm64"),
    ("linux/arm64/v8.0", ("linux", "arm64", None, None), "linux/arm64"),
    ("linux/arm64/v8.1", ("linux", "arm64", "v8.1", None), "linux/arm64/v8.1"),
    ("linux/arm64/9", ("linux", "arm64", "v9", None), "linux/arm64/v9"),
    ("linux/arm64/9.0", ("linux", "arm64", "v9", None), "linux/arm64/v9"),
    ("linux/arm64/v9.0", ("linux", "arm64", "v9", None), "linux/arm64/v9"),
    ("linux/arm", ("linux", "arm", "v7", None), "linux/arm/v7"),
    ("linux/arm/v7", ("linux", "arm", "v7", None), "linux/arm/v7"),
    ("linux/arm/7", ("linux", "arm", "v7", None), "linux/arm/v7"),
    ("linux/arm/v6", ("linux", "arm", "v6", None), "linux/arm/v6"),
    ("linux/arm/6", ("linux", "arm", "v6", None), "linux/arm/v6"),
    ("linux/arm/5", ("linux", "arm", "v5", None), "linux/arm/v5"),
    ("linux/arm/8", ("linux", "arm", "v8", None), "linux/arm/v8"),
    ("linux/armhf", ("linux", "arm", "v7", None), "linux/arm/v7"),
    ("linux/armhf/v6", ("linux", "arm", "v7", None), "linux/arm/v7"),
    ("linux/armel", ("linux", "arm", "v6", None), "linux/arm/v6"),
    ("linux/armel/v7", ("linux", "arm", "v6", None), "linux/arm/v6"),
    ("linux/aarch64", ("linux", "arm64", None, None), "linux/arm64"),
    ("linux/aarch64/v8", ("linux", "arm64", None, None), "linux/arm64"),
    ("linux/amd64/v1", ("linux", "amd64", None, None), "linux/amd64"),
    ("linux/x86_64/v1", ("linux", "amd64", None, None), "linux/amd64"),
    ("linux/amd64/v3", ("linux", "amd64", "v3", None), "linux/amd64/v3"),
    ("linux/amd64/1", ("linux", "amd64", "1", None), "linux/amd64/1"),
    ("linux/i386", ("linux", "386", None, None), "linux/386"),
    ("linux/i386/v1", ("linux", "386", None, None), "linux/386"),
    ("linux/386/softfloat", ("linux", "386", "softfloat", None), "linux/386/softfloat"),
    ("linux/s390x", ("linux", "s390x", None, None), "linux/s390x"),
    ("linux/mips64le/hardfloat", ("linux", "mips64le", "hardfloat", None), "linux/mips64le/hardfloat"),
    # An architecture alone is one of linux.
    ("arm", ("linux", "arm", "v7", None), "linux/arm/v7"),
    ("armel", ("linux", "arm", "v6", None), "linux/arm/v6"),
    ("armhf", ("linux", "arm", "v7", None), "linux/arm/v7"),
    ("Aarch64", ("linux", "arm64", None, None), "linux/arm64"),
    ("arm64", ("linux", "arm64", None, None), "linux/arm64"),
    ("amd64", ("linux", "amd64", None, None), "linux/amd64"),
    ("x86_64", ("linux", "amd64", None, None), "linux/amd64"),
    ("X86-64", ("linux", "amd64", None, None), "linux/amd64"),
    ("i386", ("linux", "386", None, None), "linux/386"),
    ("386", ("linux", "386", None, None), "linux/386"),
    ("s390x", ("linux", "s390x", None, None), "linux/s390x"),
    # Upper case, and names that nobody knows.
    ("Linux/x86_64", ("linux", "amd64", None, None), "linux/amd64"),
    ("LINUX/ARM/V6", ("linux", "arm", "v6", None), "linux/arm/v6"),
    ("macOS/arm64", ("darwin", "arm64", None, None), "darwin/arm64"),
    ("darwin/amd64", ("darwin", "amd64", None, None), "darwin/amd64"),
    ("wasi/wasm", ("wasi", "wasm", None, None), "wasi/wasm"),
    ("beos/6502", ("beos", "6502", None, None), "beos/6502"),
    ("linux/linux", ("linux", "linux", None, None), "linux/linux"),
    ("unknown/amd64", ("unknown", "amd64", None, None), "unknown/amd64"),
    ("linux/unknown", ("linux", "unknown", None, None), "linux/unknown"),
    # Versions, as docker and as hubindex write them.
    ("windows/amd64", ("windows", "amd64", None, None), "windows/amd64"),
    ("windows(10.0.17763)/amd64", ("windows", "amd64", None, "10.0.17763"), "windows/amd64:10.0.17763"),
    ("Windows(10.0.17763)/X86_64/v1", ("windows", "amd64", None, "10.0.17763"), "windows/amd64:10.0.17763"),
    ("windows/amd64:10.0.17763", ("windows", "amd64", None, "10.0.17763"), "windows/amd64:10.0.17763"),
    ("windows/amd64:10.0.17763.1", ("windows", "amd64", None, "10.0.17763.1"), "windows/amd64:10.0.17763.1"),
    ("windows/arm/v7:10.0.17763.1", ("windows", "arm", "v7", "10.0.17763.1"), "windows/arm/v7:10.0.17763.1"),
    ("windows/amd64:10.0+B.42", ("windows", "amd64", None, "10.0+B.42"), "windows/amd64:10.0+B.42"),
    ("o" * 64 + "/" + "a" * 64, ("o" * 64, "a" * 64, None, None), "o" * 64 + "/" + "a" * 64),
]

# What the error says, and the texts that it is said of.
REFUSED = {
    "it is empty": [""],
    "a part of it is empty": [
        "/", "//", "/linux/arm", "linux/arm/", "linux/", "/amd64", "linux//v7", "linux/amd64:", ":", ":10.0",
        "windows()/amd64", "windows()", "()/amd64", "(10.0)/amd64",
    ],
    "its parts are made of letters": [
        " ", "linux /arm", "linux/&arm", " linux/amd64", "linux/amd64 ", "linux/amd64\n", "linux/amd64\x00",
        "linux,amd64", "linux\\amd64", "linux/amd64,linux/arm64", "linux/\u212aarm", "linux/ärm", "línux/arm",
        "windows((10.0))/amd64", "windows(10.0)x)/amd64", "linux/arm(64)", "windows/amd64:10:0", "a%2Fb/amd64",
        "windows(50%25done)/amd64", "\udc80/amd64",
    ],
    "wildcards": ["*", "linux/*", "*/arm64", "linux/arm/v*"],
    "it has 4 parts": ["linux/arm/foo/bar"],
    "it is an operating system alone; add the architecture, as in 'linux/amd64'": ["linux", "Linux", "linux:5"],
    "it is an operating system alone; add the architecture, as in 'darwin/amd64'": ["macOS", "darwin"],
    "it is an operating system alone; add the architecture, as in 'windows/amd64'": [
        "windows", "windows(10.0.17763)", "windows:10.0.17763",
    ],
    "no operating system and no architecture": ["unknown", "mongo", "v7", "amd", "x64", "all", "beos(5)"],
    "a version needs an operating system": ["amd64:10.0.17763", "arm64(10.0)"],
    "features of an operating system": ["windows(10.0.17763+win32k)/amd64", "linux(+gpu)/amd64", "linux(+gpu)"],
    "is not closed": ["windows(10.0/amd64", "windows(10.0)x/amd64", "windows(/amd64", "windows(10.0)+a/amd64"],
    "it has two versions": ["windows(10.0)/amd64:10.0"],
    "'arm' is an architecture; the operating system comes first": ["arm/v7"],
    "'ARM64' is an architecture; the operating system comes first": ["ARM64/v8", "ARM64/linux"],
    "is an architecture; the operating system comes first": ["x86_64/linux", "armhf/linux", "i386/linux/v1"],
    "attestation": ["unknown/unknown", "Unknown/UNKNOWN", "unknown/unknown/v1", "unknown/unknown:1"],
    "a part of it has 65 characters, at most 64": ["linux/" + "a" * 65, "a" * 65, "windows/amd64:" + "1" * 65],
    "261 characters long, at most 260": ["linux/" + "a" * 255],
}  # fmt: skip

# what is asked for, the names of an index that it is
FITTING = [
    ("linux/arm64", ["linux/arm64", "linux/arm64/v8", "linux/aarch64", "linux/aarch64/v8", "Linux/ARM64/V8"]),
    ("linux/arm64/v8", ["linux/arm64", "linux/arm64/v8", "linux/aarch64"]),
    ("linux/arm", ["linux/arm", "linux/arm/v7", "linux/arm/7", "linux/armhf"]),
    ("linux/arm/v7", ["linux/arm", "linux/arm/v7", "linux/armhf"]),
    ("linux/arm/v6", ["linux/arm/v6", "linux/arm/6", "linux/armel"]),
    ("x86_64", ["linux/amd64", "linux/amd64/v1", "linux/x86_64", "linux/amd64:5.4"]),
    ("macos/amd64", ["darwin/amd64", "macos/amd64"]),
    ("windows/amd64", ["windows/amd64", "windows/amd64:10.0.17763.6659", "windows/amd64/v1:10.0"]),
    (
        "windows/amd64:10.0.17763",
        ["windows/amd64:10.0.17763", "windows/amd64:10.0.17763.1", "windows/amd64:10.0.17763.6659"],
    ),
    ("windows(10.0.17763.6659)/amd64", ["windows/amd64:10.0.17763.6659", "windows/amd64:10.0.17763.1"]),
]

# what is asked for, the names of an index that it is not
UNFITTING = [
    ("linux/arm64", ["linux/arm64/v9", "linux/arm64/v8.1", "linux/arm", "linux/amd64", "windows/arm64"]),
    ("linux/arm/v7", ["linux/arm/v6", "linux/arm/v5", "linux/arm/v8", "linux/armel", "linux/arm64"]),
    ("linux/arm/v6", ["linux/arm", "linux/arm/v5", "linux/arm/v7"]),
    ("linux/amd64", ["linux/amd64/v2", "linux/386", "darwin/amd64", "unknown/amd64", "unknown/unknown"]),
    ("linux/amd64/v2", ["linux/amd64", "linux/amd64/v1", "linux/amd64/v3"]),
    (
        "linux/amd64",
        ["", "/", "linux", "amd64", "linux/amd64/", "linux/amd64/v1/x", " linux/amd64", "*/*", ":", "//"],
    ),
    (
        "windows/amd64:10.0.17763",
        [
            "windows/amd64",
            "windows/amd64:",
            "windows/amd64:10.0.177630",
            "windows/amd64:10.0.177630.1",
            "windows/amd64:10.0.1776",
            "windows/amd64:10.0",
            "windows/amd64:110.0.17763",
            "windows/arm64:10.0.17763",
            "linux/amd64:10.0.17763",
        ],
    ),
]


@pytest.mark.parametrize(("text", "parts", "printed"), PARSED)
def test_parse(text: str, parts: tuple[str, str, str | None, str | None], printed: str) -> None:
    """A platform is read as upstream reads and normalises it, and printed as an index holds it."""
    platform = Platform.parse(text)
    assert platform == Platform(*parts)
    assert str(platform) == f"{platform}" == printed
    assert Platform.parse(printed) == platform


@pytest.mark.parametrize(("text", "says"), [(text, says) for says in REFUSED for text in REFUSED[says]])
def test_refuse(text: str, says: str) -> None:
    """What is no platform is refused in one short, printable line that says what is wrong."""
    with pytest.raises(WrongUsage) as caught:
        Platform.parse(text)
    message = str(caught.value)
    assert message.startswith(repr(text)[:50])
    assert says in message
    assert message.isprintable()
    assert len(message) < 300


@pytest.mark.parametrize(("asked", "name"), [(asked, name) for asked, names in FITTING for name in names])
def test_fits(asked: str, name: str) -> None:
    """A name fits if it is the platform asked for, however it is written and in every patch of its version."""
    assert Platform.parse(asked).fits(name)


@pytest.mark.parametrize(("asked", "name"), [(asked, name) for asked, names in UNFITTING for name in names])
def test_does_not_fit(asked: str, name: str) -> None:
    """Another variant does not fit, even one that would run, nor a version that merely begins with its digits."""
    assert not Platform.parse(asked).fits(name)


@pytest.mark.parametrize(
    "unit", ["a", "/", ":", "(", "a/", "windows(", "*", "\x00", "\n", "\U0010ffff", "\udc80", "'"]
)
def test_hostile_text_is_refused_quickly(unit: str) -> None:
    """Megabytes of text cost next to nothing and are not shown; as a name of an index they fit nothing."""
    began = time.process_time()
    for text in (unit * 5_000_000, f"linux/amd64{unit * 5_000_000}", unit * 260, unit * (260 // len(unit))):
        with pytest.raises(WrongUsage) as caught:
            Platform.parse(text)
        assert str(caught.value).isprintable()
        assert len(str(caught.value)) < 300
        assert not Platform("linux", "amd64", None, "10").fits(text)
    assert time.process_time() - began < 2


def test_import_is_cheap() -> None:
    """The module may stand on the command line's fast path."""
    code = "import sys, hubindex.platform; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True)
    assert not {"dataclasses", "inspect", "json", "msgspec", "sqlalchemy", "aiohttp"} & set(run.stdout.split())


# Names as an index holds them, made part by part, with the parts that they are made of.
part = st.text("ABCxyz0189_.+-", min_size=1, max_size=64)
systems = st.sampled_from(["linux", "windows", "darwin", "macos", "freebsd", "Linux", "unknown"])
architectures = (
    st.sampled_from(
        [
            "amd64",
            "arm64",
            "arm",
            "386",
            "x86_64",
            "aarch64",
            "armhf",
            "armel",
            "i386",
            "s390x",
            "riscv64",
            "unknown",
        ]
    )
    | part
)
variants = st.none() | st.sampled_from(["v1", "v5", "v6", "v7", "v8", "7", "8", "v8.0", "V9.0"]) | part
versions = st.none() | st.sampled_from(["10.0.17763", "10.0.17763.6659"]) | part
stored = st.tuples(systems, architectures, variants, versions).filter(
    lambda made: made[:2] != ("unknown", "unknown")
)
near_text = st.lists(
    st.sampled_from(
        ["linux", "windows", "arm", "arm64", "amd64", "v7", "unknown", "/", "/", ":", "(", ")", "+", "*"]
    )
    | st.sampled_from(["10.0", " ", "\n", ".", "-", "macos"]),
    max_size=8,
).map("".join)


def written(os: str, architecture: str, variant: str | None, version: str | None) -> str:
    """The name of a platform in an index."""
    return f"{os}/{architecture}" + (f"/{variant}" if variant else "") + (f":{version}" if version else "")


@given(stored)
def test_a_stored_name_can_be_asked_for(parts: tuple[str, str, str | None, str | None]) -> None:
    """Every name that an index holds is read as it stands, and fits itself."""
    name = written(*parts)
    platform = Platform.parse(name)
    assert platform.fits(name)
    assert platform.fits(str(platform))
    assert Platform.parse(str(platform)) == platform


@given(stored, stored)
def test_fitting_is_equality(
    one: tuple[str, str, str | None, str | None], other: tuple[str, str, str | None, str | None]
) -> None:
    """Without a version asked for, a name fits if and only if both are read as the same platform."""
    asked, name = Platform.parse(written(*one[:3], None)), written(*other)
    assert asked.fits(name) == (asked == Platform.parse(name)._replace(version=None))


@given(st.one_of(st.text(), st.text(st.characters()), near_text, stored.map(lambda parts: written(*parts))))
@example("linux/\u212a")
def test_any_text_parses_or_is_refused(text: str) -> None:
    """Nothing but WrongUsage is ever raised, on one short line; what is read reads back and fits itself."""
    try:
        platform = Platform.parse(text)
    except WrongUsage as error:
        shown = str(error)
    else:
        shown = str(platform)
        assert Platform.parse(shown) == platform
        assert platform.fits(shown)
    assert shown.isprintable()
    assert len(shown) < 300


@given(stored, st.text() | near_text)
def test_any_name_is_safe(parts: tuple[str, str, str | None, str | None], name: str) -> None:
    """No text that stands in an index makes a comparison fail."""
    assert Platform.parse(written(*parts)).fits(name) in {True, False}


@pytest.mark.parametrize(
    ("asked", "chosen"),
    [
        ("windows/amd64:10.0.17763.1", ["windows/amd64:10.0.17763.10001"]),
        ("windows/amd64:10.0.17763.6000", ["windows/amd64:10.0.17763.6000"]),
        ("windows/amd64:10.0.17763", ["windows/amd64:10.0.17763.10001"]),
        ("windows/amd64:10.0.20348", ["windows/amd64:10.0.20348.1"]),
        ("windows/amd64:10.0.99999", []),
        ("linux/amd64", ["linux/amd64"]),
    ],
)
def test_of_several_revisions_of_a_build_the_newest_is_chosen(asked: str, chosen: list[str]) -> None:
    """By number, unless one is written exactly so; what nothing tells apart stays several."""
    names = [
        "linux/amd64", "windows/amd64:10.0.17763.6000", "windows/amd64:10.0.17763.10001",
        "windows/amd64:10.0.20348.1",
    ]  # fmt: skip
    assert Platform.parse(asked).choose(names) == chosen
    assert Platform.parse("windows/amd64").choose(names) == names[1:]
    assert Platform.parse("windows/amd64").choose(names[:3]) == [names[2]]
