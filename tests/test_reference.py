"""Image references. The expected values follow the tests of the Go library distribution/reference."""

import re
import subprocess
import sys
import time

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from hubindex.errors import InvalidReference
from hubindex.reference import Reference, short_name

HEX = "be178c0543eb17f5f3043021c9e5fcf30285e557a4fc309cce97ff9ca6182912"
SHA256 = f"sha256:{HEX}"
SHA384 = f"sha384:{HEX}{HEX[:32]}"
SHA512 = f"sha512:{HEX}{HEX}"

# text, registry, repository, tag, digest
PARSED: list[tuple[str, str, str, str | None, str | None]] = [
    ("mongo", "docker.io", "library/mongo", None, None),
    ("mongo:7", "docker.io", "library/mongo", "7", None),
    ("lowercase:Uppercase", "docker.io", "library/lowercase", "Uppercase", None),
    ("library/mongo", "docker.io", "library/mongo", None, None),
    ("docker.io/mongo", "docker.io", "library/mongo", None, None),
    ("docker.io/library/mongo:latest", "docker.io", "library/mongo", "latest", None),
    ("index.docker.io/mongo", "docker.io", "library/mongo", None, None),
    ("index.docker.io/bitnami/redis:7", "docker.io", "bitnami/redis", "7", None),
    ("docker.io/library/foo/bar", "docker.io", "library/foo/bar", None, None),
    ("store/foo/bar", "docker.io", "store/foo/bar", None, None),
    ("test_com/foo", "docker.io", "test_com/foo", None, None),
    ("dock__er/docker---rules", "docker.io", "dock__er/docker---rules", None, None),
    ("d/t", "docker.io", "d/t", None, None),
    (f"mongo@{SHA256}", "docker.io", "library/mongo", None, SHA256),
    (f"mongo:7@{SHA256}", "docker.io", "library/mongo", "7", SHA256),
    (f"mongo@{SHA384}", "docker.io", "library/mongo", None, SHA384),
    # Without a slash a host is a repository and its port a tag.
    ("test.com:5000", "docker.io", "library/test.com", "5000", None),
    ("foo_bar.com:8080", "docker.io", "library/foo_bar.com", "8080", None),
    ("192.168.1.1", "docker.io", "library/192.168.1.1", None, None),
    (f"localhost:8080@{SHA256}", "docker.io", "library/localhost", "8080", SHA256),
    (f"sha256:{HEX}", "docker.io", "library/sha256", HEX, None),
    ("localhost/mongo", "localhost", "mongo", None, None),
    (f"localhost:5000/a/b:t@{SHA256}", "localhost:5000", "a/b", "t", SHA256),
    ("test:5000/repo", "test:5000", "repo", None, None),
    ("sub-dom1.foo.com/bar/baz/quux:long-tag", "sub-dom1.foo.com", "bar/baz/quux", "long-tag", None),
    ("192.168.1.1:5000/repo:5050", "192.168.1.1:5000", "repo", "5050", None),
    ("b.gcr.io/example.com/my-app:example.com", "b.gcr.io", "example.com/my-app", "example.com", None),
    (f"xn--7o8h.com/myimage:xn--7o8h.com@{SHA512}", "xn--7o8h.com", "myimage", "xn--7o8h.com", SHA512),
    ("registry.io/foo/id.module--ver---sion", "registry.io", "foo/id.module--ver---sion", None, None),
    ("[::1]:5000/repo", "[::1]:5000", "repo", None, None),
    ("[2001:db8::1]/repo", "[2001:db8::1]", "repo", None, None),
    (f"[2001:db8:1:2:3:4:5:6]:5/a/b:t@{SHA256}", "[2001:db8:1:2:3:4:5:6]:5", "a/b", "t", SHA256),
    # Upper case cannot be a repository, so it is a host.
    ("Foo/bar", "Foo", "bar", None, None),
    ("Asdf.com/foo/bar", "Asdf.com", "foo/bar", None, None),
    # With a registry before it, an identifier is a repository.
    (f"docker.io/{HEX}", "docker.io", f"library/{HEX}", None, None),
    (HEX[:62], "docker.io", f"library/{HEX[:62]}", None, None),
    ("a/" * 127 + "a:tag", "docker.io", "a/" * 127 + "a", "tag", None),
    ("x.y/" + "a" * 255 + ":" + "t" * 128, "x.y", "a" * 255, "t" * 128, None),
    ("mongo:_-.", "docker.io", "library/mongo", "_-.", None),
]  # fmt: skip

# What the error says, and the texts that it is said of.
REFUSED: dict[str, list[str]] = {
    "it is empty": [""],
    "name is missing": [":justtag", f"@{SHA256}", "docker.io/", "localhost:5000/", "library/"],
    "tag after ':' is missing": ["mongo:"],
    "lower case, as in 'mongo'": ["Mongo", "MONGO:tag", "docker.io/Mongo", "test:5000/mOngo"],
    "as in 'docker/docker'": ["docker/Docker", "test:5000/Docker/docker:tag"],
    "leave out everything up to '://'": ["https://github.com/docker/docker", "docker://mongo"],
    "written 'NAME@sha256:": [HEX],
    "257 characters, at most 255": ["a/" * 128 + "a:tag"],
    "256 characters, at most 255": ["a" * 248, "x." * 127 + "xx/mongo"],
    "129 characters, at most 128": ["mongo:" + "t" * 129],
    "'b:c' is not a tag": ["a:b:c"],
    "and begins with a letter": ["mongo:-foo", "mongo:.foo", "mongo:invalid~tag", "mongo:tág", "mongo:7\n"],
    "a digest follows '@'": ["mongo@", "repo@bad"],
    "known are sha256, sha384, sha512": [f"repo@invaliddigest:{HEX}", f"repo@SHA256:{HEX}", f"repo@:{HEX}"],
    "64 hexadecimal digits, this one has 34": [f"repo@sha256:{HEX[:34]}"],
    "64 hexadecimal digits, this one has": [f"repo@{SHA256}\n", f"repo@{SHA256}@{SHA256}", "repo@sha256:"],
    "lower case (0-9, a-f)": [f"repo@sha256:{HEX.upper()}", f"repo@sha256:{HEX[:63]}g"],
    "is not a registry host": [
        "foo.com:http/bar", "bad_hostname.com:8080/app", "foo_bar.com/app", "-docker.io/docker/docker",
        "ab-.com/a", "ab.-com/a", "dock..er/a", "fc00::1:5000/debian", "[fe80::1%eth0]:5000/repo",
        "[2001:db8:3:4::192.0.2.33]:5000/debian", "[fd00::3]75050/a", "[fd00::3]::75050/a", "ghcr.io\n/a/b",
    ],
    "name is malformed; its parts": [
        "[2001:db8::1]", "[2001:db8::1]:5000", "[fe80::1%@invalidzone]:5000/repo", "-docker", "-docker/a",
        "docker-/docker", "docker///docker", "docker/", "a/a/", "/a", "____/____", "_docker/_docker", "a..b",
        "dock_.er:1", "dock-.er", "a___b", "foo.com/a-/a/a", "foo/bar-", "example.com/.dots/a", "a$$^/a",
        " mongo", "mongo latest", "mongo\n", "mongo\x00", "🐳", "münchen/app", "docker/ÉÉ", "mongo\udcff",
        "\u0665", "mong\u202eo",
    ],
}  # fmt: skip

# text, familiar form
FAMILIAR = [
    ("docker.io/library/mongo:latest", "mongo:latest"),
    ("index.docker.io/library/ubuntu-12.04-base", "ubuntu-12.04-base"),
    (f"docker.io/library/mongo:7@{SHA256}", f"mongo:7@{SHA256}"),
    ("docker.io/bitnami/redis", "bitnami/redis"),
    ("docker.io/library/foo/bar", "library/foo/bar"),
    ("127.0.0.1:8000/private/moonbase", "127.0.0.1:8000/private/moonbase"),
    ("example.com/library/app:1", "example.com/library/app:1"),
    ("FOO/bar", "FOO/bar"),
    # The short form would be read as another repository, or not at all.
    ("docker.io/localhost/app:1", "docker.io/localhost/app:1"),
    ("docker.io/ghcr.io/app", "docker.io/ghcr.io/app"),
    ("docker.io/docker.io/app", "docker.io/docker.io/app"),
    (f"docker.io/{HEX}", f"docker.io/library/{HEX}"),
]


@pytest.mark.parametrize(("text", "registry", "repository", "tag", "digest"), PARSED)
def test_parse(text: str, registry: str, repository: str, tag: str | None, digest: str | None) -> None:
    """A valid reference is taken apart and normalised as upstream does."""
    assert Reference.parse(text) == Reference(registry, repository, tag, digest)


@pytest.mark.parametrize(("text", "says"), [(text, says) for says in REFUSED for text in REFUSED[says]])
def test_refuse(text: str, says: str) -> None:
    """What upstream refuses is refused in one short, printable line that says what is wrong."""
    with pytest.raises(InvalidReference) as caught:
        Reference.parse(text)
    message = str(caught.value)
    assert says in message
    assert message.isprintable()
    assert len(message) < 400


@pytest.mark.parametrize(("text", "familiar"), FAMILIAR)
def test_familiar(text: str, familiar: str) -> None:
    """The short form is docker's, as long as it reads back."""
    reference = Reference.parse(text)
    assert reference.familiar == familiar
    assert familiar.startswith(reference.familiar_name)
    assert Reference.parse(familiar) == reference


def test_with_default_tag() -> None:
    """Only a reference with neither tag nor digest gets `latest`."""
    assert str(Reference.parse("busybox").with_default_tag()) == "docker.io/library/busybox:latest"
    for text in ("gcr.io/a/b:1", f"gcr.io/a/b@{SHA256}", f"gcr.io/a/b:1@{SHA256}"):
        assert str(Reference.parse(text).with_default_tag()) == text


def test_no_tag_is_not_latest() -> None:
    """Parsing adds no tag, and printing shows none."""
    reference = Reference.parse("mongo")
    assert reference != Reference.parse("mongo:latest")
    assert str(reference) == f"{reference}" == reference.name == "docker.io/library/mongo"


def test_parse_repository() -> None:
    """A repository is read like any reference without tag and digest."""
    assert Reference.parse_repository("mongo") == Reference("docker.io", "library/mongo")
    assert Reference.parse_repository("[::1]:5000/a/b") == Reference("[::1]:5000", "a/b")


@pytest.mark.parametrize(
    ("text", "alone"),
    [("mongo:7", "tag; the repository alone is 'mongo'"), (f"a/b@{SHA256}", "digest; .* 'a/b'")],
)
def test_parse_repository_refuses(text: str, alone: str) -> None:
    """A tag or a digest is refused where a whole repository is asked for."""
    with pytest.raises(InvalidReference, match=alone):
        Reference.parse_repository(text)


def test_short_name() -> None:
    """Official images are shown without `library/`, all others as they are."""
    assert short_name("library/mongo") == "mongo"
    for name in ("bitnami/redis", "library/foo/bar", "other/library", "mongo"):
        assert short_name(name) == name


HOSTILE = [*"aAf/:@-_[\x00🐳\n\udc80", "a-", "a.", "a/", "a__", "[:"]


@pytest.mark.parametrize("unit", HOSTILE)
def test_hostile_text_is_refused_quickly(unit: str) -> None:
    """Megabytes of text, and the worst text of allowed length, cost next to nothing."""
    longest, long = unit * (770 // len(unit)), unit * (250 // len(unit))
    began = time.process_time()
    for text in (unit * 10_000_000, f"{longest}!", f"{long}!", f"a.b/{long}!"):
        with pytest.raises(InvalidReference) as caught:
            Reference.parse(text)
        assert len(str(caught.value)) < 400
        assert str(caught.value).isprintable()
    assert time.process_time() - began < 2


def test_import_is_cheap() -> None:
    """The module may stand on the command line's fast path."""
    code = "import sys, hubindex.reference; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True)
    assert not {"dataclasses", "inspect", "msgspec", "sqlalchemy", "aiohttp"} & set(run.stdout.split())


# References made from the grammar, part by part, with the parts they must parse to.
label = st.from_regex(r"[A-Za-z0-9]{1,5}(-{1,2}[A-Za-z0-9]{1,3})?", fullmatch=True)
host = st.one_of(
    st.just("localhost"),
    st.lists(label, min_size=2, max_size=4).map(".".join),
    st.from_regex(r"\[[A-Fa-f0-9]{0,4}:[A-Fa-f0-9:]{1,34}\]", fullmatch=True),
)
port = st.one_of(st.just(""), st.integers(0, 99999).map(lambda number: f":{number}"))
registry = st.one_of(st.just("docker.io"), st.tuples(host, port).map("".join))
component = st.from_regex(r"[a-z0-9]{1,5}((__|[._]|-{1,3})[a-z0-9]{1,5}){0,3}", fullmatch=True)
path = st.lists(component, min_size=2, max_size=5).map("/".join)
tag = st.one_of(st.none(), st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}", fullmatch=True))
hexadecimal = st.sampled_from("0123456789abcdef")
digest = st.one_of(
    st.none(),
    st.text(hexadecimal, min_size=64, max_size=64).map("sha256:".__add__),
    st.text(hexadecimal, min_size=128, max_size=128).map("sha512:".__add__),
)
parts = st.tuples(registry, path, tag, digest).filter(lambda made: made[0] != "index.docker.io")
characters = st.sampled_from("abfAF019._-:/@[]% \n\x00é")
start = st.sampled_from(["", "localhost/", "docker.io/", "index.docker.io/", "x.y:1/", "[::1]/", "library/"])
end = st.sampled_from(["", ":t", f"@{SHA256}", f"@{SHA384}x", ":1@", f":A.b@{SHA512}"])
valid_text = parts.map(lambda made: str(Reference(*made)))
one_off = st.builds(
    lambda text, at, put, cut: text[: at % len(text)] + put + text[at % len(text) + cut :],
    valid_text, st.integers(0, 999), st.text(characters, max_size=2), st.integers(0, 2),
)  # fmt: skip
near_text = st.one_of(st.tuples(start, st.text(characters, max_size=40), end).map("".join), one_off)


@given(parts)
def test_grammar(made: tuple[str, str, str | None, str | None]) -> None:
    """Every reference that the grammar makes parses to its parts."""
    registry, repository, tag, digest = made
    text = f"{registry}/{repository}" + (f":{tag}" if tag else "") + (f"@{digest}" if digest else "")
    reference = Reference.parse(text)
    assert reference == made
    assert str(reference) == text


@given(st.one_of(valid_text, near_text))
@example("docker.io/localhost/app")
@example(f"docker.io/library/{HEX}")
def test_forms_read_back(text: str) -> None:
    """The full and the familiar form name the same image, and normalising twice changes nothing."""
    try:
        reference = Reference.parse(text)
    except InvalidReference:
        assume(False)
    assert Reference.parse(str(reference)) == reference
    assert str(Reference.parse(str(reference))) == str(reference)
    assert Reference.parse(reference.familiar) == reference
    assert Reference.parse_repository(reference.familiar_name) == (*reference[:2], None, None)


@given(st.one_of(st.text(), st.text(st.characters()), near_text))
def test_any_text_parses_or_is_refused(text: str) -> None:
    """Nothing but InvalidReference is ever raised, and its message is safe to print."""
    try:
        shown = str(Reference.parse(text))
    except InvalidReference as error:
        shown = str(error)
    assert shown.isprintable()


# The grammar as one expression, to compare with: registry, repository, tag, digest.
DOMAIN_LABEL = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?"
DOMAIN = rf"(?:{DOMAIN_LABEL}(?:\.{DOMAIN_LABEL})*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?"
PATH_PART = r"[a-z0-9]+(?:(?:[._]|__|[-]+)[a-z0-9]+)*"
WHOLE = re.compile(
    rf"({DOMAIN})/({PATH_PART}(?:/{PATH_PART})*)(?::([\w][\w.-]{{0,127}}))?"
    r"(?:@(sha256:[a-f0-9]{64}|sha384:[a-f0-9]{96}|sha512:[a-f0-9]{128}))?",
    re.ASCII,
)


def parsed_at_once(text: str) -> tuple[str | None, ...] | None:
    """Upstream's way for a short text: complete the name, then match the whole of it."""
    first, slash, rest = text.partition("/")
    if re.fullmatch("[a-f0-9]{64}", text):
        return None
    is_host = slash and (first == "localhost" or re.search("[.:]", first) or first.lower() != first)
    domain, rest = (first, rest) if is_host else ("docker.io", text)
    domain = "docker.io" if domain == "index.docker.io" else domain
    if domain == "docker.io" and "/" not in rest:
        rest = f"library/{rest}"
    match = WHOLE.fullmatch(f"{domain}/{rest}")
    return match.groups() if match and len(match[2]) <= 255 else None


@given(near_text)
def test_agrees_with_the_whole_grammar(text: str) -> None:
    """Taking a reference apart step by step accepts exactly what the one expression accepts."""
    try:
        reference: tuple[str | None, ...] | None = Reference.parse(text)
    except InvalidReference:
        reference = None
    assert reference == parsed_at_once(text)
