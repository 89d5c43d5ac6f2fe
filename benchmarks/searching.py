"""Search inside the process: its cost must not grow with the index, nor much with filters."""

from collections.abc import Callable, Iterator
from functools import partial

from benchmarks import corpus
from benchmarks.measure import Result, at_most, in_turns, median, ratio, wall
from benchmarks.workspace import ENGINES, Workspace
from hubindex.index.database.location import Location
from hubindex.index.database.opening import open_reader
from hubindex.index.questions.search import Found, Query, search

_PLAIN = Query(corpus.COMMON)
_VARIANTS = {
    "--official": _PLAIN._replace(official=True),
    "--stars 10": _PLAIN._replace(stars=10),
    "--official --stars 10": _PLAIN._replace(official=True, stars=10),
    "two common words": _PLAIN._replace(term=f"{corpus.COMMON} {corpus.ALSO_COMMON}"),
}


def run(workspace: Workspace) -> Iterator[Result]:
    """A word that 5 % of the rows have, 25 results."""
    for engine in ENGINES:
        large = index(workspace, engine, workspace.large)
        small = index(workspace, engine, workspace.small)
        yield from _compare(workspace, engine, small, large)


def index(workspace: Workspace, engine: str, count: int) -> Location:
    """An index of `count` repositories, built once a run."""
    return workspace.kept(engine, f"search_{count}", lambda location: corpus.build(location, count))


def _compare(workspace: Workspace, engine: str, small: Location, large: Location) -> Iterator[Result]:
    few, many = open_reader(small), open_reader(large)
    queries: list[Callable[[], list[Found]]] = [
        partial(search, few, _PLAIN),
        *(partial(search, many, query) for query in (_PLAIN, *_VARIANTS.values())),
    ]
    found = [len(query()) for query in queries]
    in_turns(3, *(partial(wall, query) for query in queries))  # fills the caches
    rounds = workspace.size(101, 3)
    on_few, plain, *variants = in_turns(rounds, *(partial(wall, query) for query in queries))
    few.close()
    many.close()
    yield at_most(
        f"search, {workspace.large:,} against {workspace.small:,} repositories, {engine}",
        ratio(plain, on_few),
        1.5,
        f"{_ms(plain)} against {_ms(on_few)}; {found[1]} and {found[0]} results",
    )
    for name, times, results in zip(_VARIANTS, variants, found[2:], strict=True):
        yield at_most(
            f"search {name}, {workspace.large:,} repositories, {engine}",
            ratio(times, plain),
            3,
            f"{_ms(times)} against {_ms(plain)} plain; {results} results",
        )


def _ms(times: list[float]) -> str:
    return f"{median(times) * 1000:.2f} ms"
