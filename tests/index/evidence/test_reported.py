"""Reports beside our own evidence, in random worlds whose past is known."""

from itertools import groupby

from hypothesis import given, settings
from hypothesis import strategies as st

from hubindex.index.evidence.reported import Merged, Sighting, merge
from hubindex.index.evidence.timeline import GONE, Evidence, Span

A, B, C = 1, 2, 3
MOMENTS = 24


def same(content: int) -> int:
    """A content looks like itself."""
    return content


def pushes(world: list[int]) -> list[int | None]:
    """When the content of each moment was pushed; None while the tag is gone."""
    found: list[int | None] = []
    for content, several in groupby(world):
        start, count = len(found), len(list(several))
        found += [None if content == GONE else start] * count
    return found


worlds = st.lists(st.sampled_from([A, B, C, GONE]), min_size=MOMENTS, max_size=MOMENTS)
moments = st.integers(0, MOMENTS - 1)


@st.composite
def own_evidence(draw: st.DrawFn, world: list[int]) -> list[Evidence]:
    """Looks at some moments, with the registry's word for the push or without, and sweeps that missed the tag."""
    told = pushes(world)
    evidence: list[Evidence] = []
    for at in sorted(draw(st.sets(moments, max_size=6))):
        if world[at] == GONE:
            if evidence and evidence[-1].gone_at is None:
                evidence[-1] = evidence[-1]._replace(gone_at=at)
        else:
            evidence.append(Evidence(world[at], told[at] if draw(st.booleans()) else None, at, at))
    return evidence


@st.composite
def honest(draw: st.DrawFn) -> tuple[list[int], list[Evidence], list[Sighting]]:
    """A world, what we saw of it, and what witnesses saw of it."""
    world = draw(worlds)
    seen = draw(st.sets(moments, max_size=8))
    return world, draw(own_evidence(world)), [Sighting(world[at], at, at, "w") for at in seen]


@st.composite
def lying(draw: st.DrawFn) -> tuple[list[int], list[Evidence], list[Sighting]]:
    """The same with witnesses that say anything."""
    world = draw(worlds)
    said = draw(st.lists(st.tuples(moments, st.sampled_from([A, B, C, GONE])), max_size=8))
    return world, draw(own_evidence(world)), [Sighting(content, at, at, "w") for at, content in said]


def answers(merged: Merged, at: int) -> tuple[Span | None, bool, bool]:
    """The span of a moment, whether it is confirmed, and whether it is reported."""
    span = merged.best_at(at)
    is_reported = span is not None and bool(merged.witnesses_at(at, same, span.content))
    return span, merged.is_confirmed(at), is_reported


@settings(max_examples=400)
@given(honest())
def test_with_honest_witnesses_nothing_certain_is_wrong(
    told: tuple[list[int], list[Evidence], list[Sighting]],
) -> None:
    """Neither what is confirmed nor what is reported; and no honest report is refused."""
    world, evidence, reports = told
    merged = merge(evidence, reports)
    assert merged.refused == ()
    for at in range(MOMENTS):
        span, is_confirmed, is_reported = answers(merged, at)
        if is_confirmed or is_reported:
            assert span is not None
            assert span.content == world[at], at
    for report in reports:
        assert answers(merged, report.seen_from)[1] or answers(merged, report.seen_from)[2]


@settings(max_examples=400)
@given(lying())
def test_with_lying_witnesses_nothing_confirmed_is_wrong(
    told: tuple[list[int], list[Evidence], list[Sighting]],
) -> None:
    """And what we know without them is what we know with them."""
    world, evidence, reports = told
    merged, alone = merge(evidence, reports), merge(evidence, [])
    for at in range(MOMENTS):
        assert merged.is_confirmed(at) == alone.is_confirmed(at)
        if merged.is_confirmed(at):
            span = merged.best_at(at)
            assert span is not None
            assert span.content == world[at]


def test_a_report_that_contradicts_what_is_certain_is_refused() -> None:
    """Ours is kept, and the others count."""
    merged = merge([Evidence(A, 5, 10, 15)], [Sighting(B, 12, 12, "liar"), Sighting(B, 3, 3, "w")])
    assert [report.witness for report in merged.refused] == ["liar"]
    assert [(span.content, span.since) for span in merged.spans] == [(B, 3), (A, 5)]
    assert merged.witnesses_at(3, same, B) == ["w"]
    assert merged.is_confirmed(12)
    assert not merged.is_confirmed(3)


def test_a_stretch_is_seen_from_end_to_end() -> None:
    """A witness that saw it during a time saw it at each moment of that."""
    merged = merge([], [Sighting(A, 3, 9, "w")])
    assert merged.witnesses_at(6, same, A) == ["w"]
    assert merged.witnesses_at(10, same, A) == []
    assert [(span.content, span.since, span.last_seen_at) for span in merged.spans] == [(A, 3, 9)]
