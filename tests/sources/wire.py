"""A server that writes exactly the bytes it is told to: for answers that a real server library refuses to send."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from yarl import URL

HOLD = b"\0hold the line\0"


@dataclass
class Wire:
    """What has arrived (the head of each request), where to ask, and the answers that are left."""

    url: URL
    answers: list[bytes]
    heads: list[str] = field(default_factory=list)


def reply(body: str | bytes = "{}", status: str = "200 OK", **headers: str) -> bytes:
    """A whole answer with the right `Content-Length`; `content_encoding="gzip"` adds a header."""
    body = body.encode() if isinstance(body, str) else body
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


@asynccontextmanager
async def wire(*answers: bytes, tls: ssl.SSLContext | None = None) -> AsyncIterator[Wire]:
    """Serve one answer for each connection, the last one again and again.

    The connection is closed after its answer; with `HOLD` at its end it stays open and silent.
    """
    open_connections: set[asyncio.Task[None]] = set()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.read(65536)  # a request fits into one packet
            served.heads.append(head.decode("latin-1"))
            answer = served.answers.pop(0) if len(served.answers) > 1 else served.answers[0]
            writer.write(answer.removesuffix(HOLD))
            await writer.drain()
            if answer.endswith(HOLD):
                await reader.read()
        except OSError:
            pass  # the client has gone
        finally:
            writer.close()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(talk(reader, writer))
        open_connections.add(task)
        task.add_done_callback(open_connections.discard)

    server = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=tls)
    served = Wire(URL(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"), list(answers))
    try:
        yield served
    finally:
        server.close()
        for task in open_connections:
            task.cancel()
        await asyncio.gather(*open_connections, return_exceptions=True)
