"""A whole crawl at a Hub that enforces its rolling limit."""

import asyncio
from pathlib import Path

from hubindex.crawl.crawler import Crawler
from hubindex.crawl.plan import Plan
from hubindex.crawl.sources import Sources
from hubindex.crawl.writer import Writer
from hubindex.index.database.location import Location
from hubindex.sources.hub.client import DockerHub
from tests.crawl.crawling import DEADLINE, hub_of, names
from tests.index.building import rows
from tests.sources.clock import EPOCH, Clock, ClockedClient

LIMIT, WINDOW = 60, 60.0
REPOSITORIES = 300


def test_the_limit_of_the_hub_is_used_and_kept(tmp_path: Path) -> None:
    """Nine tenths of what it allows at least, at most one answer in a hundred a 429, and nothing is missing."""
    location, time = Location.parse(str(tmp_path / "index.db")), Clock()
    hub = hub_of([f"acme/app-{number:03}" for number in range(REPOSITORIES)])
    hub.clock = lambda: EPOCH + time.seconds
    hub.enforce(LIMIT, WINDOW)

    async def crawl() -> None:
        async with hub.serve() as url, ClockedClient(time) as http, Writer(location) as writer:
            plan = Plan(namespaces=["acme"])
            await Crawler(Sources(DockerHub(http, url)), writer, plan, lambda _: None).run()

    asyncio.run(asyncio.wait_for(crawl(), DEADLINE))
    assert names(location) == sorted(hub.repositories)
    assert rows(location, "SELECT count(*) FROM sweep") == [(REPOSITORIES,)]
    whole_windows = time.seconds // WINDOW
    assert whole_windows >= 4
    assert len(hub.requests) - hub.limits.refused >= 0.9 * LIMIT * whole_windows
    assert hub.limits.refused <= 0.01 * len(hub.requests)
