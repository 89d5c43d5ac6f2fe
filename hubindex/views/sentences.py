"""What a person is told beside a digest: how sure it is, from when to when, and what moved on a day."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hubindex.certainty import Certainty
from hubindex.index.questions.history import Answer
from hubindex.moment import to_rfc3339

if TYPE_CHECKING:
    from hubindex.index.questions.changes import Change


def named(answer: Answer) -> str:
    """What was asked for: `mongo:latest`, `mongo:latest for linux/arm64`."""
    name = answer.reference.familiar
    return name if answer.platform is None else f"{name} for {answer.platform}"


def sentence(answer: Answer, at: int, what: str = "this digest", looked: str = "") -> str:
    """When `what`, the answer to the question for `at`, was behind the tag, and what else there is to be said.

    `looked` tells how long ago the last look was, if that is what was asked about.
    """
    assert answer.since is not None
    assert answer.last_seen_at is not None
    start = _start(answer, answer.since)
    is_after_last_sight = answer.certainty == Certainty.INFERRED and at > answer.last_seen_at and not answer.gaps
    gap = ""
    if answer.until is None:
        said = f"has pointed to {what} since {start}, last seen {to_rfc3339(answer.last_seen_at)}"
        gap = "" if looked else "; nothing is known after that"
    elif answer.until_latest is None:
        said = f"pointed to {what} from {start} until at least {to_rfc3339(answer.until)}"
        said += ", and no other digest was seen since"
    elif answer.until_latest == answer.until:
        said = f"pointed to {what} from {start} until {to_rfc3339(answer.until)}"
    else:
        until, latest = to_rfc3339(answer.until), to_rfc3339(answer.until_latest)
        said = f"pointed to {what} from {start} until at least {until}, and until {latest} at most"
        gap = "; nothing is known between the two"
    note = f"; {answer.note}" if answer.note else ""
    if answer.witness is not None:
        note = (
            f", says {answer.witness}{note}"
            if answer.certainty == Certainty.REPORTED
            else (f"; that rests on what {answer.witness} reports{note}")
        )
    as_of = f"as of the last look, {looked}, " if looked else ""
    return f"{as_of}{named(answer)} {said}{gap if is_after_last_sight else ''}{note}"


def day_sentence(changes: Sequence["Change"], day: tuple[int, int]) -> str:
    """What a tag did, or may have done, between the first and the last millisecond of a day; empty if nothing."""
    if not changes:
        return ""
    return f"on {to_rfc3339(day[0])[:10]} it " + "; it ".join(_deed(change, day) for change in changes)


def _start(answer: Answer, since: int) -> str:
    earliest = answer.since_earliest
    if since == answer.pushed_at:
        return f"{to_rfc3339(since)} (pushed then)"
    seen = "first seen then" if answer.is_first_sight else "seen then"
    if earliest is None or earliest == since:
        return f"{to_rfc3339(since)} ({seen})"
    return f"{to_rfc3339(since)} ({seen}; the tag changed after {to_rfc3339(earliest)})"


_DEEDS = {
    "added": ("was added", "may have been added"),
    "moved": ("moved", "may have moved"),
    "removed": ("was removed", "may have been removed"),
}


def _deed(change: "Change", day: tuple[int, int]) -> str:
    """`moved at … from … to …`; `may have` where it need not have been on that day."""
    surely, perhaps = _DEEDS[change.change]
    said = surely if day[0] <= change.earliest and change.since <= day[1] else perhaps
    if change.earliest == change.since:
        said += f" at {to_rfc3339(change.since)}"
    else:
        said += f" between {to_rfc3339(change.earliest)} and {to_rfc3339(change.since)}"
    if change.change == "removed":
        return said
    if change.change == "added":
        return f"{said}, as {_digest(change.new)}"
    return f"{said} from {_digest(change.old)} to {_digest(change.new)}"


def _digest(digest: str | None) -> str:
    return "an unknown digest" if digest is None else f"{digest[:19]}…"
