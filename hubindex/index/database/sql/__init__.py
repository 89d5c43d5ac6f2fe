"""The SQL behind the questions: named statements in `.sql` files, the same for both engines where they agree.

A statement follows a line `-- name: its_name`; `:parameter` is a parameter and `= ANY(:list)` takes a list.
What several statements of a file share follows a line `-- part: its_name` above them: `{its_name}` stands for it.
`family.sqlite.sql` and `family.postgresql.sql` hold what differs. SQLite, which has one writer at a time, locks no
rows: `FOR UPDATE …` at the end of a statement is for PostgreSQL.
"""

import os
import re

Parameters = dict[str, object]

_FOLDER = os.path.dirname(__file__)
_LIST = r"= ANY\(:(\w+)\)"
_ROW_LOCK = r"\s+FOR UPDATE\b[^\n]*$"
_PARAMETER = r"(?<!:):([a-z_]+)"


def load(family: str, dialect: str) -> dict[str, str]:
    """All statements of a family in the words of `dialect` (`sqlite` or `postgresql`), by name."""
    statements: dict[str, str] = {}
    parts: dict[str, str] = {}
    for file in (f"{family}.sql", f"{family}.{dialect}.sql"):
        path = os.path.join(_FOLDER, file)
        if os.path.exists(path):
            with open(path, encoding="utf-8") as text:
                for section in re.split(r"^-- (?=name: |part: )", text.read(), flags=re.MULTILINE)[1:]:
                    head, _, body = section.partition("\n")
                    kind, _, name = head.partition(": ")
                    body = re.sub(r"\{(\w+)\}", lambda used: parts[used[1]], body.strip())
                    if kind == "part":
                        parts[name] = body
                    else:
                        statements[name] = _translate(body, dialect)
    return statements


def bind(parameters: Parameters, dialect: str) -> Parameters:
    """The parameters as the driver of `dialect` wants them: SQLite takes a list as a JSON array."""
    bound = parameters
    if dialect == "sqlite":
        for name, value in parameters.items():
            if isinstance(value, list):
                bound = {**bound, name: _json_array(value)}
    return bound


def _translate(statement: str, dialect: str) -> str:
    if dialect == "sqlite":
        return re.sub(_LIST, r"IN (SELECT value FROM json_each(:\1))", re.sub(_ROW_LOCK, "", statement))
    return re.sub(_PARAMETER, r"%(\1)s", statement)


def _json_array(values: list[object]) -> str:
    import json

    return json.dumps(values)
