"""What a server said that could not be understood, as warnings."""

from dataclasses import dataclass, field

from hubindex.text import shown

_MAX_COMPLAINTS = 20


@dataclass(slots=True)
class Complaints:
    """What could not be understood in one answer: a line for each row, the first twenty of them."""

    subject: str
    count: int = 0
    lines: list[str] = field(default_factory=list)

    def add(self, position: int, name: str, why: str) -> None:
        """Complain about the row at `position` (from 0)."""
        named = f" ({shown(name, 80)})" if name else ""
        self._add(f"{self.subject}, row {position + 1}{named}: {why}")

    def add_whole(self, why: str) -> None:
        """Complain about the whole answer."""
        self._add(f"{self.subject}: {why}")

    def _add(self, line: str) -> None:
        self.count += 1
        if self.count <= _MAX_COMPLAINTS:
            self.lines.append(line)

    def warnings(self) -> tuple[str, ...]:
        """The lines, and how many more there were."""
        hidden = self.count - len(self.lines)
        return (*self.lines, f"{self.subject}: {hidden} more of this kind") if hidden else tuple(self.lines)
