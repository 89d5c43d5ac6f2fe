"""Who may import whom (docs/architecture.md), read from the source without running it."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "hubindex"

# The root's own names: `hubindex/__init__.py`, the public face, which reaches into the index.
FACE = "__init__"
VALUES = {
    "contents",
    "reports",
    "verdicts",
    "records",
    "reference",
    "pasted",
    "moment",
    "platform",
    "kinds",
    "certainty",
    "errors",
    "text",
    "digests",
    "docker_hub",
}
EVERYTHING = VALUES | {"sources", "index", "crawl", "views", "serve", "cli", FACE}
MAY_IMPORT = {
    "errors": set[str](),
    "text": set[str](),
    "digests": set[str](),
    "docker_hub": set[str](),
    "reference": {"digests", "docker_hub", "errors", "text"},
    "pasted": {"docker_hub", "reference", "errors", "text"},
    "moment": {"errors", "text"},
    "platform": {"errors", "text"},
    "kinds": {"errors"},
    "certainty": set[str](),
    "records": {"kinds", "errors"},
    "contents": {"digests", "kinds", "records"},
    "verdicts": {"reference"},
    "reports": {"reference"},
    "sources": VALUES,
    "index": VALUES,
    "crawl": VALUES | {"sources", "index"},
    "views": VALUES | {"index"},
    "serve": EVERYTHING,
    "cli": EVERYTHING,
    FACE: {"index", "reference", "errors", "certainty", "contents", "platform"},
    "__main__": EVERYTHING,
}


def imported_names(tree: ast.AST, package: str) -> Iterator[str]:
    """Every dotted name imported anywhere in the code; relative imports start from `package`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1]
            base = ".".join([*(above if node.level else []), *([node.module] if node.module else [])])
            yield from (f"{base}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("import_module", "__import__")):
            yield from (
                arg.value for arg in node.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)
            )


def offences(source: str, path: str) -> list[str]:
    """What the file at `path` (relative to the package) imports and may not, and where the index is async."""
    unit = Path(path).parts[0].removesuffix(".py")
    if unit not in MAY_IMPORT:
        return [f"{path}: {unit} has no place in the layout"]
    tree = ast.parse(source, path)
    found = []
    for name in imported_names(tree, ".".join(["hubindex", *Path(path).parts[:-1]])):
        root, _, rest = name.partition(".")
        target = rest.split(".")[0] if rest.split(".")[0] in MAY_IMPORT else FACE
        if root == "hubindex" and rest != "__version__" and target not in MAY_IMPORT[unit] | {unit}:
            found.append(f"{path}: {unit} must not import {target} ({name})")
    if unit == "index" and any(isinstance(node, ast.AsyncFunctionDef) for node in ast.walk(tree)):
        found.append(f"{path}: index is synchronous")
    return found


def import_circles(sources: dict[str, str]) -> set[frozenset[str]]:
    """The groups of files that import each other, directly or through others; `sources` is text by path.

    Imports in functions and for type checkers count. Importing a module also runs the `__init__` of its packages:
    that is left aside.
    """
    modules = {
        ".".join(["hubindex", *Path(path).with_suffix("").parts]).removesuffix(".__init__"): path
        for path in sources
    }
    imported: dict[str, set[str]] = {}
    for path, source in sources.items():
        package = ".".join(["hubindex", *Path(path).parts[:-1]])
        names = set(imported_names(ast.parse(source, path), package))
        imported[path] = {
            modules[module]
            for name in names
            if (module := name if name in modules else name.rpartition(".")[0]) in modules
        } - {path}

    def reached(path: str) -> set[str]:
        found: set[str] = set()
        waiting = [path]
        while waiting:
            new = imported[waiting.pop()] - found
            found |= new
            waiting += new
        return found

    reach = {path: reached(path) for path in sources}
    return {
        frozenset(other for other in reach[path] if path in reach[other])
        for path in sources
        if path in reach[path]
    }


def test_no_circle_of_imports() -> None:
    """No files import each other, however long the way around."""
    files = {file.relative_to(PACKAGE).as_posix(): file.read_text("utf-8") for file in PACKAGE.rglob("*.py")}
    circles = import_circles(files)
    assert circles == set()


ROOMS = {
    "index/evidence": {"index/evidence"},
    "index/database": {"index/database"},
    "index/writing": {"index/writing", "index/database", "index/evidence"},
    "index/questions": {"index/questions", "index/database", "index/evidence"},
}
"""Which rooms of the index may import which; what all of them need stands beside them."""


def test_the_rooms_of_the_index() -> None:
    """The law is pure, the database knows no question, and reading and writing do not know each other."""
    rooms = "|".join(sorted(room.partition("/")[2] for room in ROOMS))
    for room, allowed in ROOMS.items():
        for file in (PACKAGE / room).rglob("*.py"):
            package = ".".join(["hubindex", *file.relative_to(PACKAGE).parts[:-1]])
            for name in imported_names(ast.parse(file.read_text("utf-8")), package):
                found = re.match(rf"hubindex\.index\.({rooms})\b", name)
                assert found is None or f"index/{found[1]}" in allowed, (file, name)


def test_questions_go_through_the_door() -> None:
    """The command line, rows for people and a server open no reader and call no question: `Index` does."""
    questions = PACKAGE / "index" / "questions"
    asks = {
        f"hubindex.index.questions.{file.stem}.{node.name}"
        for file in questions.glob("*.py")
        for node in ast.parse(file.read_text("utf-8")).body
        if isinstance(node, ast.FunctionDef) and [arg.arg for arg in node.args.args][:1] == ["reader"]
    }
    forbidden = asks | {"hubindex.index.database.opening.open_reader", "hubindex.index.database.reader.Reader"}
    assert len(asks) > 10
    for room in ("cli", "views", "serve"):
        for file in (PACKAGE / room).rglob("*.py"):
            package = ".".join(["hubindex", *file.relative_to(PACKAGE).parts[:-1]])
            names = set(imported_names(ast.parse(file.read_text("utf-8")), package))
            assert names.isdisjoint(forbidden - {"hubindex.index.questions.work.estimate"}), file


def test_the_addresses_of_docker_hub_stand_once() -> None:
    """In `docker_hub.py`; other code names them, docstrings may show them."""
    address = re.compile(r"(https://)?(hub|auth)\.docker\.com|(registry-1|auth|index)\.docker\.io")
    for file in PACKAGE.rglob("*.py"):
        tree = ast.parse(file.read_text("utf-8"))
        docstrings = {
            id(node.value) for node in ast.walk(tree)
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        }  # fmt: skip
        texts = {
            node.value for node in ast.walk(tree)
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings
        }  # fmt: skip
        assert file.name == "docker_hub.py" or not any(map(address.fullmatch, texts)), file


def test_only_commands_write() -> None:
    """The other parts of a crawl send commands to the writer: none of them has a batch in its hands."""
    for file in (PACKAGE / "crawl").glob("*.py"):
        names = set(imported_names(ast.parse(file.read_text("utf-8")), "hubindex.crawl"))
        assert file.name == "commands.py" or "hubindex.index.writing.ingest.Batch" not in names, file


@pytest.mark.parametrize(
    "sources",
    [
        {"a.py": "from hubindex import b", "b.py": "import hubindex.a"},
        {"sources/http/a.py": "from .b import B", "sources/http/b.py": "from hubindex.sources.http.a import A"},
        {"a.py": "from hubindex.b import f", "b.py": "from .c import f", "c.py": "class A:\n    from . import a"},
        {"a.py": "from hubindex import b", "b.py": "def f():\n    from hubindex import a"},
        {"a.py": "from hubindex import b", "b.py": "if TYPE_CHECKING:\n    from hubindex import a"},
        {"a.py": "import hubindex.p", "p/__init__.py": "try:\n    from .. import a\nexcept E: ..."},
    ],
)
def test_a_circle_is_found(sources: dict[str, str]) -> None:
    """In every way to write an import, and over any number of files."""
    assert import_circles(sources) == {frozenset(sources)}


def test_what_is_no_circle() -> None:
    """Several ways to one file, and modules of others that have the same name."""
    sources = {
        "a.py": "from . import b, c",
        "b.py": "from . import c",
        "c.py": "import a",
        "d/a.py": "from .. import a",
    }
    assert import_circles(sources) == set()


def test_layout() -> None:
    """Every file of the package keeps the rules."""
    files = sorted(PACKAGE.rglob("*.py"))
    assert files
    found = [offences(file.read_text("utf-8"), file.relative_to(PACKAGE).as_posix()) for file in files]
    assert not [offence for several in found for offence in several]


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("errors.py", "import hubindex.reference"),
        ("reference.py", "from hubindex import records"),
        ("moment.py", "from hubindex.sources import hub"),
        ("platform.py", "from hubindex import reference"),
        ("records.py", "from .index import schema"),
        ("sources/hub/client.py", "from hubindex.index import ingest"),
        ("sources/hub/client.py", "from ...crawl.plan import Plan"),
        ("sources/__init__.py", "from ..index import schema"),
        ("sources/hub/client.py", "import hubindex.cli as c"),
        ("sources/hub/client.py", "from hubindex import Index"),
        ("sources/hub/client.py", "import hubindex"),
        ("sources/hub/client.py", "from hubindex import *"),
        ("index/search.py", "def f():\n    from hubindex import sources"),
        ("index/sql/__init__.py", "from ... import sources"),
        ("index/search.py", "if TYPE_CHECKING:\n    from ..sources.hub.client import DockerHub"),
        ("index/search.py", "importlib.import_module('hubindex.crawl')"),
        ("index/search.py", "class A:\n    async def f(self): ..."),
        ("crawl/run.py", "import json, hubindex.cli.commands.search"),
        ("crawl/run.py", "from hubindex.serve import app"),
        ("__init__.py", "from .cli import main"),
        ("__init__.py", "def f():\n    from hubindex import sources"),
        ("utils.py", ""),
    ],
)
def test_an_offence_is_found(path: str, source: str) -> None:
    """Each rule can fail, in every way to write an import."""
    assert len(offences(source, path)) == 1


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("reference.py", "from .errors import InvalidReference"),
        (
            "sources/hub/client.py",
            "from ..http import client\nfrom ...records import Tag\nfrom hubindex import __version__, moment",
        ),
        ("sources/http/client.py", "import aiohttp, hubindex_plugin\nasync def get(): ..."),
        ("index/sql/__init__.py", "from ..schema import tags\nimport importlib.resources"),
        ("crawl/run.py", "from hubindex import sources, index, errors\nimport hubindex.reference"),
        ("serve/app.py", "import hubindex\nfrom ..cli import formats\nfrom ..crawl import run"),
        ("cli/serve.py", "def f():\n    from hubindex.serve import app"),
        ("__init__.py", "from .index import Index\nfrom .reference import Reference"),
        ("__main__.py", "from hubindex.cli import main"),
    ],
)
def test_what_is_allowed(path: str, source: str) -> None:
    """The rules leave the allowed ways open."""
    assert offences(source, path) == []
