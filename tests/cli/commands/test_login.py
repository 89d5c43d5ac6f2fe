"""`hubindex login` and `logout`: docker's own files and helpers, a real registry, and a real server of tokens."""

import base64
import io
import json
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.cli.conftest import Call, Program
from tests.registry_server import PROGRAM, SECRET, USER, Server
from tests.token_server import IDENTITY, TokenServer

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="the program docker-registry is not installed")
WRONG = "wr0ng-s3cret"


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Docker's configuration, which is not there yet."""
    folder = tmp_path / "docker"
    monkeypatch.setenv("DOCKER_CONFIG", str(folder))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    return folder / "config.json"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A registry that wants a password, by Basic."""
    htpasswd = shutil.which("htpasswd")
    if htpasswd is None:
        pytest.skip("the program htpasswd is not installed")
    passwords = tmp_path / "htpasswd"
    subprocess.run([htpasswd, "-cbBC", "5", str(passwords), USER, SECRET], check=True, capture_output=True)
    running = Server(tmp_path, passwords)
    yield running
    running.stop()


@pytest.fixture
def tokens(tmp_path: Path) -> Iterator[TokenServer]:
    """A server of tokens."""
    running = TokenServer(tmp_path, {USER: SECRET})
    yield running
    running.stop()


@pytest.fixture
def token_server(tmp_path: Path, tokens: TokenServer) -> Iterator[Server]:
    """A registry that wants a token of that server."""
    running = Server(tmp_path, more=tokens.token_auth)
    yield running
    running.stop()


def piped(monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))


def pair(user: str = USER, secret: str = SECRET) -> str:
    return base64.b64encode(f"{user}:{secret}".encode()).decode()


def sign_in(call: Call, host: str, monkeypatch: pytest.MonkeyPatch, secret: str = SECRET) -> tuple[int, str, str]:
    """`login` with a password on stdin."""
    piped(monkeypatch, f"{secret}\n".encode())
    return call("login", host, "-u", USER, "--password-stdin", "--tries", "1")


def helper(folder: Path, name: str) -> Path:
    """A credential helper that keeps everything in a folder, and writes down its arguments."""
    kept = folder / "kept"
    kept.mkdir(parents=True)
    program = folder / f"docker-credential-{name}"
    program.write_text(
        f"""#!{sys.executable}
import hashlib, json, pathlib, sys
folder = pathlib.Path({str(kept)!r})
with (folder / "calls").open("a") as calls: calls.write(" ".join(sys.argv[1:]) + "\\n")
said = sys.stdin.read()
host = json.loads(said)["ServerURL"] if sys.argv[1] == "store" else said
file = folder / hashlib.sha256(host.encode()).hexdigest()
if sys.argv[1] == "store": file.write_text(said)
elif sys.argv[1] == "erase": file.unlink(missing_ok=True)
elif file.exists():
    found = json.loads(file.read_text())
    print(json.dumps({{"Username": found["Username"], "Secret": found["Secret"]}}))
else:
    print("credentials not found in native keychain"); sys.exit(1)
"""
    )
    program.chmod(0o755)
    return kept


def test_a_password_is_checked_and_kept_as_docker_does(
    server: Server, config: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a file that only its owner can read; then crawls are signed, and after logout they are not."""
    server.push_image("devenv", "latest")
    db = str(config.parent.parent / "index.db")
    assert call("--db", db, "crawl", "--registry", server.host, "--tries", "1").code == 1
    code, out, err = sign_in(call, server.host, monkeypatch)
    assert (code, out) == (0, "Login Succeeded\n")
    assert "unencrypted" in err
    assert SECRET not in out + err
    assert json.loads(config.read_text()) == {"auths": {server.host: {"auth": pair()}}}
    assert stat.S_IMODE(config.stat().st_mode) == 0o600
    assert stat.S_IMODE(config.parent.stat().st_mode) == 0o700
    assert [path.name for path in config.parent.iterdir()] == ["config.json"]
    assert call("--db", db, "crawl", "--registry", server.host).code == 0
    assert call("--db", db, "verify", f"{server.host}/devenv", "--deep").code == 0

    assert call("logout", server.host) == (0, f"Removing login credentials for {server.host}\n", "")
    assert call("logout", server.host) == (0, f"Not logged in to {server.host}\n", "")
    assert json.loads(config.read_text()) == {"auths": {}}
    assert call("--db", db, "verify", f"{server.host}/devenv", "--tries", "1").code == 1


def test_a_wrong_password_is_refused_and_not_kept(
    server: Server, config: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line; the secret is in no message and no log."""
    for options in ((), ("-v",)):
        piped(monkeypatch, f"{WRONG}\n".encode())
        outcome = call(*options, "login", server.host, "-u", USER, "--password-stdin")
        assert (outcome.code, outcome.out) == (1, "")
        assert "refused the user name and the password" in outcome.err
        assert WRONG not in outcome.err
    assert not config.exists()


def test_a_token_is_fetched_with_the_password(
    token_server: Server, tokens: TokenServer, config: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A token for each repository, once."""
    assert sign_in(call, token_server.host, monkeypatch, WRONG)[0] == 1
    assert not config.exists()
    assert sign_in(call, token_server.host, monkeypatch)[0] == 0
    assert json.loads(config.read_text())["auths"][token_server.host] == {"auth": pair()}
    tokens.asked.clear()
    outcome = call("--db", str(config.parent / "i.db"), "crawl", "--registry", token_server.host)
    assert outcome.code == 0, outcome
    assert tokens.asked == [("GET", "registry:catalog:*", USER)]


def test_an_identity_token_is_kept_instead_of_the_password(
    token_server: Server, tokens: TokenServer, config: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And fetches tokens without it."""
    tokens.gives_identity = True
    assert sign_in(call, token_server.host, monkeypatch)[0] == 0
    entry = json.loads(config.read_text())["auths"][token_server.host]
    assert entry == {"auth": pair(secret=""), "identitytoken": IDENTITY}
    tokens.asked.clear()
    db = str(config.parent / "i.db")
    assert call("--db", db, "crawl", "--registry", token_server.host).code == 0
    assert tokens.asked == [("POST", "registry:catalog:*", USER)]
    config.write_text(json.dumps({"auths": {token_server.host: {"identitytoken": "another"}}}))
    outcome = call("--db", db, "crawl", "--registry", token_server.host, "--tries", "1")
    assert outcome.code == 1
    assert "identity token" in outcome.err
    assert "another" not in outcome.err


def test_other_things_in_the_configuration_stay(
    server: Server, config: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their values, their order, and what a link leads to."""
    before = {
        "psFormat": "table {{.ID}}",
        "auths": {"ghcr.io": {"auth": pair("a", "b")}},
        "proxies": {"default": {"httpProxy": "http://proxy.example"}},
        "detachKeys": "ctrl-é",
    }
    real = config.parent.parent / "real.json"
    real.write_text(json.dumps(before))
    config.parent.mkdir()
    config.symlink_to(real)
    assert sign_in(call, server.host, monkeypatch)[0] == 0
    after = json.loads(config.read_text())
    assert list(after) == list(before)
    assert config.is_symlink()
    assert after["auths"].pop(server.host)
    assert after == before
    assert call("logout", server.host).code == 0
    assert json.loads(config.read_text()) == before


@pytest.mark.parametrize(
    "broken", ["{", "[]", '{"auths": 5}', "x" * (1024 * 1024 + 1), '{"credsStore": "../evil"}']
)
def test_a_broken_configuration_is_left_alone(
    server: Server, config: Path, call: Call, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    """It is refused in one line."""
    config.parent.mkdir()
    config.write_text(broken)
    code, out, err = sign_in(call, server.host, monkeypatch)
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert config.read_text() == broken


@pytest.mark.parametrize("named", ["credsStore", "credHelpers"])
def test_a_helper_keeps_the_password(
    server: Server, config: Path, call: Call, monkeypatch: pytest.MonkeyPatch, named: str
) -> None:
    """It is in no argument, and not in the file, which has an empty entry as docker writes it."""
    kept = helper(config.parent / "bin", "safe")
    monkeypatch.setenv("PATH", f"{config.parent / 'bin'}{os.pathsep}{os.environ['PATH']}")
    before: Mapping[str, object] = {named: "safe" if named == "credsStore" else {server.host: "safe"}}
    config.write_text(json.dumps(before))
    code, out, err = sign_in(call, server.host, monkeypatch)
    assert (code, out, err) == (0, "Login Succeeded\n", "")
    assert json.loads(config.read_text()) == {**before, "auths": {server.host: {}}}
    assert call("--db", str(config.parent / "i.db"), "crawl", "--registry", server.host).code == 0
    assert call("logout", server.host).out == f"Removing login credentials for {server.host}\n"
    assert [path.name for path in kept.iterdir()] == ["calls"]
    assert SECRET not in (kept / "calls").read_text()
    assert call("logout", server.host).out == f"Not logged in to {server.host}\n"


def test_a_helper_that_fails_is_named(
    server: Server, config: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is kept elsewhere then."""
    config.parent.mkdir()
    config.write_text(json.dumps({"credsStore": "nosuch"}))
    code, _, err = sign_in(call, server.host, monkeypatch)
    assert code == 1
    assert "docker-credential-nosuch does not keep the sign-in: there is no such program" in err
    assert json.loads(config.read_text()) == {"credsStore": "nosuch"}


@pytest.mark.parametrize(
    "host", ["docker.io", "index.docker.io", "https://index.docker.io/v1/", "registry-1.docker.io"]
)
def test_docker_hubs_key(
    server: Server, config: Path, call: Call, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    """Is the address that docker has always written, however the host is typed."""
    piped(monkeypatch, SECRET.encode())
    line = ("-u", USER, "--password-stdin", "--registry-url", server.url)
    assert call("login", host, *line).code == 0
    assert list(json.loads(config.read_text())["auths"]) == ["https://index.docker.io/v1/"]
    assert call("logout").out == "Removing login credentials for https://index.docker.io/v1/\n"


@pytest.mark.parametrize(
    ("content", "secret"),
    [(b"s3cret\n", "s3cret"), (b"s3cret\r\n", "s3cret"), (b"s3cret", "s3cret"), (b" s3 cret \n", " s3 cret ")],
)
def test_the_end_of_the_line_is_no_part_of_the_password(
    tmp_path: Path, config: Path, call: Call, monkeypatch: pytest.MonkeyPatch, content: bytes, secret: str
) -> None:
    """Blanks are. A registry that asks for no password takes any."""
    open_server = Server(tmp_path)
    try:
        piped(monkeypatch, content)
        assert call("login", open_server.host, "-u", USER, "--password-stdin").code == 0
    finally:
        open_server.stop()
    assert json.loads(config.read_text())["auths"][open_server.host] == {"auth": pair(secret=secret)}


@pytest.mark.parametrize(
    ("line", "code", "told"),
    [
        (("--password-stdin",), 2, "Must provide --username with --password-stdin"),
        (("-u", USER, "-p", "x", "--password-stdin"), 2, "mutually exclusive"),
        (("-u", USER), 1, "Cannot perform an interactive login from a non TTY device"),
        ((), 1, "Cannot perform an interactive login from a non TTY device"),
        (("-u", "a:b", "-p", "x"), 2, "not a user name"),
        (("-u", USER, "-p", ""), 2, "password is empty"),
    ],
)
def test_wrong_usage(
    config: Path, call: Call, monkeypatch: pytest.MonkeyPatch, line: tuple[str, ...], code: int, told: str
) -> None:
    """As docker says it."""
    piped(monkeypatch, b"")
    outcome = call("login", "127.0.0.1:1", *line)
    assert outcome.code == code
    assert told in outcome.err
    assert not config.exists()


@pytest.mark.parametrize("host", ["", "a b", "mongo", "--x"])
def test_what_is_no_host(config: Path, call: Call, monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    """Is wrong usage."""
    piped(monkeypatch, b"x")
    assert call("login", "-u", USER, "--password-stdin", "--", host).code == 2


def test_a_password_on_the_command_line_is_warned_of(server: Server, config: Path, call: Call) -> None:
    """It works."""
    outcome = call("login", server.host, "-u", USER, "-p", SECRET)
    assert outcome.code == 0
    assert "insecure" in outcome.err
    assert SECRET not in outcome.err


def test_two_processes_at_once_lose_nothing(server: Server, config: Path, program: Program) -> None:
    """Each finds what the others have kept."""
    hosts = [server.host, server.host.replace("127.0.0.1", "localhost")]
    env = {"DOCKER_CONFIG": str(config.parent)}

    def one(host: str) -> int:
        return program("login", host, "-u", USER, "-p", SECRET, env=env).code

    with ThreadPoolExecutor(3) as threads:
        codes = list(threads.map(one, hosts * 2))
    assert codes == [0, 0, 0, 0]
    assert set(json.loads(config.read_text())["auths"]) == set(hosts)


def test_podmans_file_is_read(server: Server, config: Path, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where docker's has nothing; what it has for a namespace is not for the whole registry."""
    auth = config.parent.parent / "auth.json"
    monkeypatch.setenv("REGISTRY_AUTH_FILE", str(auth))
    db = str(config.parent.parent / "i.db")
    auth.write_text(json.dumps({"auths": {f"{server.host}/team": {"auth": pair()}}}))
    assert call("--db", db, "crawl", "--registry", server.host, "--tries", "1").code == 1
    auth.write_text(json.dumps({"auths": {server.host: {"auth": pair()}}}))
    assert call("--db", db, "crawl", "--registry", server.host).code == 0
