"""Serve the sample Hub by hand: `python -m tests.fakehub [--port 8080] [--rows FILE --term thrift]`."""

import argparse
import asyncio
from pathlib import Path

import msgspec

from tests.fakehub.sample import SearchRow, load_rows, sample_hub
from tests.fakehub.server import FakeHub


async def _serve(hub: FakeHub, port: int, term: str) -> None:
    async with hub.serve(port) as url:
        print(f"A stand-in Docker Hub with {len(hub.repositories)} repositories: {url}")
        print(f"  HUBINDEX_HUB_URL={url} hubindex crawl {term}")
        print("Ctrl-C ends it.", flush=True)
        await asyncio.Event().wait()


def main() -> None:
    """Read the arguments and serve until Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m tests.fakehub", description="A stand-in Docker Hub.")
    parser.add_argument("--port", type=int, default=8080, help="port on 127.0.0.1; 0 takes a free one")
    parser.add_argument("--rows", type=Path, metavar="FILE", help="JSON array: the answer to --term")
    parser.add_argument("--term", default="thrift", help="the search term of --rows (%(default)s)")
    arguments = parser.parse_args()
    hub = sample_hub()
    if arguments.rows is not None:
        load_rows(hub, arguments.term, msgspec.json.decode(arguments.rows.read_bytes(), type=list[SearchRow]))
    try:
        asyncio.run(_serve(hub, arguments.port, arguments.term))
    except KeyboardInterrupt:
        print()
    except (OSError, OverflowError) as error:
        parser.exit(1, f"{parser.prog}: cannot serve on port {arguments.port}: {error}\n")


if __name__ == "__main__":
    main()
