"""Everything that hubindex raises on purpose.

    HubindexError                 exit 1
    ├── WrongUsage                exit 2
    │   └── InvalidReference
    ├── InvalidFilter             exit 1, as docker
    ├── InvalidTemplate           exit 1, as docker
    ├── NoAnswer                  exit 3
    ├── AmbiguousDigest           exit 1
    ├── CannotKeep                exit 1
    ├── StorageError              exit 1
    │   └── NewerIndex
    ├── SourceError               exit 1
    │   ├── Unreachable
    │   │   └── GivenUp
    │   ├── NotFound
    │   ├── RateLimited
    │   ├── PaginationRefused
    │   ├── Blocked
    │   │   └── Forbidden
    │   ├── SignInRefused
    │   ├── BudgetSpent
    │   └── UnreadableAnswer
    └── IncompleteCrawl           exit 4

An error's message is one line for a person: what happened, why, and what to do next.
"""


class HubindexError(Exception):
    """The root of the tree; `exit_code` is what the command line ends with."""

    exit_code = 1


class WrongUsage(HubindexError):
    """The question itself is malformed."""

    exit_code = 2


class InvalidReference(WrongUsage):
    """Text that is not an image reference."""


class InvalidFilter(HubindexError):
    """A search filter that docker refuses too."""


class InvalidTemplate(HubindexError):
    """A `--format` template that cannot be parsed or executed."""


class NoAnswer(HubindexError):
    """The index holds no answer to a well-formed question."""

    exit_code = 3


class AmbiguousDigest(HubindexError):
    """The beginning of several digests, where one was asked for."""


class CannotKeep(HubindexError):
    """Docker's configuration or a credential helper cannot keep, or forget, a sign-in."""


class StorageError(HubindexError):
    """The index cannot be opened, read or written."""


class NewerIndex(StorageError):
    """The index was written by a newer hubindex."""


class SourceError(HubindexError):
    """A source did not give what it was asked for."""


class Unreachable(SourceError):
    """No whole answer arrived: refused, reset, timed out, cut short, or a server fault (5xx)."""


class GivenUp(Unreachable):
    """A host that has failed so often that it is left alone."""


class NotFound(SourceError):
    """The source says 404: missing, private, or a fault of the source."""


class RateLimited(SourceError):
    """The source says 429: too many requests."""


class PaginationRefused(SourceError):
    """The source shows no further pages to this caller (403, pagination offset too large)."""


class Blocked(SourceError):
    """The source or its CDN refuses this client (401, 403, challenge pages).

    After a refusal by the CDN every later request to that host raises it at once, without sending.
    """


class SignInRefused(SourceError):
    """The source refused a user name and token."""


class BudgetSpent(SourceError):
    """As many requests as this run may send have been sent; one more was not sent."""


class Forbidden(Blocked):
    """The source refuses this one thing (a plain 401 or 403), and perhaps no other."""


class UnreadableAnswer(SourceError):
    """An answer arrived that is too large, not JSON, or not of the documented shape."""


class IncompleteCrawl(HubindexError):
    """A crawl stored what it could, but could not fetch everything."""

    exit_code = 4
