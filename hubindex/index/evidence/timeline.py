"""What a tag was at any moment, derived from the evidence: the law of docs/time.md as pure functions.

The evidence about a tag is a set of sights and words: each span as `judge.py` keeps it. Here they are put
in the order of time, checked against each other, and joined into the spans that people ask about: stretches in
which the tag pointed to one content. No database, no clock.

- With a push time everything from the push to the last sight is certain. Without one only the looks themselves
  are.
- A sight of a push that is older than one seen before is stale: it proves the moment of its push, and moves
  nothing.
- Where other evidence contradicts an unchanged push time, what follows the contradiction is certain no more.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from enum import Enum
from functools import cache
from itertools import pairwise
from operator import itemgetter
from typing import NamedTuple

from hubindex.index.evidence.judge import CLOCK_SKEW

GONE = -1
"""The content of a tag that is not there."""

UNKNOWN = 0
"""The content of a tag that is there, and nobody could read what it pointed to."""


PERIOD = 28 * 86_400_000
"""Milliseconds: how finely the index remembers when a repository changed."""


def period(at: int) -> int:
    """The number of the period that a moment lies in."""
    return at // PERIOD


class Evidence(NamedTuple):
    """A span as it is stored. `content` is a positive number, or UNKNOWN; times are UTC milliseconds.

    `gone_at` is when a sweep had found the tag gone after it. `is_cut` tells that something contradicted the push
    time before this part of a stretch, so that it does not reach back; unless it `is_certain`, not even its sights
    prove anything.
    """

    content: int
    pushed_at: int | None
    first_seen_at: int
    last_seen_at: int
    gone_at: int | None = None
    is_cut: bool = False
    is_certain: bool = True


class Push(NamedTuple):
    """A stretch inside a span that is certain from end to end.

    It reaches from a push, or a first sight, to the last sight of it; without a push time it is a single look.
    `pushed_at` is the registry's word for it, `doubt` what speaks against that word: `early` if it lies before the
    last sight of something else, `late` if it lies after our own first sight, `contradicted` if something else was
    shown in between. Then it moves no bound. What is not `is_certain` are sights that may be stale.
    """

    since: int
    until: int
    pushed_at: int | None
    doubt: str | None = None
    is_certain: bool = True


class Conflict(Enum):
    """How an answer contradicted what is known of the tag."""

    STALE = "stale"
    """It was older than what had been seen before."""
    ABSENT = "absent"
    """The whole list lacked the tag, which was there again with the same push time."""
    OTHER = "other"
    """It showed another digest, without a push time, while the push time stayed the same."""


class Contradiction(NamedTuple):
    """An answer that contradicts the others, and when it was given."""

    conflict: Conflict
    at: int


class Span(NamedTuple):
    """A stretch of time in which a tag pointed to one content (or was GONE, or UNKNOWN).

    It is certain within each of its `pushes`. `since_earliest` is how far back it can have begun: the last sight
    of what was there before, None where nothing is known of that. `until` and `until_latest` are the same pair for
    the end; both are None while the span is open. Where the two of a pair are equal, the moment is certain.
    """

    content: int
    since: int
    since_earliest: int | None
    until: int | None
    until_latest: int | None
    last_seen_at: int
    pushes: list[Push]
    contradictions: tuple[Contradiction, ...] = ()

    def is_confirmed(self, at: int) -> bool:
        """Whether the content is certain at a moment."""
        for push in self.pushes:  # noqa: SIM110 - a question asks it once, and any() is twice as slow
            if push.since <= at <= push.until and push.is_certain:
                return True
        return False

    def stretches(self) -> list[Push]:
        """The certain stretches, oldest first, each with the push that began it; those that touch are one."""
        if len(self.pushes) == 1:
            return self.pushes
        found: list[Push] = []
        for push in sorted(self.pushes, key=_since):
            if not push.is_certain:
                continue
            if found and push.since <= found[-1].until:
                found[-1] = found[-1]._replace(until=max(push.until, found[-1].until))
            else:
                found.append(push)
        return found

    def around(self, at: int) -> "Span":
        """The same with the bounds of the certain stretch that a moment lies in, or of the last one before it.

        `until` is None if the content was still there, for certain, at the last look.
        """
        stretches = self.stretches()
        stretch = next(stretch for stretch in reversed(stretches) if stretch.since <= at)
        if self.until is None and stretch.until == self.last_seen_at:
            return self._replace(since=stretch.since, pushes=[stretch])
        return self._replace(
            since=stretch.since, until=stretch.until, last_seen_at=stretch.until, pushes=[stretch]
        )

    def gaps(self) -> list[tuple[int, int]]:
        """The stretches between its first and last sight for which nobody can vouch."""
        stretches = self.stretches()
        found = [(before.until, after.since) for before, after in pairwise(stretches)]
        if stretches[-1].until < self.last_seen_at:
            found.append((stretches[-1].until, self.last_seen_at))
        return found


_since = itemgetter(0)

Sweep = tuple[int, int]
"""Start and end of a walk that saw all tags of a repository."""


def timeline(
    evidence: Sequence[Evidence],
    sweeps: Callable[[], Sequence[Sweep]] = tuple,
    view: Callable[[int], int] | None = None,
) -> list[Span]:
    """The spans of a tag, oldest first.

    `sweeps` answers with those of its repository; it is asked only if that makes a difference: of tags without
    push times, and where evidence contradicts itself. `view` maps a content to what is asked about, such as its
    image for one platform: neighbours that look the same are one span.
    """
    contradictions: list[Contradiction] = []
    ordered = evidence if _is_settled(evidence) else _settle(evidence, sweeps, contradictions)
    groups: list[_Group] = []
    before = _Before()
    shown = None
    for found in ordered:
        push = before.take(found)
        content = found.content
        looks = content if view is None or content <= UNKNOWN else view(content)
        if looks == shown:
            groups[-1].add(push)
        else:
            shown = looks
            groups.append(_Group(looks, push))
    spans = _spans(groups)
    return _with_contradictions(spans, contradictions) if contradictions else spans


class _Group:
    """Pushes one after the other that look the same, and the stretch from the first to the last.

    `surely_last` is the last moment of which it is certain.
    """

    __slots__ = ("content", "last", "pushes", "since", "surely_last")

    def __init__(self, content: int, push: Push) -> None:
        self.content = content
        self.since = self.surely_last = push.since
        self.last = push.until
        self.pushes: list[Push] = []
        self.add(push)

    def add(self, push: Push) -> None:
        """One more."""
        self.since = min(self.since, push.since)
        self.last = max(self.last, push.until)
        if push.is_certain:
            self.surely_last = max(self.surely_last, push.until)
        self.pushes.append(push)


class _Before:
    """What was there before a piece of evidence: since when something else was not seen any more.

    `content` was last seen at `seen_at`, another one before it at `other_at`. `worded_at` is when `content` was
    seen last with the registry's word for its push.
    """

    __slots__ = ("content", "other_at", "seen_at", "worded_at")

    def __init__(self) -> None:
        self.content: int | None = None
        self.seen_at: int | None = None
        self.other_at: int | None = None
        self.worded_at: int | None = None

    def take(self, found: Evidence) -> Push:
        """From when to when `found` is certain after what was there before; then it is what was there."""
        push = self._push(found)
        if found.content == self.content:
            self.seen_at = push.until if self.seen_at is None else max(push.until, self.seen_at)
        else:
            self.content = found.content
            self.other_at, self.worded_at = self.seen_at, None
            self.seen_at = push.until
        if push.pushed_at is not None:
            self.worded_at = self.seen_at
        return push

    def _push(self, found: Evidence) -> Push:
        content, pushed_at, first, last, _, is_cut, is_certain = found
        if pushed_at is None or pushed_at == first:
            return Push(first, last, pushed_at)
        if is_cut:
            return Push(first, last, pushed_at, "contradicted", is_certain)
        if pushed_at > first:
            return Push(first, last, pushed_at, "late")
        seen_at = self.seen_at
        if seen_at is None or pushed_at >= seen_at:
            return Push(pushed_at, last, pushed_at)
        if content != self.content:
            return Push(first, last, pushed_at, "early")
        # Not pushed since it was last seen, so it was there all the time: back to the push, unless it was seen
        # with another push after that.
        reaches_back = pushed_at >= max(self.worded_at or 0, self.other_at or 0)
        return Push(pushed_at if reaches_back else min(first, seen_at), max(last, seen_at), pushed_at)


def _spans(groups: Sequence[_Group]) -> list[Span]:
    spans = []
    for number, group in enumerate(groups):
        since, last = group.since, group.last
        before, after = _other(groups, number, -1), _other(groups, number, 1)
        spans.append(
            Span(
                group.content,
                since,
                None if before is None else min(before.surely_last, since),
                None if group is groups[-1] else last,
                None if after is None else max(after.since, last),
                last,
                group.pushes,
            )
        )
    return spans


def _other(groups: Sequence[_Group], number: int, step: int) -> _Group | None:
    """The nearest group before or after that is surely something else; what nobody could read may be the same."""
    content = groups[number].content
    other = number + step
    if content not in {UNKNOWN, GONE}:
        while 0 <= other < len(groups) and groups[other].content in {UNKNOWN, content}:
            other += step
    return groups[other] if 0 <= other < len(groups) else None


def _with_contradictions(spans: Sequence[Span], contradictions: Sequence[Contradiction]) -> list[Span]:
    """Each contradiction with the span that it meets."""
    found: dict[int, set[Contradiction]] = {}
    starts = [span.since for span in spans]
    for contradiction in contradictions:
        found.setdefault(max(bisect_right(starts, contradiction.at) - 1, 0), set()).add(contradiction)
    return [
        span._replace(contradictions=tuple(sorted(found[number], key=_at))) if number in found else span
        for number, span in enumerate(spans)
    ]


_at = itemgetter(1)


def span_at(spans: Sequence[Span], at: int) -> Span | None:
    """The span that a tag was in at a moment, surely or by the best guess; None before the first evidence."""
    for span in reversed(spans):
        if span.since <= at:
            return span
    return None


_first_seen = itemgetter(2)


def _is_settled(evidence: Sequence[Evidence]) -> bool:
    """Whether it is in the order of time and of pushes, and nothing in it contradicts anything; mostly it is."""
    last, pushed = -1, -1
    for _, pushed_at, first_seen_at, last_seen_at, gone_at, *_ in evidence:
        if gone_at is not None or first_seen_at < last:
            return False
        if pushed_at is None:
            if first_seen_at != last_seen_at:
                return False
        elif pushed_at <= pushed:
            return False
        else:
            pushed = pushed_at
        last = last_seen_at
    return True


def _settle(
    evidence: Sequence[Evidence], sweeps: Callable[[], Sequence[Sweep]], contradictions: list[Contradiction]
) -> list[Evidence]:
    """Evidence by first sight, none reaching into the next, absences among it.

    What contradicts it is added to `contradictions`.
    """
    sweeps = cache(sweeps)
    absences = sorted({found.gone_at for found in evidence if found.gone_at is not None})
    dated = _read([found for found in evidence if found.pushed_at is not None])
    looks = _looks([found for found in evidence if found.pushed_at is None], sweeps)
    fresh = [_told_by_looks(found, looks, absences) for found in _without_stale(dated, looks, contradictions)]
    swept = {finished for _, finished in sweeps()} if absences and len(fresh) > 1 else set()
    stretches = list(_joined(fresh, [at for at in absences if at not in swept]))
    others = [*(Evidence(GONE, None, at, at) for at in absences), *looks]
    ordered: list[Evidence] = []
    for found in stretches:
        sights = [piece[2:4] for piece in fresh if _word(piece) == _word(found)]
        against = [
            other for other in (*others, *stretches)
            if found.first_seen_at < other.first_seen_at < found.last_seen_at
            and other.content not in {found.content, UNKNOWN}
        ]  # fmt: skip
        ordered += _pieces(found, sights, against, sweeps) if against else [found]
        contradictions += [_contradiction(other) for other in against if other.pushed_at is None]
        # The push time was the same before and after: what was shown without one in between moves nothing.
        others = [other for other in others if not found.first_seen_at < other.first_seen_at < found.last_seen_at]
    ordered += others
    ordered.sort(key=_first_seen)  # what was stored later comes later where the times are equal
    return ordered


def _pieces(
    found: Evidence, sights: Sequence[tuple[int, int]], against: Sequence[Evidence],
    sweeps: Callable[[], Sequence[Sweep]],
) -> Iterator[Evidence]:  # fmt: skip
    """The parts of a stretch that are certain although other answers contradict it, from sight to sight.

    Where a whole list lacked the tag, later sights may be stale as well as that list may have been wrong: nothing
    is certain from there on.
    """
    moments = {moment for both in sights for moment in both}
    moments.update(
        started for started, finished in sweeps()
        if any(first < started and finished < last for first, last in sights)
        and not any(started <= other.first_seen_at <= finished for other in against)
    )  # fmt: skip
    absent_at = min((other.first_seen_at for other in against if other.content == GONE), default=None)
    since = before = found.first_seen_at
    is_cut = False
    for at in sorted(moments):
        if absent_at is not None and absent_at <= at:
            yield found._replace(first_seen_at=at, is_cut=True, is_certain=False)
            break
        if any(before < other.first_seen_at <= at for other in against):
            yield found._replace(first_seen_at=since, last_seen_at=before, is_cut=is_cut)
            since, is_cut = at, True
        before = at
    yield found._replace(first_seen_at=since, last_seen_at=before, is_cut=is_cut)


def _contradiction(other: Evidence) -> Contradiction:
    return Contradiction(Conflict.ABSENT if other.content == GONE else Conflict.OTHER, other.first_seen_at)


def _read(dated: Sequence[Evidence]) -> Sequence[Evidence]:
    """With the content of what could not be read at first: it is told by the push time, if that was read later."""
    unread = {found.pushed_at for found in dated if found.content == UNKNOWN}
    if not unread:
        return dated
    contents: dict[int | None, set[int]] = {}
    for found in dated:
        if found.content != UNKNOWN and found.pushed_at in unread:
            contents.setdefault(found.pushed_at, set()).add(found.content)
    known = {pushed_at: several.pop() for pushed_at, several in contents.items() if len(several) == 1}
    return [
        found._replace(content=known[found.pushed_at])
        if found.content == UNKNOWN and found.pushed_at in known
        else found
        for found in dated
    ]


def _told_by_looks(found: Evidence, looks: Sequence[Evidence], absences: Sequence[int]) -> Evidence:
    """With the content of what could not be read, if looks without a push time saw it since that push.

    Not if a list lacked the tag since: the answer may be an old one.
    """
    content, pushed_at, first = found[:3]
    if content != UNKNOWN or pushed_at is None or any(pushed_at < at <= first for at in absences):
        return found
    seen = {look.content for look in looks if pushed_at <= look.first_seen_at <= first} - {UNKNOWN}
    return found._replace(content=seen.pop()) if len(seen) == 1 else found


def _looks(undated: Sequence[Evidence], sweeps: Callable[[], Sequence[Sweep]]) -> list[Evidence]:
    """What has no push time, look by look: the first, the last, and sweeps that were over in one request."""
    found = []
    for piece in undated:
        first, last = piece.first_seen_at, piece.last_seen_at
        moments = {first, last}
        if first != last:
            moments.update(started for started, finished in sweeps() if first < started == finished < last)
        found += [Evidence(piece.content, None, at, at) for at in sorted(moments)]
    return found


def _without_stale(
    dated: Sequence[Evidence], looks: Sequence[Evidence], contradictions: list[Contradiction]
) -> list[Evidence]:
    """What has a push time and was not seen after a later push; of a push only seen so, its moment. By push."""
    ordered = sorted(dated, key=_push)
    fresh: list[Evidence] = []
    told: dict[tuple[int, int | None], int] = {}  # since when later pushes were known
    for found in reversed(ordered):
        first, last = found.first_seen_at, found.last_seen_at
        told_at = min((at for word, at in told.items() if word != _word(found)), default=None)
        if told_at is None or last <= told_at:
            fresh.append(found._replace(gone_at=None))
        else:
            # Its first sight may have been one without a push time, which only the stale answer gave it.
            contradictions += [Contradiction(Conflict.STALE, at) for at in {first, last} if at > told_at]
            if not any(_word(other) == _word(found) and other.last_seen_at <= told_at for other in dated):
                at = found.pushed_at or first
                fresh.append(Evidence(found.content, found.pushed_at, at, at))
        seen_at = _told_at(found, looks)
        if seen_at is not None:
            told[_word(found)] = min(seen_at, told.get(_word(found), seen_at))
    return fresh[::-1]


def _push(found: Evidence) -> tuple[int, int]:
    return found.pushed_at or 0, found.first_seen_at


def _word(found: Evidence) -> tuple[int, int | None]:
    return found.content, found.pushed_at


def _told_at(found: Evidence, looks: Sequence[Evidence]) -> int | None:
    """When the registry first said that this was pushed, or showed it without saying so.

    A push time far in the future of the looks that showed it is no measure for others: None.
    """
    content, pushed_at, first, last = found[:4]
    assert pushed_at is not None
    at = max(first, pushed_at - CLOCK_SKEW)
    if at > last:
        return None
    return min((look.first_seen_at for look in looks if look.content == content
                and pushed_at <= look.first_seen_at < at), default=at)  # fmt: skip


def _joined(fresh: Sequence[Evidence], barriers: Sequence[int]) -> Iterator[Evidence]:
    """Sights of one push are one stretch, unless the repository itself was gone in between (`barriers`).

    Sights before the push by a wrong clock stay apart.
    """
    several: dict[tuple[int, int | None], list[Evidence]] = {}
    for found in fresh:
        several.setdefault(_word(found), []).append(found)
    for pieces in several.values():
        pieces.sort(key=_first_seen)
        whole = pieces[0]
        for piece in pieces[1:]:
            is_late = whole.pushed_at is not None and whole.first_seen_at < whole.pushed_at <= piece.first_seen_at
            if is_late or any(whole.last_seen_at < at <= piece.first_seen_at for at in barriers):
                yield whole
                whole = piece
            else:
                whole = whole._replace(last_seen_at=max(whole.last_seen_at, piece.last_seen_at))
        yield whole
