"""Our own evidence about a tag together with what others report: the law for witnesses, as pure functions.

A report never overrules what we know for certain ourselves: one that contradicts it is left out, and told. The
others are like looks without a push time: a witness proves, on its word, the moment at which it saw, and nothing
between two of them.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from hubindex.certainty import Certainty
from hubindex.index.evidence.timeline import UNKNOWN, Evidence, Span, Sweep, span_at, timeline

View = Callable[[int], int]
"""What a content looks like, of which only its image for one platform is asked."""


def itself(content: int) -> int:
    """A content looks like itself."""
    return content


class Sighting(NamedTuple):
    """A report of what a tag was, as a content; GONE if it was not there. Both times are the same for a moment."""

    content: int
    seen_from: int
    seen_until: int
    witness: str
    source: str = ""


class Merged(NamedTuple):
    """The spans by all evidence, and those by our own alone.

    `used` are the reports that count, by time, `refused` those that contradict what is certain.
    """

    spans: list[Span]
    own: list[Span]
    used: tuple[Sighting, ...]
    refused: tuple[Sighting, ...]

    def best_at(self, at: int) -> Span | None:
        """The span of a moment: our own where that is certain, or else by all evidence."""
        own = span_at(self.own, at)
        if not self.used or (own is not None and own.is_confirmed(at)):
            return own
        return span_at(self.spans, at)

    def is_confirmed(self, at: int) -> bool:
        """Whether our own evidence proves what the tag was at a moment."""
        own = span_at(self.own, at)
        return own is not None and own.is_confirmed(at)

    def certainty(self, span: Span, at: int, looks: View = itself) -> Certainty:
        """How sure it is that a tag was at a moment what a span says; `looks` says what a content looks like."""
        if span.is_confirmed(at) if not self.used else self.is_confirmed(at):
            return Certainty.CONFIRMED
        if self.used and self.witnesses_at(at, looks, span.content):
            return Certainty.REPORTED
        return Certainty.INFERRED

    def gaps(self, span: Span, looks: View = itself) -> list[tuple[int, int]]:
        """The stretches inside of a span for which nobody can vouch, neither we nor a witness."""
        if not self.used:
            return span.gaps()
        return [
            (first, last) for first, last in span.gaps()
            if not any(
                each.seen_from <= first and last <= each.seen_until and looks(each.content) == span.content
                for each in self.used
            )
        ]  # fmt: skip

    def witnesses_at(self, at: int, looks: View, content: int) -> list[str]:
        """Who saw the tag at a moment as what looks like `content`."""
        return _names(
            each
            for each in self.used
            if each.seen_from <= at <= each.seen_until and looks(each.content) == content
        )

    def witnesses_of(self, span: Span, looks: View) -> list[str]:
        """Who saw what looks like the content of a span while it lasted."""
        return _names(
            each for each in self.used
            if span.since <= each.seen_until and each.seen_from <= span.last_seen_at
            and looks(each.content) == span.content
        )  # fmt: skip

    def is_seen_by_us(self, span: Span) -> bool:
        """Whether all that is certain of a span is so by our own evidence."""
        return all(self.is_confirmed(push.since) and self.is_confirmed(push.until) for push in span.stretches())


def merge(
    evidence: Sequence[Evidence],
    reports: Sequence[Sighting],
    sweeps: Callable[[], Sequence[Sweep]] = tuple,
    view: View | None = None,
) -> Merged:
    """Put reports beside our own evidence; `sweeps` and `view` are as in `timeline`."""
    own = timeline(evidence, sweeps, view) if evidence else []
    if not reports:
        return Merged(own, own, (), ())
    whole = timeline(evidence, sweeps) if evidence and view is not None else own
    starts = [span.since for span in whole]
    used: list[Sighting] = []
    refused: list[Sighting] = []
    for report in sorted(reports, key=lambda each: (each.seen_from, each.seen_until, each.witness)):
        (refused if _is_contradicted(whole, starts, report) else used).append(report)
    looks = [
        Evidence(report.content, None, at, at)
        for report in used
        for at in dict.fromkeys((report.seen_from, report.seen_until))
    ]
    together = sorted((*evidence, *looks), key=lambda each: each.first_seen_at) if looks else list(evidence)
    spans = timeline(together, sweeps, view) if looks else own
    return Merged(spans, own, tuple(used), tuple(refused))


def _is_contradicted(own: Sequence[Span], starts: Sequence[int], report: Sighting) -> bool:
    """Whether we know for certain that the tag was something else at a moment at which a witness saw it."""
    first = max(bisect_left(starts, report.seen_from) - 1, 0)
    for span in own[first:]:
        if span.since > report.seen_until:
            return False
        if span.content in {report.content, UNKNOWN}:
            continue
        for push in span.pushes:
            if push.is_certain and push.since <= report.seen_until and report.seen_from <= push.until:
                return True
    return False


def _names(several: Iterable[Sighting]) -> list[str]:
    return sorted({each.witness for each in several})
