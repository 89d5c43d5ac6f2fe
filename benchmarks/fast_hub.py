"""A stand-in Docker Hub that costs next to nothing: answers are made and packed before the first request.

    python -m benchmarks.fast_hub [--latency SECONDS] [--rows TAGS] PAGES VARIANTS SIZE...

serves for each SIZE a namespace `nSIZE` of so many repositories, each with PAGES pages of 100 tags (or TAGS):
image indexes with four tags and eight platforms each. Repositories share VARIANTS different tag lists. It prints
its URL when it is ready. `/asked` answers how many requests came since it was asked last, and how many different
ones.
"""

import argparse
import asyncio
import gzip
import random
import re
import subprocess
import sys
import urllib.request
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from benchmarks.histories import INDEX, PAGE, PLATFORMS

Answers = dict[tuple[bytes, int], bytes]

_ALIASES = 4

_LAST_PUSH = datetime(2024, 5, 5, tzinfo=UTC)
"""Every four tags were pushed together, a minute before the four that are listed above them."""
_ASKED = b"/asked"
_NEXT = "https://hub.docker.com/v2/next"
_page_number = re.compile(rb"[?&]page=(\d+)").search
_HEADERS = b"Content-Type: application/json\r\nContent-Encoding: gzip"
_NOT_FOUND = b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n{}"


class Asked(msgspec.Struct):
    """How many requests came, and how many different ones."""

    requests: int
    different: int


@contextmanager
def serving(pages: int, variants: int, *sizes: int, latency: float = 0, rows: int = PAGE) -> Iterator[str]:
    """The URL of a stand-in in a process of its own, which lets each answer wait for `latency` seconds."""
    options = ["--latency", str(latency), "--rows", str(rows)]
    arguments = [sys.executable, "-m", "benchmarks.fast_hub", *options, *map(str, (pages, variants, *sizes))]
    checkout = Path(__file__).parent.parent
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True, cwd=checkout) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def names(size: int) -> list[str]:
    """The repositories of the namespace of this size."""
    return [f"n{size}/repository-{number}" for number in range(size)]


def asked(url: str) -> Asked:
    """What a stand-in was asked since it told that last."""
    with urllib.request.urlopen(f"{url}{_ASKED.decode()}", timeout=60) as answer:
        return msgspec.json.decode(answer.read(), type=Asked)


def answers(pages: int, variants: int, sizes: Sequence[int], rows: int = PAGE) -> Answers:
    """All answers, by path and page."""
    rng = random.Random("fast hub")
    lists = [[_answer(_tag_page(rng, number, pages, rows)) for number in range(pages)] for _ in range(variants)]
    made: Answers = {}
    for size in sizes:
        own = names(size)
        path = f"/v2/namespaces/n{size}/repositories"
        for start in range(0, size, PAGE):
            listed = [_repository(name) for name in own[start : start + PAGE]]
            made[path.encode(), start // PAGE + 1] = _answer(_envelope(listed, size, is_last=start + PAGE >= size))
        for place, name in enumerate(own):
            tags = f"{path}/{name.partition('/')[2]}/tags".encode()
            made.update({(tags, number): page for number, page in enumerate(lists[place % variants], 1)})
    return made


def _answer(body: object) -> bytes:
    packed = gzip.compress(msgspec.json.encode(body), 6)
    return b"HTTP/1.1 200 OK\r\n%b\r\nContent-Length: %d\r\n\r\n%b" % (_HEADERS, len(packed), packed)


def _envelope(rows: list[dict[str, object]], count: int, *, is_last: bool) -> dict[str, object]:
    return {"count": count, "next": None if is_last else _NEXT, "previous": None, "results": rows}


def _repository(name: str) -> dict[str, object]:
    namespace, _, own = name.partition("/")
    return {
        "name": own, "namespace": namespace, "repository_type": "image", "status": 1, "is_private": False,
        "description": f"The image {own}", "star_count": 3, "pull_count": 12345, "is_automated": False,
        "last_updated": "2024-05-05T10:00:00.123456Z", "date_registered": "2020-05-05T10:00:00.123456Z",
        "affiliation": "", "media_types": [INDEX], "content_types": ["image"], "categories": [],
    }  # fmt: skip


def _tag_page(rng: random.Random, number: int, pages: int, size: int) -> dict[str, object]:
    rows: list[dict[str, object]] = []
    for content in range(size // _ALIASES):
        place = number * size + content * _ALIASES
        at = f"{_LAST_PUSH - timedelta(minutes=place // _ALIASES):%Y-%m-%dT%H:%M:%S.000001Z}"
        digest = _digest(rng)
        images = [_image(rng, platform, at) for platform in PLATFORMS]
        rows += [_tag(f"{place + alias}.{content}-alpine", digest, images, at) for alias in range(_ALIASES)]
    return _envelope(rows, pages * len(rows), is_last=number == pages - 1)


def _tag(name: str, digest: str, images: list[dict[str, object]], at: str) -> dict[str, object]:
    return {
        "creator": 2215, "id": 10_128_273, "images": images, "last_updated": at, "last_updater": 1_156_886,
        "last_updater_username": "doijanky", "name": name, "repository": 21_171, "full_size": images[0]["size"],
        "v2": True, "tag_status": "active", "tag_last_pulled": "2025-09-22T11:11:26.35526421Z",
        "tag_last_pushed": at, "media_type": INDEX, "content_type": "image", "digest": digest,
    }  # fmt: skip


def _image(rng: random.Random, platform: str, at: str) -> dict[str, object]:
    os, architecture, *variant = platform.split("/")
    return {
        "architecture": architecture, "features": "", "variant": variant[0] if variant else None,
        "digest": _digest(rng), "os": os, "os_features": "", "os_version": None,
        "size": rng.randrange(10_000_000, 90_000_000), "status": "active",
        "last_pulled": "2025-09-22T11:11:26.35526421Z", "last_pushed": at,
    }  # fmt: skip


def _digest(rng: random.Random) -> str:
    return f"sha256:{rng.randbytes(32).hex()}"


class _Hub:
    """The answers, how long they take, and what was asked for."""

    def __init__(self, made: Answers, latency: float) -> None:
        self.latency = latency
        self._made = made
        self._asked: Counter[tuple[bytes, int]] = Counter()

    def answer(self, target: bytes) -> bytes:
        if target == _ASKED:
            told = Asked(self._asked.total(), len(self._asked))
            self._asked.clear()
            body = msgspec.json.encode(told)
            return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
        number = _page_number(target)
        key = target.partition(b"?")[0], int(number[1]) if number else 1
        self._asked[key] += 1
        return self._made.get(key, _NOT_FOUND)


class _Connection(asyncio.Protocol):
    def __init__(self, hub: _Hub) -> None:
        self._hub = hub
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        while b"\r\n\r\n" in self._received:
            head, _, self._received = self._received.partition(b"\r\n\r\n")
            answer = self._hub.answer(head.split(b" ", 2)[1])
            if self._hub.latency:
                asyncio.get_running_loop().call_later(self._hub.latency, self._transport.write, answer)
            else:
                self._transport.write(answer)


async def _serve(hub: _Hub) -> None:
    server = await asyncio.get_running_loop().create_server(lambda: _Connection(hub), "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


def _main() -> None:
    parser = argparse.ArgumentParser("python -m benchmarks.fast_hub")
    parser.add_argument("--latency", type=float, default=0)
    parser.add_argument("--rows", type=int, default=PAGE)
    parser.add_argument("pages", type=int)
    parser.add_argument("variants", type=int)
    parser.add_argument("sizes", type=int, nargs="+")
    options = parser.parse_args()
    made = answers(options.pages, options.variants, options.sizes, options.rows)
    asyncio.run(_serve(_Hub(made, options.latency)))


if __name__ == "__main__":
    _main()
