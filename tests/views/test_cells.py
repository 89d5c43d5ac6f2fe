"""How ages, sizes and digests look."""

import pytest

from hubindex.cli.output.listing import listing
from hubindex.views.ages import age
from hubindex.views.cells import short_digest, size

SECOND = 1000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR


@pytest.mark.parametrize(
    ("elapsed", "words"),
    [
        (-5 * SECOND, "now"),
        (0, "now"),
        (SECOND, "1 second ago"),
        (59 * SECOND, "59 seconds ago"),
        (MINUTE, "1 minute ago"),
        (59 * MINUTE + 59 * SECOND, "59 minutes ago"),
        (HOUR, "1 hour ago"),
        (47 * HOUR, "47 hours ago"),
        (48 * HOUR, "2 days ago"),
        (13 * DAY, "13 days ago"),
        (14 * DAY, "2 weeks ago"),
        (59 * DAY, "8 weeks ago"),
        (60 * DAY, "2 months ago"),
        (729 * DAY, "24 months ago"),
        (730 * DAY, "2 years ago"),
        (997 * DAY, "2 years ago"),
    ],
)
def test_an_age_is_rounded_down_as_docker_does(elapsed: int, words: str) -> None:
    """An image of two years and eight months is not three years old."""
    assert age(1_700_000_000_000 - elapsed, 1_700_000_000_000) == words


def test_what_is_not_known_is_empty() -> None:
    """Nothing is made up for a missing value."""
    assert (age(None, 0), size(None), short_digest(None)) == ("", "", "")


def test_sizes_and_digests_are_shortened() -> None:
    """Sizes in powers of ten; digests to twelve digits behind their algorithm."""
    assert size(272_500_000) == "272.5 MB"
    assert short_digest("sha256:" + "ab" * 32) == "sha256:abababababab"


def test_a_listing_leaves_out_what_is_empty() -> None:
    """One aligned line a fact, hostile text neutralised."""
    assert list(listing([("Name", "a\x1bb"), ("Nothing", None), ("Kind", ""), ("Pulls", "0")])) == [
        "Name:   a␛b",
        "Pulls:  0",
    ]
