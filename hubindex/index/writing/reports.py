"""Reports become rows, apart from our own evidence, each once."""

from collections.abc import Mapping, Sequence

from hubindex.index.content_rows import prefix
from hubindex.index.database.engine import Transaction
from hubindex.index.database.sql import Parameters
from hubindex.reference import Reference
from hubindex.reports import Report


class ReportWriter:
    """Stores what witnesses say, and forgets it again."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def store(self, witness: str, reports: Sequence[Report], numbers: Mapping[Reference, int]) -> int:
        """Keep reports of a witness; returns how many were new. `numbers` are those of their repositories."""
        self._tx.run("add_witness", {"name": witness})
        witness_id = self._tx.value("witness_id", name=witness)
        rows: list[Parameters] = [
            {
                "repository_id": numbers[Reference(each.reference.registry, each.reference.repository)],
                "tag": each.reference.tag,
                "witness_id": witness_id,
                "seen_from": each.seen_from,
                "seen_until": each.seen_until,
                "digest": each.digest or b"",
                "platform": each.platform or "",
                "is_by": each.is_by,
                "prefix": prefix(each.digest) if each.digest else None,
                "source": each.source,
            }
            for each in reports
        ]
        return self._tx.run("add_report", *rows)

    def mark(self, witness: str, subject: str) -> str | None:
        """How far what a witness says of something was imported."""
        rows = self._tx.query("import_mark", witness=witness, subject=subject)
        return str(rows[0][0]) if rows else None

    def put_mark(self, witness: str, subject: str, mark: str) -> None:
        """Remember how far it was."""
        self._tx.run("put_import_mark", {"witness": witness, "subject": subject, "mark": mark})

    def forget(self, witness: str) -> int | None:
        """Forget a witness; returns how many reports that were, None if it is not known."""
        rows = self._tx.query("witness_id", name=witness)
        if not rows:
            return None
        ((witness_id,),) = rows
        count = self._tx.run("forget_reports", {"witness_id": witness_id})
        self._tx.run("forget_import_marks", {"witness": witness})
        self._tx.run("forget_witness", {"witness_id": witness_id})
        return count
