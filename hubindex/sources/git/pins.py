"""References that people have pinned in their own git: a tag together with a digest.

    FROM node:20.11@sha256:… AS build
    image: redis:7@sha256:…

Whoever wrote such a line had resolved the tag to the digest at some moment up to the commit: *seen by*. The time
is the author's, which a rebase does not change; a merge repeats nothing. A digest without a tag says nothing of a
tag.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from hubindex.digests import digest_bytes
from hubindex.errors import InvalidReference
from hubindex.reference import Reference
from hubindex.reports import Report
from hubindex.text import shown, storable

PATTERN: Final = "@sha256:[0-9a-f]{64}"
"""What git looks for in the lines that a commit changes."""

_PIN = re.compile(
    rb"(?<![A-Za-z0-9._/:@-])(?:docker://|oci://)?"
    rb"((?:[A-Za-z0-9][A-Za-z0-9.-]*(?::[0-9]{1,5})?/)?[a-z0-9]+(?:[._/-]+[a-z0-9]+)*:[A-Za-z0-9_][A-Za-z0-9._-]{0,127})"
    rb"@(sha256:[0-9a-f]{64})(?![0-9a-f])"
)
MAX_LINE: Final = 64 * 1024
"""Bytes of a line that are looked at."""

_MAX_SOURCE = 500


def read_pins(lines: Iterable[bytes], now: int) -> Iterator[Report]:
    """The pins in the output of `git log --patch`, whose commits begin with a byte of 1, their name and time."""
    commit, at, path = "", 0, ""
    for line in lines:
        if line.startswith(b"\x01"):
            commit, _, seconds = line[1:].decode("ascii", "replace").strip().partition(" ")
            at = int(seconds) * 1000 if seconds.isdigit() else now + 1
        elif line.startswith(b"+++ "):
            path = line[4:].decode("utf-8", "replace").strip().strip('"').removeprefix("b/")
        elif line.startswith(b"+") and 0 <= at <= now and b"@sha256:" in line:
            source = storable(f"{commit[:12]} {shown(path, 300)}", _MAX_SOURCE)
            yield from _pins_in(line[1:], at, source)


def _pins_in(line: bytes, at: int, source: str) -> Iterator[Report]:
    for found in _PIN.finditer(line):
        digest = digest_bytes(found[2].decode())
        try:
            reference = Reference.parse(found[1].decode())
        except InvalidReference:
            continue
        if digest is not None and reference.tag is not None:
            yield Report(reference, digest, at, at, is_by=True, source=source)
