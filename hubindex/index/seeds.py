"""Seeds: what somebody asked a crawl for, as the frontier keeps it."""

from typing import NamedTuple

TERM, NAMESPACE, REPOSITORY = "term", "namespace", "repository"
"""The kinds of seeds."""


class Seed(NamedTuple):
    """Something to list: `wanted` results of a term (0: all there are), visited if `with_tags`."""

    kind: str
    name: str
    wanted: int = 0
    with_tags: bool = True
