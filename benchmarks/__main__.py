"""`python -m benchmarks`."""

import argparse
import sys
import tempfile
import warnings
from collections.abc import Sequence
from contextlib import ExitStack
from importlib import import_module
from pathlib import Path
from time import perf_counter

from tabulate import tabulate

import benchmarks
from benchmarks.measure import Result
from benchmarks.workspace import Workspace

FAMILIES = (
    "startup", "searching", "asking", "writing", "crawling", "latency", "workers", "claims", "memory", "size",
    "unchanged", "registries",
)  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> None:
    """Run what is named, and print the table; also if something breaks on the way."""
    parser = argparse.ArgumentParser(
        "python -m benchmarks",
        description=benchmarks.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", metavar="NAME", nargs="*", help=", ".join(FAMILIES))
    parser.add_argument("--quick", action="store_true", help="small sizes")
    parser.add_argument("--repositories", type=int, metavar="N", help="size of the large search index")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="where data sets stay for the next run")
    options = parser.parse_args(arguments)
    unknown = set(options.names) - set(FAMILIES)
    if unknown:
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}")
    large = options.repositories or (2_000 if options.quick else 1_000_000)
    results: list[Result] = []
    with ExitStack() as stack:
        folder = options.keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hubindex-")))
        stack.callback(lambda: print(table(results)))
        workspace = stack.enter_context(Workspace(folder.resolve(), options.quick, large))
        for name in options.names or FAMILIES:
            run(name, workspace, results)


def run(name: str, workspace: Workspace, results: list[Result]) -> None:
    """Run a family, telling what comes out of it as it comes."""
    before = perf_counter()
    for result in import_module(f"benchmarks.{name}").run(workspace):
        results.append(result)
        line = f"{result.what}: {result.measured} {result.reach} {result.verdict} ({result.numbers})"
        print(line, file=sys.stderr, flush=True)
    print(f"{name}: {perf_counter() - before:.0f} s", file=sys.stderr, flush=True)


def table(results: Sequence[Result]) -> str:
    """All results as one table."""
    rows = [(result.what, result.measured, result.reach, result.verdict, result.numbers) for result in results]
    return tabulate(rows, ("what", "measured", "reach", "", "numbers"), disable_numparse=True)


if __name__ == "__main__":
    warnings.filterwarnings("ignore", message="XDG_RUNTIME_DIR")  # the PostgreSQL of the benchmarks looks for it
    main()
