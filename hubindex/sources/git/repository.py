"""A git repository of somebody else, read without running anything that it brings along.

`git` is called without a shell, with an environment of our own, and with options that win over the repository's
own configuration: no hooks, no fsmonitor, no filters, no external diff, no programs for signatures or passwords,
and no protocol but HTTPS where objects have to be fetched.
"""

import os
import shutil
import subprocess
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import IO, NamedTuple, TypeVar

from hubindex.errors import HubindexError
from hubindex.text import quote, shown

_OPTIONS = (
    "-c", "safe.directory=*", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null",
    "-c", "core.attributesFile=/dev/null", "-c", "log.showSignature=false", "-c", "core.sshCommand=false",
    "-c", "protocol.ext.allow=never", "-c", "core.quotePath=false", "-c", "gc.auto=0",
    "-c", "maintenance.auto=false", "-c", "credential.helper=", "-c", "core.askPass=true",
)  # fmt: skip
_LOG = (
    "log", "--raw", "-z", "--no-renames", "--no-abbrev", "--no-color", "--no-ext-diff", "--no-textconv",
    "--diff-merges=first-parent", "--first-parent", "--reverse", "--format=%x01%H %ct",
)  # fmt: skip
_PATCHES = (
    "log", "--all", "--no-merges", "--patch", "--unified=0", "--no-renames", "--no-color", "--no-ext-diff",
    "--no-textconv", "--format=%x01%H %at",
)  # fmt: skip
_MAX_ERROR = 2000
_FETCHED_AT_ONCE = 2000
_AHEAD = 64  # names of blobs that git is told before their contents are read: they fit into a pipe

T = TypeVar("T")


class Change(NamedTuple):
    """A version of a file: its path, and the name of its blob; None where it was removed."""

    path: str
    blob: str | None


class Commit(NamedTuple):
    """A commit: its name, its committer's time in ms, and what it changed."""

    name: str
    at: int
    changes: tuple[Change, ...]


class GitRepository:
    """A clone on this machine, bare or not. Raises `HubindexError` if `git` or the clone is not there.

    `protocol` is the only one over which blobs are fetched that a clone without blobs lacks.
    """

    def __init__(self, path: Path, protocol: str = "https") -> None:
        self._program = _program()
        self._path = path
        self._environment = _environment(protocol)
        if not path.is_dir():
            raise HubindexError(f"{shown(str(path))}: there is no such folder")
        self.head = self._ask("rev-parse", "--verify", "--quiet", "HEAD^{commit}").strip()

    def names_in(self, folder: str) -> list[str]:
        """The folders in a folder of the newest commit, by name."""
        listed = self._ask("ls-tree", "-z", "-d", "--name-only", "HEAD", f"{folder}/")
        return sorted(path.rpartition("/")[2] for path in listed.split("\0") if path)

    def has(self, commit: str) -> bool:
        """Whether a commit is an ancestor of the newest one."""
        return self._run("merge-base", "--is-ancestor", commit, "HEAD").returncode == 0

    def commits(self, folder: str, since: str | None = None) -> Iterator[Commit]:
        """The commits that changed something in a folder, the oldest first; only those after `since`."""
        span = [f"{since}..HEAD"] if since else ["HEAD"]
        with self._started(*_LOG, *span, "--", f":(literal){folder}") as process:
            assert process.stdout is not None
            yield from _commits(process.stdout)

    def prefetch(self, blobs: Iterable[str]) -> None:
        """Fetch blobs that a clone without blobs lacks, many at once; one by one git would take hours.

        Raises `HubindexError`.
        """
        remote = self._run("config", "--get-regexp", r"^remote\..*\.promisor$").stdout.decode("utf-8", "replace")
        name = remote.removeprefix("remote.").partition(".promisor")[0]
        if not name:
            return
        rest = iter(blobs)
        while several := list(islice(rest, _FETCHED_AT_ONCE)):
            done = self._run(
                "-c", "fetch.negotiationAlgorithm=noop", "fetch", "--quiet", "--no-tags", "--no-write-fetch-head",
                "--recurse-submodules=no", "--filter=blob:none", "--stdin", "--", name,
                said="".join(f"{blob}\n" for blob in several).encode(),
            )  # fmt: skip
            if done.returncode != 0:
                raise HubindexError(f"{shown(str(self._path))}: {_told(done.stderr) or 'blobs cannot be fetched'}")

    @contextmanager
    def patches(self, pattern: str, most: int) -> "Iterator[Iterator[bytes]]":
        """The lines of all commits that change a line with `pattern` in it, without merges, in no order.

        A commit begins with a byte of 1, its name and its author's time; of a line `most` bytes are read.
        """
        with self._started(*_PATCHES, "-G", pattern) as process:
            assert process.stdout is not None
            yield _lines(process.stdout, most)

    @contextmanager
    def blobs(self, most: int) -> Iterator["BlobReader"]:
        """A reader of blobs, of at most so many bytes each."""
        with self._started("cat-file", "--batch", stdin=subprocess.PIPE) as process:
            yield BlobReader(process, most)

    def _ask(self, *arguments: str) -> str:
        done = self._run(*arguments)
        if done.returncode != 0:
            raise HubindexError(f"{shown(str(self._path))}: {_told(done.stderr) or 'it is no git repository'}")
        return done.stdout.decode("utf-8", "replace")

    def _run(self, *arguments: str, said: bytes = b"") -> "subprocess.CompletedProcess[bytes]":
        return subprocess.run(  # noqa: S603  # no shell, and no word of it comes from the repository
            [self._program, "--no-pager", *_OPTIONS, *arguments], cwd=self._path, env=self._environment,
            input=said, capture_output=True, check=False,
        )  # fmt: skip

    @contextmanager
    def _started(self, *arguments: str, stdin: int = subprocess.DEVNULL) -> "Iterator[subprocess.Popen[bytes]]":
        process = subprocess.Popen(  # noqa: S603
            [self._program, "--no-pager", *_OPTIONS, *arguments], cwd=self._path, env=self._environment,
            stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            yield process
        finally:
            for stream in (process.stdin, process.stdout):
                if stream is not None:
                    stream.close()
            process.kill()
            process.wait()


class BlobReader:
    """Reads blobs by name, one after the other, from one process."""

    def __init__(self, process: "subprocess.Popen[bytes]", most: int) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._stdin: IO[bytes] = process.stdin
        self._stdout: IO[bytes] = process.stdout
        self._most = most

    def read_all(self, items: Iterable[tuple[T, str]]) -> Iterator[tuple[T, bytes | None]]:
        """The contents of blobs, each with whatever it came with, in order; git looks for the next ones meanwhile.

        None for one that is not there, or is larger than it may be. Raises `HubindexError`.
        """
        waiting: deque[T] = deque()
        try:
            for item, blob in items:
                self._stdin.write(f"{blob}\n".encode())
                self._stdin.flush()
                waiting.append(item)
                if len(waiting) >= _AHEAD:
                    yield waiting.popleft(), self._next()
            while waiting:
                yield waiting.popleft(), self._next()
        except OSError as error:
            raise HubindexError("git ended while it was read") from error

    def _next(self) -> bytes | None:
        head = self._stdout.readline().decode("ascii", "replace").split()
        if len(head) != 3:
            if head[-1:] == ["missing"]:
                return None
            raise HubindexError("git ended while it was read")
        size = int(head[2])
        if size <= self._most:
            body = self._stdout.read(size + 1)
            return body[:-1]
        left = size + 1
        while left > 0 and (piece := self._stdout.read(min(left, 1 << 20))):
            left -= len(piece)
        return None


def clone(url: str, folder: Path) -> None:
    """Make a bare clone without blobs, which come when they are read, or bring an older one up to date.

    Raises `HubindexError`.
    """
    if (folder / "HEAD").exists():
        arguments = ["fetch", "--quiet", "--prune", "origin", "+refs/heads/*:refs/heads/*"]
        cwd = folder
    else:
        folder.parent.mkdir(parents=True, exist_ok=True)
        arguments = ["clone", "--quiet", "--bare", "--filter=blob:none", "--", url, str(folder)]
        cwd = folder.parent
    done = subprocess.run(  # noqa: S603
        [_program(), *_OPTIONS, *arguments], cwd=cwd, env=_environment(protocol_of(url)), stdin=subprocess.DEVNULL,
        capture_output=True, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        raise HubindexError(f"{shown(url, 200)}: {_told(done.stderr) or 'it cannot be cloned'}")


def _commits(stream: IO[bytes]) -> Iterator[Commit]:
    """Commits of `git log --raw -z`, whose heads begin with a byte of 1."""
    name, at, changes = "", 0, list[Change]()
    blob: str | None = None
    is_path = False
    for field in _fields(stream):
        if is_path:
            changes.append(Change(field.decode("utf-8", "surrogateescape"), blob))
            is_path = False
            continue
        text = field.lstrip(b"\n")
        if text.startswith(b"\x01"):
            if name:
                yield Commit(name, at, tuple(changes))
            head, _, rest = text[1:].partition(b"\n")
            name, _, seconds = head.decode("ascii", "replace").partition(" ")
            at, changes = int(seconds) * 1000, []
            text = rest.lstrip(b"\n")
        if text.startswith(b":"):
            parts = text.decode("ascii", "replace").split()
            blob = parts[3] if len(parts) >= 5 and parts[4] != "D" and parts[1].startswith("100") else None
            is_path = True
    if name:
        yield Commit(name, at, tuple(changes))


def _lines(stream: IO[bytes], most: int) -> Iterator[bytes]:
    """The lines of a stream; of one that is longer than `most` bytes the beginning."""
    while line := stream.readline(most):
        rest = line
        while not rest.endswith(b"\n") and (rest := stream.readline(most)):
            pass
        yield line


def _fields(stream: IO[bytes]) -> Iterator[bytes]:
    """What stands between NULs."""
    rest = b""
    while piece := stream.read(1 << 16):
        *whole, rest = (rest + piece).split(b"\0")
        yield from whole
    if rest:
        yield rest


def _program() -> str:
    program = shutil.which("git")
    if program is None:
        raise HubindexError("the program git is not installed")
    return program


def protocol_of(url: str) -> str:
    """`https` or `file`."""
    return "file" if url.startswith("file://") else "https"


def _environment(protocol: str) -> dict[str, str]:
    """As little as git needs; nothing of the user's own configuration, and no questions."""
    kept = {
        name: os.environ[name]
        for name in ("PATH", "SYSTEMROOT", "HTTPS_PROXY", "https_proxy")
        if name in os.environ
    }
    return {
        **kept, "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull, "GIT_TERMINAL_PROMPT": "0",
        "GIT_OPTIONAL_LOCKS": "0", "GIT_ALLOW_PROTOCOL": protocol, "LC_ALL": "C", "HOME": os.devnull,
    }  # fmt: skip


def _told(stderr: bytes) -> str:
    """The last line of what git said."""
    lines: Sequence[str] = stderr[-_MAX_ERROR:].decode("utf-8", "replace").strip().splitlines()
    return quote(lines[-1], 200) if lines else ""
