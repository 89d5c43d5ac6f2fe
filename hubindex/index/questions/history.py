"""What a tag was at a moment, and how it became so. The words are those of docs/time.md."""

from collections.abc import Iterable
from enum import Enum
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from hubindex.certainty import Certainty
from hubindex.errors import NoAnswer
from hubindex.index.database.reader import Reader
from hubindex.index.evidence.judge import Sweeps
from hubindex.index.evidence.reported import Merged, View, itself, merge
from hubindex.index.evidence.timeline import (
    GONE,
    UNKNOWN,
    Conflict,
    Contradiction,
    Push,
    Span,
    Sweep,
    span_at,
    timeline,
)
from hubindex.index.platforms import digest_text
from hubindex.index.questions import repositories
from hubindex.index.questions.archive import Archive, tag_evidence
from hubindex.kinds import of_tag, platforms_of
from hubindex.moment import to_rfc3339
from hubindex.platform import Platform
from hubindex.reference import Reference

if TYPE_CHECKING:
    from hubindex.index.questions.reported import ReportRow

NO_IMAGE = -2
"""What a content without an image for a platform is to whoever asks for that platform."""

_MAX_TOLD = 3
_MAX_LISTED = 20


class State(Enum):
    """What a tag was: why an answer has a digest, or has none."""

    DIGEST = "digest"
    """It pointed to a digest."""
    GONE = "gone"
    """It was not there."""
    NO_IMAGE = "no image"
    """What it pointed to had no image for the platform, or several."""
    UNREAD = "unread"
    """It was there, and what it pointed to could not be read, or was not shown as one digest."""
    NOTHING_KNOWN = "nothing known"
    """There is no evidence of that time."""


class Answer(NamedTuple):
    """What a tag was, at a moment or for a stretch of time. Times are UTC milliseconds.

    `digest` is None where the answer is not known; `state` and `note` say why.

    The answer for a moment (`at`) has the certain stretch that the moment lies in, or the last one before it. The
    tag pointed to the digest from `since` until `until` for certain. It may have done so from `since_earliest` on,
    and until `until_latest`: nothing speaks against it in between. None means that nothing bounds it: no other
    digest was seen before, or none since. `until` is None if the digest was still there at the last look.
    `last_seen_at` is the last sight of it in the stretch, `pushed_at` the registry's word for the push that began
    it, and `gaps` has the stretch between two sights of the digest that the moment lies in, if it does.
    `is_first_sight` tells whether the digest was not seen there before `since`.

    The answer for a whole stretch of one digest (`at` is None) reaches from its first to its last sight, and
    `gaps` are the stretches inside for which nobody can vouch. `aliases` are other tags with the same content in
    that time, the most specific version first. `replaced_after` is how long it was there at most, in milliseconds;
    None while it is, or where nothing bounds it. `witness` names those who reported it, where the answer rests on
    them: for `reported`, and for what is inferred from their reports.
    """

    reference: Reference
    digest: str | None
    platform: str | None
    certainty: Certainty
    since: int | None = None
    since_earliest: int | None = None
    until: int | None = None
    until_latest: int | None = None
    last_seen_at: int | None = None
    pushed_at: int | None = None
    note: str = ""
    aliases: tuple[str, ...] = ()
    gaps: tuple[tuple[int, int], ...] = ()
    at: int | None = None
    is_first_sight: bool = True
    state: State = State.DIGEST
    witness: str | None = None

    @property
    def replaced_after(self) -> int | None:
        """Milliseconds from its start to what came next."""
        if self.since is None or self.until_latest is None:
            return None
        return self.until_latest - self.since


_STATES = {GONE: State.GONE, UNKNOWN: State.UNREAD, NO_IMAGE: State.NO_IMAGE}


def resolve(
    reader: Reader, reference: Reference, at: int | None = None, platform: Platform | None = None
) -> Answer:
    """What a tag pointed to at a moment, by default that of the last look at it.

    With a platform, its image for that. Where there is no answer it is `unknown`. Raises `NoAnswer` if the index
    does not know the tag.
    """
    past = Past(reader, reference, platform)
    if at is None:
        at = past.looked_at
    span = past.merged.best_at(at)
    if span is not None:
        return past.answer(span, at)
    why = f"the first evidence about {reference.familiar} is of {past.first_at}, later than that"
    return past.unanswered(State.NOTHING_KNOWN, why + past.hint(at), at=at)


def history(
    reader: Reader,
    reference: Reference,
    platform: Platform | None = None,
    since: int | None = None,
    until: int | None = None,
) -> list[Answer]:
    """All that a tag was, or may have been, between two moments; newest first.

    Stretches in which it was gone have no digest, and say so. Raises `NoAnswer` if the index does not know the
    tag, or nothing of that time.
    """
    past = Past(reader, reference, platform)
    names = past.aliases() if platform is None else [()] * len(past.spans)
    answers = [past.answer(span)._replace(aliases=also) for span, also in zip(past.spans, names, strict=True)]
    found = [answer for answer in reversed(answers) if _lasted(answer, since or 0, until)]
    if not found:
        raise NoAnswer(f"the first evidence about {reference.familiar} is of {past.first_at}, later than that")
    return found


def _lasted(answer: Answer, first: int, last: int | None) -> bool:
    """Whether the tag was, or may have been, that between two moments."""
    assert answer.since is not None
    start = answer.since
    if answer.since_earliest is not None and answer.pushed_at != start:
        start = answer.since_earliest
    if last is not None and start > last:
        return False
    if answer.until is None or answer.until_latest is None:
        return True
    return max(answer.until, answer.until_latest - 1) >= first


def first_sweep(reader: Reader, facts: repositories.RepositoryFacts) -> int | None:
    """When the first complete look at the tags of a repository began, None if there was none."""
    for started, _ in Archive(reader, facts.repository_id, facts.sweeps).sweeps():
        return started
    return None


def tags_at(reader: Reader, facts: repositories.RepositoryFacts, at: int) -> list[repositories.TagFacts]:
    """The tags that a repository had at a moment, as far as known; newest first, as `repositories.tags`.

    Raises `NoAnswer` if nothing is known of that time.
    """
    archive = Archive(reader, facts.repository_id, facts.sweeps)
    evidence = archive.tags()
    names = evidence.keys() | archive.reports().keys()
    merged = {tag: archive.merged(tag, evidence.get(tag, [])) for tag in names}
    merged = {tag: each for tag, each in merged.items() if each.spans}
    if merged and all(at < each.spans[0].since for each in merged.values()):
        first = to_rfc3339(min(each.spans[0].since for each in merged.values()))
        name = facts.reference.familiar_name
        raise NoAnswer(f"the first evidence about the tags of {name} is of {first}, later than that")
    held = {tag: span for tag, each in merged.items() if (span := each.best_at(at)) and span.content != GONE}
    digests = archive.digests(span.content for span in held.values())
    contents = {tag: span.content for tag, span in held.items()}
    same = repositories.same_content(contents)
    found = []
    for tag, span in held.items():
        digest = digests.get(span.content)
        text = digest.text if digest else None
        sure = merged[tag].certainty(span, at)
        platforms = sorted({platform for platform, _ in (digest and digest.images) or ()})
        kind = of_tag(tag, digest.kind if digest else None, platforms)
        found.append(
            repositories.TagFacts(
                tag,
                text,
                digest.media_type if digest else None,
                platforms_of(kind, platforms),
                digest.size if digest else None,
                min(span.pushes, key=_began).pushed_at,
                span.since,
                span.last_seen_at,
                same.get(tag, ()),
                Certainty.UNKNOWN if text is None else sure,
                kind,
            )
        )
    return repositories.newest_first(found)


class Past:
    """One tag's evidence, and the answers that come of it."""

    def __init__(self, reader: Reader, reference: Reference, platform: Platform | None) -> None:
        rows = reader.query(
            "history", "tag", registry=reference.registry, repository=reference.repository, tag=reference.tag
        )
        if rows:
            first = TagRow._make(rows[0])
            self._sweeps = Sweeps(first.swept_at, first.partial_at, first.partial_since)
            self._repository_id, self._missing_at = first.repository_id, first.missing_at
        else:
            facts = repositories.repository(reader, reference)  # or it raises NoAnswer
            self._sweeps = facts.sweeps
            self._repository_id, self._missing_at = facts.repository_id, facts.missing_at
        reports: list[ReportRow] = []
        if not rows or first.has_reports:
            from hubindex.index.questions import reported

            reports = reported.of_tag(reader, self._repository_id, reference.tag)
            if not rows and not reports:
                raise NoAnswer(_no_tag(reference, facts))
        self._rows = [TagRow._make(row) for row in rows]
        self._reader = reader
        self._reference = reference
        self._platform = platform
        self._evidence = found = tag_evidence(rows, self._sweeps) if rows else []
        view: View | None = None
        if platform is not None:
            self.archive.digests([piece.content for piece in found])
            view = self._image
        self._hints: list[ReportRow] = []
        self._looks = view or itself
        if reports:
            numbers = reported.known_numbers(reader, self._repository_id, reports)
            told = reported.TagReports(reports, numbers, platform)
            self.archive.know(told.foreign)
            view = None if view is None else told.view(view)
            self._looks, self._hints = view or itself, told.hints
            self.merged = merge(found, told.sightings, self._past_sweeps, view)
        else:
            spans = timeline(found, self._past_sweeps, view)
            self.merged = Merged(spans, spans, (), ())
        self.spans = self.merged.spans
        if not self.spans:
            raise NoAnswer(f"{reference.familiar} is not in the index{self.hint(None)}")

    @cached_property
    def archive(self) -> Archive:
        """The evidence about the whole repository."""
        return Archive(self._reader, self._repository_id, self._sweeps)

    @property
    def first_at(self) -> str:
        """The time of the first evidence."""
        return to_rfc3339(self.spans[0].since)

    def hint(self, at: int | None) -> str:
        """What somebody is known to have seen by some time, for a message; empty if nothing."""
        hints = [hint for hint in self._hints if at is None or hint.seen_until >= at]
        if not hints:
            return ""
        hint = min(hints, key=lambda each: each.seen_until)
        seen = f"{hint.witness} had seen {digest_text(bytes(hint.digest))} by {to_rfc3339(hint.seen_until)}"
        return f"; {seen} ({hint.source})" if hint.source else f"; {seen}"

    def _past_sweeps(self) -> list[Sweep]:
        return self.archive.sweeps()

    @property
    def looked_at(self) -> int:
        """When the tag was looked at last, whatever the look showed: an older answer, nothing readable, no tag."""
        if not self._rows:
            return self.spans[-1].last_seen_at
        tag = self._rows[0]
        looks = [max(found.last_seen_at, found.gone_at or 0) for found in self._evidence]
        if tag.gone_at is None and tag.last_seen_at is not None:
            looks.append(self._sweeps.swept_at or 0)  # it confirms what is readable only
        return max(*looks, tag.missing_at or 0, 0)

    def answer(self, span: Span, at: int | None = None) -> Answer:
        """A span as an answer: to the question for a moment in it, or for the span itself."""
        if span.content <= UNKNOWN:
            return self.unanswered(_STATES[span.content], self._why_nothing(span, at), span, at)
        digest = self._digest(span.content)
        if digest is None:
            why = f"the registry showed the platform images of {self._name}, and no digest of their index"
            return self.unanswered(State.UNREAD, why, span, at)
        platform = self._platform and str(self._platform)
        note = self._note(span, at)
        if at is not None:
            certainty, witness = self._certainty(span, at)
            gaps = tuple(gap for gap in span.gaps() if gap[0] < at < gap[1])
            answer = Answer(
                self._reference, digest, platform, certainty, note=note, gaps=gaps, at=at, witness=witness
            )
            around = span.around(at)
            return _bounded(answer._replace(is_first_sight=around.since == span.since), around)
        gaps = tuple(self.merged.gaps(span, self._looks))
        witness = ", ".join(self.merged.witnesses_of(span, self._looks)) or None
        certainty = Certainty.INFERRED if gaps else Certainty.CONFIRMED
        if certainty == Certainty.CONFIRMED and witness and not self.merged.is_seen_by_us(span):
            certainty = Certainty.REPORTED
        return _bounded(
            Answer(self._reference, digest, platform, certainty, note=note, gaps=gaps, witness=witness), span
        )

    def _certainty(self, span: Span, at: int) -> tuple[Certainty, str | None]:
        """How sure it is what a span says of a moment, and on whose word."""
        certainty = self.merged.certainty(span, at, self._looks)
        if certainty == Certainty.CONFIRMED or not self.merged.used:
            return certainty, None
        moment = at if certainty == Certainty.REPORTED else span.around(at).last_seen_at
        return certainty, ", ".join(self.merged.witnesses_at(moment, self._looks, span.content)) or None

    def unanswered(self, state: State, why: str, span: Span | None = None, at: int | None = None) -> Answer:
        """No digest, and why; with the bounds of a span that has none."""
        platform = self._platform and str(self._platform)
        nothing = Answer(self._reference, None, platform, Certainty.UNKNOWN, note=why, at=at, state=state)
        return nothing if span is None else _bounded(nothing, span)

    def aliases(self) -> list[tuple[str, ...]]:
        """For each span the other tags that had its content while it was seen, the most specific version first."""
        digests = self.archive.digests(span.content for span in self.spans)
        names = {name for span in self.spans if span.content > UNKNOWN for name in digests[span.content].tags}
        names.discard(self._reference.tag or "")
        others = {
            name: self.archive.timeline(evidence) for name, evidence in self.archive.tags_named(names).items()
        }
        return [
            tuple(repositories.most_specific_first(
                name for name, spans in others.items() if any(_met(span, other) for other in spans)
            ))
            for span in self.spans
        ]  # fmt: skip

    @property
    def _name(self) -> str:
        return self._reference.familiar

    def _digest(self, content: int) -> str | None:
        if self._platform is not None:
            return self.archive.digests([content])[content].text
        for row in self._rows:
            if row.digest_id == content:
                return digest_text(row.digest)
            if row.span_digest_id == content:
                return digest_text(row.span_digest)
        return self.archive.digests([content])[content].text  # only somebody else has seen it

    def _images(self, content: int) -> list[tuple[str, int]] | None:
        """The images of a content that fit the platform; None if its images are not known."""
        images = self.archive.digests([content])[content].images
        if images is None or self._platform is None:
            return None
        chosen = self._platform.choose(name for name, _ in images)
        return [(name, number) for name, number in images if name in chosen]

    def _image(self, content: int) -> int:
        """What a content is for the platform."""
        fitting = self._images(content)
        if fitting is None:
            return UNKNOWN
        numbers = {number for _, number in fitting}
        return numbers.pop() if len(numbers) == 1 else NO_IMAGE

    def _why_nothing(self, span: Span, at: int | None) -> str:
        name = self._name
        if span.content == GONE:
            seen = "" if span.since_earliest is None else f"between {to_rfc3339(span.since_earliest)} and "
            back = (
                "" if span.until is None else f", and came back by {to_rfc3339(span.until_latest or span.until)}"
            )
            return f"{name} was gone: it vanished {seen or 'by '}{to_rfc3339(span.since)}{back}"
        whole = span_at(self.archive.timeline(self._evidence), span.last_seen_at if at is None else at)
        if whole is None and self._evidence == []:
            return f"the platform images of {name} are not known"
        if whole is None or whole.content <= UNKNOWN:
            return f"the registry showed {name} without a digest since {to_rfc3339(span.since)}"
        digest = self.archive.digests([whole.content])[whole.content]
        if digest.images is None:
            return f"the platform images of {name} are not known"
        if fitting := self._images(whole.content):
            return f"{self._platform} is several platforms of {name}: {_listed(name for name, _ in fitting)}"
        return f"{name} had no image for {self._platform}: it had {_listed(name for name, _ in digest.images)}"

    def _note(self, span: Span, at: int | None) -> str:
        """What else there is to be said of a span's evidence: of all of it, or of what matters at a moment."""
        missing_at = self._missing_at
        stretches = span.stretches()
        if (
            len(stretches) == 1
            and stretches[0].doubt is None
            and span.since == stretches[0].pushed_at
            and missing_at is None
            and not span.contradictions
            and not self.merged.refused
        ):
            return ""
        told = [
            f"the registry says that it was pushed at {to_rfc3339(push.pushed_at)}, "
            + ("before something else was last seen" if push.doubt == "early" else "after we saw it")
            + ": only our own sights count"
            for push in span.pushes
            if push.doubt in {"early", "late"} and push.pushed_at is not None
        ]
        told += [
            f"{report.witness} reports something else for {to_rfc3339(report.seen_from)}"
            for report in self.merged.refused
            if span.since <= report.seen_until and (span.until is None or report.seen_from <= span.until)
        ]
        if at is None or not span.is_confirmed(at):
            told += [_told(contradiction, self._name) for contradiction in span.contradictions]
        if len(told) > _MAX_TOLD:
            told[_MAX_TOLD:] = [f"and {len(told) - _MAX_TOLD} more"]
        if at is not None:
            told += [
                _gap_told(before, after)
                for before, after in pairwise(stretches)
                if before.until < at < after.since
            ]
        if span.since == self.spans[0].since and stretches[0].pushed_at is None:
            told.append("it may have been there before its first sight")
        if missing_at is not None and span.until is None and (at is None or at >= missing_at):
            told.append(f"the registry has answered 404 for the repository since {to_rfc3339(missing_at)}")
        return "; ".join(told)


class TagRow(NamedTuple):
    """A row of the statement `tag`: the open span of a tag, and one of its closed spans."""

    digest_id: int | None
    pushed_at: int | None
    first_seen_at: int
    last_seen_at: int | None
    gone_at: int | None
    seen_at: int | None
    span_digest_id: int
    span_pushed_at: int | None
    span_first_seen_at: int | None
    span_last_seen_at: int | None
    span_gone_at: int | None
    digest: bytes | None
    span_digest: bytes | None
    repository_id: int
    missing_at: int | None
    swept_at: int | None
    partial_at: int | None
    partial_since: int | None
    has_reports: bool | int


def _bounded(answer: Answer, span: Span) -> Answer:
    """With the bounds of a span."""
    return answer._replace(
        since=span.since, since_earliest=span.since_earliest, until=span.until, until_latest=span.until_latest,
        last_seen_at=span.last_seen_at, pushed_at=min(span.pushes, key=_began).pushed_at,
    )  # fmt: skip


def _began(push: Push) -> tuple[int, bool]:
    """The first of several pushes is the one that began first; the registry's word counts more than a look."""
    return push.since, push.pushed_at is None


def _told(contradiction: Contradiction, name: str) -> str:
    at = to_rfc3339(contradiction.at)
    if contradiction.conflict is Conflict.STALE:
        return f"the answer of {at} was older than what had been seen before"
    if contradiction.conflict is Conflict.ABSENT:
        return (
            f"a list of {at} lacked {name}, which was there again with the same push time: "
            "either that list or the later answers are wrong"
        )
    return f"the registry showed another digest at {at}, though its push time is the same before and after"


def _gap_told(before: Push, after: Push) -> str:
    if after.pushed_at == after.since:
        return f"it was pushed again at {to_rfc3339(after.since)}; nothing is known between the two"
    return (
        f"it was the same at {to_rfc3339(before.until)} and at {to_rfc3339(after.since)}; "
        "a move there and back in between would have left no trace"
    )


def _met(span: Span, other: Span) -> bool:
    """Whether two tags had the same content at the same time, as far as they were seen."""
    return (
        span.content == other.content > UNKNOWN
        and span.since <= other.last_seen_at
        and other.since <= span.last_seen_at
    )


def _listed(names: Iterable[str]) -> str:
    found = sorted(set(names))
    more = [f"and {len(found) - _MAX_LISTED} more"] if len(found) > _MAX_LISTED else []
    return ", ".join([*found[:_MAX_LISTED], *more]) or "none"


def _no_tag(reference: Reference, facts: repositories.RepositoryFacts) -> str:
    name = reference.familiar_name
    if facts.walked_at is None:
        return f"the tags of {name} are not in the index: fetch them with 'hubindex crawl --repo {name}'"
    return f"{reference.familiar} is not in the index: no look at the tags of {name} has found it"
