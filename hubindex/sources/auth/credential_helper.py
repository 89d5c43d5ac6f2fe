"""Docker's credential helpers: programs that keep passwords, `docker-credential-NAME get`, `store` and `erase`.

The host is written to their standard input; the answer is `{"Username": …, "Secret": …}` on standard output. To
store one, the same with a `ServerURL` is written. See docker/docker-credential-helpers. A helper is not believed:
its time and its output are limited, and nothing that it prints gets into a message.
"""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from threading import Thread
from typing import IO, Final, NamedTuple

import msgspec
from msgspec import Struct

SECONDS: Final = 10.0
_MAX_OUTPUT = 64 * 1024
_NOT_FOUND = b"credentials not found"


class Login(NamedTuple):
    """What a helper keeps for one host."""

    user: str
    secret: str

    def __repr__(self) -> str:
        return "Login(…)"


class Failed(Exception):
    """A helper gave no answer; the text says why."""


class _Output(Struct):
    user: str = msgspec.field(name="Username")
    secret: str = msgspec.field(name="Secret")


def ask(program: str, host: str, environ: Mapping[str, str], seconds: float = SECONDS) -> Login | None:
    """What `program` keeps for `host`; `None`: nothing. Raises `Failed` for everything else.

    The program is looked for in the `PATH` of `environ`, which it gets as its environment.
    """
    status, output = _run(program, "get", host.encode(), environ, seconds)
    if status != 0:
        if _NOT_FOUND in output:
            return None
        raise Failed(f"it ended with status {status}")
    try:
        found = msgspec.json.decode(output, type=_Output)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Failed("its answer is not understood") from None
    return Login(found.user, found.secret) if found.secret else None


def store(
    program: str, host: str, user: str, secret: str, environ: Mapping[str, str], seconds: float = SECONDS
) -> None:
    """Let `program` keep a user name and a secret for `host`. Raises `Failed`."""
    login = msgspec.json.encode({"ServerURL": host, "Username": user, "Secret": secret})
    status, _ = _run(program, "store", login, environ, seconds)
    if status != 0:
        raise Failed(f"it ended with status {status}")


def erase(program: str, host: str, environ: Mapping[str, str], seconds: float = SECONDS) -> None:
    """Let `program` forget what it keeps for `host`, if anything. Raises `Failed`."""
    status, output = _run(program, "erase", host.encode(), environ, seconds)
    if status != 0 and _NOT_FOUND not in output:
        raise Failed(f"it ended with status {status}")


def _run(program: str, action: str, said: bytes, environ: Mapping[str, str], seconds: float) -> tuple[int, bytes]:
    """The exit status and the beginning of the output."""
    path = shutil.which(program, path=environ.get("PATH", os.defpath))
    if path is None:
        raise Failed("there is no such program")
    try:
        process = subprocess.Popen(  # noqa: S603  # docker's configuration names it
            [path, action],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=dict(environ),
            start_new_session=True,  # so that what it starts can be ended with it
        )
    except OSError:
        raise Failed("it cannot be started") from None
    assert process.stdin is not None
    assert process.stdout is not None
    output: list[bytes] = []
    reader = Thread(target=_read, args=(process.stdout, output), name=path, daemon=True)
    reader.start()
    deadline = time.monotonic() + seconds
    try:
        with suppress(OSError):
            process.stdin.write(said)
        with suppress(OSError):
            process.stdin.close()
        reader.join(seconds)
        if reader.is_alive():
            raise Failed(f"it gave no answer within {seconds:g} s")
        if len(output[0]) > _MAX_OUTPUT:
            raise Failed(f"it wrote more than {_MAX_OUTPUT:,} bytes")
        return process.wait(max(0.0, deadline - time.monotonic())), output[0]
    except subprocess.TimeoutExpired:
        raise Failed(f"it did not end within {seconds:g} s") from None
    except BaseException:
        _end(process)
        raise
    finally:
        if process.poll() is None:
            _end(process)
        reader.join(1)
        if not reader.is_alive():
            process.stdout.close()


def _read(stream: IO[bytes], output: list[bytes]) -> None:
    try:
        output.append(stream.read(_MAX_OUTPUT + 1))
    except OSError:
        output.append(b"")


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End the helper and everything that it started."""
    with suppress(OSError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    process.wait()
