"""What the pages of a walk over a tag list prove."""

from collections.abc import Sequence

import pytest

from hubindex.crawl.walk import WalkLog
from hubindex.index.writing.walks import PageOutcome, StoredPages, Walk
from hubindex.records import Tag, TagPage


def page(
    *tags: str | tuple[str, int | None], count: int | None = 3, more: bool = False, unreadable: int = 0
) -> TagPage:
    """A page of tags: a name alone has no push time."""
    rows = [(tag, None) if isinstance(tag, str) else tag for tag in tags]
    return TagPage(
        tags=tuple(Tag(name=name, pushed_at=pushed_at) for name, pushed_at in rows),
        count=count,
        more=more,
        observed_at=5,
        unreadable=unreadable,
    )


def walked(*pages: TagPage, error: str | None = None) -> Walk:
    log = WalkLog(7, 1000)
    for each in pages:
        log.add(each)
    return log.finish(2000, error)


def dated(*pushes: int | None, more: bool = False) -> TagPage:
    """A page whose tags were pushed at these times."""
    return page(*((f"t{number}", at) for number, at in enumerate(pushes)), count=len(pushes), more=more)


def test_a_walk_that_saw_every_tag_is_a_sweep() -> None:
    """All pages, as many names as the source counts, nothing unreadable. It began with its first page."""
    walk = walked(page("a", "b", more=True), page("c"))
    assert walk == Walk(7, 5, 2000, {"a", "b", "c"}, problem=None, looked_at={"a", "b", "c"})


def test_a_walk_of_one_page_is_a_single_moment() -> None:
    """That of its request: each tag was looked at then."""
    walk = walked(page("a", "b"))
    assert (walk.started_at, walk.finished_at) == (5, 5)


def test_what_an_old_page_shows_was_not_looked_at() -> None:
    """Such a walk is no sweep, and confirms what its other pages show, tag by tag."""
    stale = PageOutcome()
    stale.is_stale = True
    pages = [dated(9, 8), page("old", more=False)]
    stored = StoredPages(1).add(pages[0], PageOutcome(), None).add(pages[1], stale, None)
    walk = stored.proven(walked(*pages), 2)
    assert walk.problem is not None
    assert (walk.looked_at, walk.oldest_push) == ({"t0", "t1"}, None)
    assert walk.names == {"t0", "t1", "old"}
    seen_again = stored.add(page("old"), PageOutcome(), None)
    assert seen_again.proven(walked(*pages), 3).looked_at == {"t0", "t1", "old"}


def test_a_walk_of_which_a_page_could_not_be_stored_proves_nothing() -> None:
    """Nobody knows which tags that page showed, and what they had become."""
    stored = StoredPages(1).add(dated(9, 8), PageOutcome(), None)
    walk = stored.proven(walked(dated(9, 8, more=True), page("c")), 2)
    assert (walk.problem, walk.oldest_push, walk.looked_at) == ("a page could not be stored", None, set())


def test_an_empty_list_is_seen_as_a_whole_one() -> None:
    """A repository without tags has been looked at as completely as any other."""
    assert walked(page(count=0)).problem is None


def test_a_count_that_falls_is_a_problem() -> None:
    """Rows were deleted during the walk: others moved up, from a page not yet read into one that was."""
    walk = walked(page("a", "b", count=4, more=True), page("c", count=3))
    assert walk.problem == "tags were deleted during the walk"


def test_a_count_that_falls_back_is_a_problem() -> None:
    """One pushed and then one deleted leave the last count as the first."""
    walk = walked(page("a", count=3, more=True), page("b", count=4, more=True), page("c", count=3))
    assert walk.problem == "tags were deleted during the walk"


def test_a_count_that_grows_is_no_problem_if_the_new_ones_were_seen() -> None:
    """Pushes move rows down, so that one is seen twice and none is missed; the top is read once more."""
    log = WalkLog(7, 1000)
    log.add(page("a", "b", count=3, more=True))
    log.add(page("b", "c", count=4))
    assert log.is_short
    assert not log.add(page("d", "a", count=4), again=True)
    walk = log.finish(2000)
    assert (walk.problem, walk.names) == (None, {"a", "b", "c", "d"})


def test_a_tag_pushed_again_during_the_walk_is_found_at_the_top() -> None:
    """It jumped from the part that was not read yet into the part that was: the count stays."""
    log = WalkLog(7, 1000)
    log.add(page("a", "b", more=True))
    log.add(page("b"))
    log.add(page("c", "a", more=True), again=True)
    assert log.finish(2000).problem is None


def test_a_deletion_that_a_push_hides_leaves_no_gap() -> None:
    """What came and what went moved the rows the other way round; the one that was seen before it went counts."""
    walk = walked(page("gone", "b", more=True), page("b", "c"))
    assert walk.problem is None


@pytest.mark.parametrize(
    ("pages", "expected"),
    [
        ([page("a", "b", count=4, more=True), page("c", count=3)], True),
        ([page("a", count=3, more=True), page("b", count=4)], True),
        ([page("a", count=3, more=True), page("b", count=3)], False),
        ([page("a", "b", "c")], False),
        ([page("a", "b", unreadable=1)], False),
    ],
    ids=["deleted", "pushed and not seen", "the source counts otherwise", "whole", "unreadable"],
)
def test_only_a_list_that_moved_is_worth_another_walk(pages: Sequence[TagPage], expected: bool) -> None:
    """A source that contradicts itself will do so again."""
    log = WalkLog(7, 1000)
    for each in pages:
        log.add(each)
    assert log.is_worth_repeating is expected


def test_names_from_another_source_complete_a_list_that_broke_off() -> None:
    """As many as are counted, or more: the count may lag."""
    log = WalkLog(7, 1000)
    log.add(page("a", count=3, more=True))
    log.add_names(["b", "c", "d"])
    assert log.finish(2000).problem is None


def test_unreadable_rows_are_a_problem() -> None:
    """A row that could not be understood may be any tag."""
    assert walked(page("a", "b", unreadable=1)).problem == "1 rows could not be understood"


@pytest.mark.parametrize(("names", "seen"), [(("a", "b"), 2), (("a", "b", "c", "d"), 4)])
def test_fewer_or_more_names_than_counted_are_a_problem(names: Sequence[str], seen: int) -> None:
    """What was seen has to be what the source counts."""
    assert walked(page(*names)).problem == f"saw {seen} tags where the source counts 3"


def test_a_name_seen_twice_counts_once() -> None:
    """A push between two pages shows one tag twice and hides another."""
    walk = walked(page("a", "b", more=True), page("b"))
    assert walk.problem == "saw 2 tags where the source counts 3"


def test_a_source_that_does_not_count_proves_nothing() -> None:
    """Without a total nobody knows whether the list was whole."""
    assert walked(page("a", "b", "c", count=None)).problem is not None


def test_an_error_is_the_problem() -> None:
    """The reason why a walk broke off comes before all others."""
    assert walked(page("a", unreadable=1, more=True), error="page 2: reset").problem == "page 2: reset"


def test_another_page_is_worth_asking_for_while_there_is_more() -> None:
    """The source says that there is a next page, and this one brought news."""
    assert WalkLog(7, 1000).add(page("a", more=True))


def test_the_last_page_ends_the_walk() -> None:
    """Without a next page there is nothing to ask for."""
    assert not WalkLog(7, 1000).add(page("a"))


def test_a_page_without_news_ends_the_walk() -> None:
    """A source that repeats a page for ever is not asked for ever."""
    log = WalkLog(7, 1000)
    log.add(page("a", "b", more=True))
    assert not log.add(page("b", "a", more=True))


def test_a_page_beyond_the_end_changes_nothing() -> None:
    """An empty page without a count, which stands for a 404, leaves the totals of the others."""
    walk = walked(page("a", "b", "c", more=True), page(count=None))
    assert walk.problem is None


def test_a_page_missing_in_the_middle_is_noticed() -> None:
    """A 404 where there should be tags is no end: the count of the other pages tells."""
    walk = walked(page("a", "b", more=True), page(count=None))
    assert walk.problem == "saw 2 tags where the source counts 3"


def test_the_newest_push_is_the_latest_of_all() -> None:
    """Whatever the order."""
    assert walked(dated(30, 50, 40)).newest_push == 50


def test_tags_in_push_order_are_complete_down_to_the_oldest() -> None:
    """Newest first without exception: everything pushed after the oldest was seen."""
    assert walked(dated(50, 40, 40, 30)).oldest_push == 30


def test_push_order_holds_across_pages() -> None:
    """The first tag of a page must not be newer than the last one of the page before."""
    walk = walked(page(("a", 50), ("b", 40), more=True), page(("c", 45)))
    assert walk.oldest_push is None


def test_tags_out_of_order_prove_no_bound() -> None:
    """One newer tag below an older one: there may be others below."""
    assert walked(dated(50, 30, 40)).oldest_push is None


def test_undated_tags_at_the_end_leave_the_bound() -> None:
    """Tags without a push time come last."""
    assert walked(dated(50, 40, None, None)).oldest_push == 40


def test_an_undated_tag_before_a_dated_one_proves_no_bound() -> None:
    """The list is not in the order of pushes then."""
    assert walked(dated(50, None, 40)).oldest_push is None


def test_a_list_without_push_times_has_no_bounds() -> None:
    """As on a plain registry."""
    walk = walked(dated(None, None))
    assert (walk.newest_push, walk.oldest_push) == (None, None)


def test_a_push_at_the_beginning_of_time_is_a_push() -> None:
    """Zero milliseconds is a time, not an absence."""
    walk = walked(dated(0, None))
    assert (walk.newest_push, walk.oldest_push) == (0, 0)
