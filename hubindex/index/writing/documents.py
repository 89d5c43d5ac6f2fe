"""Writing the search index: a document for each repository, and how many repositories hold each word."""

from collections import Counter

from hubindex.index.database.engine import Transaction
from hubindex.index.database.reader import Row
from hubindex.index.database.schema import repository_search
from hubindex.index.database.sql import Parameters
from hubindex.index.words import Document


class DocumentWriter:
    """Gathers documents that come and go within one transaction; `flush` writes them."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._changes: dict[int, tuple[Document | None, Document | None]] = {}

    def replace(self, repository_id: int, old: Document | None, new: Document | None) -> None:
        """Take `old` out and put `new` in; None for a repository that was or shall be in no answer."""
        stored, _ = self._changes.get(repository_id, (old, None))  # what is stored, if it changes more than once
        self._changes[repository_id] = stored, new

    def flush(self) -> None:
        """Write what was gathered."""
        changes = [(number, old, new) for number, (old, new) in self._changes.items() if old != new]
        dropped = [(number, old) for number, old, _ in changes if old is not None]
        added = [(number, new) for number, _, new in changes if new is not None]
        if self._tx.dialect == "sqlite":
            self._tx.run("drop_document", *(_fts5_row(document) for _, document in dropped))
            self._tx.run("add_document", *(_fts5_row(document) for _, document in added))
        else:
            rows: list[Parameters] = [{"repository_id": number} for number, _ in dropped]
            self._tx.run("drop_document", *rows)
            self._tx.insert(repository_search, [_tsvector_row(*document) for document in added])
        counts: Counter[str] = Counter()
        for _, document in dropped:
            counts.subtract(_counted(document))
        for _, document in added:
            counts.update(_counted(document))
        self._write_counts(counts)
        self._changes.clear()

    def _write_counts(self, counts: Counter[str]) -> None:
        changes = {word: change for word, change in sorted(counts.items()) if change}
        if not changes:
            return
        known: dict[str, int] = dict(self._tx.query("words_known", words=list(changes)))
        rows = [(word, known.get(word, 0) + change) for word, change in changes.items()]
        if self._tx.dialect == "sqlite":
            self._tx.run(
                "put_word",
                *({"word": w, "repositories": n, "frequency": max(n, 0).bit_length()} for w, n in rows),
            )
        else:
            columns = {
                "words": [word for word, _ in rows],
                "counts": [count for _, count in rows],
                "frequencies": [max(count, 0).bit_length() for _, count in rows],
            }
            self._tx.run("put_words", columns)


def tier_word(tier: int) -> str:
    """The pseudo-word that stands for a class of popularity; `#` is in no word of a text."""
    return f"#{tier}"


def _counted(document: Document) -> set[str]:
    """What is counted: words, the class of popularity, and the flags that filters ask for."""
    flags = {f"#{flag}" for flag in document.flags if flag in {"official", "automated"}}
    return {*document.words(), tier_word(document.tier), *flags}


def _fts5_row(document: Document) -> dict[str, object]:
    return {
        "rank": document.rank,
        "name": " ".join(document.name),
        "description": " ".join(document.description),
        "flags": " ".join(document.flags),
    }


def _tsvector_row(repository_id: int, document: Document) -> Row:
    """Lexemes as they are, no parser: words hold letters and digits only, flags no quote and no backslash."""
    flags = (f"#{flag}" for flag in document.flags)
    lexemes = {*document.words(), *flags, tier_word(document.tier), *(f"@{word}" for word in document.name)}
    return repository_id, document.rank, " ".join(f"'{lexeme}'" for lexeme in sorted(lexemes))
