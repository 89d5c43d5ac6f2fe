"""A stand-in Docker Hub for tests: its answers, its habits and its bad weather, on loopback.

In a test:

    hub = FakeHub()
    mongo = hub.add_repository("library/mongo", "Document database", star_count=10_000)
    mongo.push("7.0", at="2024-03-01T12:00:00Z", content="seven")
    with hub.running() as url:
        ...
"""

from tests.fakehub.data import FakeImage, FakeRepository, FakeTag, digest_of
from tests.fakehub.hub import Arrival, Fault, Hub, Proceed, Route
from tests.fakehub.sample import SearchRow, load_rows, sample_hub
from tests.fakehub.server import FakeHub

__all__ = [
    "Arrival",
    "FakeHub",
    "FakeImage",
    "FakeRepository",
    "FakeTag",
    "Fault",
    "Hub",
    "Proceed",
    "Route",
    "SearchRow",
    "digest_of",
    "load_rows",
    "sample_hub",
]
