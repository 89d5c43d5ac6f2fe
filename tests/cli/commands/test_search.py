"""`hubindex search`: what docker prints, from the index."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
import pytest

from hubindex.crawl.plan import Plan
from hubindex.index.database.location import Location
from hubindex.index.writing.ingest import Ingest
from hubindex.records import Repository
from tests.cli.conftest import Call, Program
from tests.cli.running import Outcome, environment
from tests.crawl.crawling import crawl
from tests.fakehub import FakeHub, SearchRow, load_rows, sample_hub

ROWS: Sequence[SearchRow] = (
    {
        "name": "widget",
        "description": "A widget is a framework for generating cli...",
        "star_count": 60,
        "is_official": True,
        "is_automated": False,
    },
    {
        "name": "evarga/widget",
        "description": "This is an image for widgets. Nothing else.",
        "star_count": 4,
        "is_official": False,
        "is_automated": True,
    },
    {"name": "white/widget", "description": "", "star_count": 1, "is_official": False, "is_automated": True},
    {
        "name": "acme/widget-test",
        "description": "widgets",
        "star_count": 0,
        "is_official": False,
        "is_automated": False,
    },
)

TABLE = (
    "NAME               DESCRIPTION                                     STARS     OFFICIAL   AUTOMATED\n"
    "widget             A widget is a framework for generating cli...   60        [OK]       \n"
    "evarga/widget      This is an image for widgets. Nothing else.     4                    [OK]\n"
    "white/widget                                                       1                    [OK]\n"
    "acme/widget-test   widgets                                         0                    \n"
)


def fill(location: Location, *repositories: Repository) -> None:
    ingest = Ingest(location)
    with ingest.transaction() as batch:
        batch.repositories(repositories, 1_790_000_000_000)
    ingest.close()


def found(outcome: Outcome) -> list[str]:
    """The names of a search with `--format {{.Name}}`."""
    assert outcome.code == 0, outcome.err
    return outcome.out.splitlines()


def test_the_table_is_dockers_to_the_byte(location: Location, call: Call) -> None:
    """Columns, widths, trailing blanks, and the order: stars, then the Hub's position."""
    hub = FakeHub()
    load_rows(hub, "widget", ROWS)
    crawl(hub, location, Plan(terms=["widget"]))
    assert call("--db", location.target, "search", "widget") == (0, TABLE, "")


def test_the_program_prints_the_same_bytes_in_a_process_of_its_own(
    sample_sqlite: str, call: Call, program: Program
) -> None:
    """UTF-8 on stdout, newlines as they are, nothing on stderr."""
    arguments = ("--db", sample_sqlite, "search", "thrift")
    assert program(*arguments) == call(*arguments)


@pytest.fixture(scope="module")
def recorded() -> tuple[Sequence[SearchRow], str]:
    """The rows that Docker Hub once answered `thrift` with, and what docker 17.03 printed of them."""
    folder = os.environ.get("HUBINDEX_RECORDINGS")
    if not folder:
        pytest.skip("HUBINDEX_RECORDINGS names no folder of recordings")
    design = Path(folder) / ".." / ".." / "design"
    if not (design / "thrift-rows.json").exists():
        pytest.skip("beside the recordings there is no transcript of docker")
    rows = msgspec.json.decode((design / "thrift-rows.json").read_bytes(), type=list[SearchRow])
    return rows, (design / "thrift-table.txt").read_text(encoding="utf-8")


def test_the_transcript_of_a_real_docker_is_reproduced(
    location: Location, call: Call, recorded: tuple[Sequence[SearchRow], str]
) -> None:
    """The 25 rows of `thrift`, crawled and searched, print what docker 17.03 printed, byte for byte."""
    rows, transcript = recorded
    hub = FakeHub()
    load_rows(hub, "thrift", rows)
    crawl(hub, location, Plan(terms=["thrift"]))
    assert call("--db", location.target, "search", "thrift") == (0, transcript, "")


def test_official_images_have_their_short_names(sample: str, call: Call) -> None:
    """`library/` is never printed, and may be typed."""
    out = call("--db", sample, "search", "library/mongo", "--format", "{{.Name}}", "--limit", "2").out
    assert out.splitlines() == ["mongo", "mongo-express"]


def test_nothing_found_is_a_header_alone(sample: str, call: Call) -> None:
    """And exit code 0, as in docker."""
    header = "NAME      DESCRIPTION   STARS     OFFICIAL   AUTOMATED\n"
    told = "hubindex: nothing is found for 'nosuchthing'; 'hubindex crawl nosuchthing' asks Docker Hub\n"
    assert call("--db", sample, "search", "nosuchthing") == (0, header, told)


@pytest.mark.parametrize("template", ["json", "{{.Name}}"])
def test_nothing_found_prints_nothing_without_a_table(sample_sqlite: str, call: Call, template: str) -> None:
    """Programs get no header."""
    assert call("--db", sample_sqlite, "search", "nosuchthing", "--format", template) == (0, "", "")


# Options


def test_a_long_description_is_cut(sample: str, call: Call) -> None:
    """At 45 columns, with one `…`."""
    out = call("--db", sample, "search", "loki", "--format", "{{.Description}}").out
    assert out == "Like Prometheus, but for logs. Like Promethe…\n"


def test_a_description_is_whole_on_demand(sample: str, call: Call) -> None:
    """`--no-trunc` holds for every format."""
    for template in ("{{.Description}}", "json", "table"):
        outcome = call("--db", sample, "search", "loki", "--no-trunc", "--format", template)
        assert "Like Prometheus, but for logs. " * 8 in outcome.out


def many(location: Location, count: int) -> str:
    fill(
        location,
        *(Repository(name=f"acme/widget-{number:03}", star_count=number) for number in range(count)),
    )
    return location.target


def test_twenty_five_results_are_the_default(location: Location, call: Call) -> None:
    """As in docker, and `--limit 0` means the same."""
    db = many(location, 130)
    for limit in ((), ("--limit", "0"), ("--limit", "25")):
        assert len(found(call("--db", db, "search", "widget", "--format", "{{.Name}}", *limit))) == 25


def test_a_limit_may_be_larger_than_dockers(location: Location, call: Call) -> None:
    """A local index need not stop at 100."""
    db = many(location, 130)
    assert len(found(call("--db", db, "search", "widget", "--format", "{{.Name}}", "--limit", "120"))) == 120


def test_all_results_whatever_the_limit(location: Location, call: Call) -> None:
    """`--all`."""
    arguments = ("search", "widget", "--format", "{{.Name}}", "--all", "--limit", "3")
    assert len(found(call("--db", many(location, 130), *arguments))) == 130


def test_filters_apply_before_the_limit(location: Location, call: Call) -> None:
    """Unlike in docker, where two of the first two rows may be filtered away."""
    db = many(location, 130)
    arguments = ("search", "widget", "--format", "{{.StarCount}}", "--limit", "2", "--sort", "name")
    assert found(call("--db", db, *arguments, "--stars", "100")) == ["100", "101"]


@pytest.mark.parametrize(
    ("options", "names"),
    [
        (("--official",), ["thrift"]),
        (("-f", "is-official=true"), ["thrift"]),
        (("--filter", "is-official=1", "--stars", "100"), []),
        (("--automated",), ["acme/thrift"]),
        (("--filter=is-automated=true",), ["acme/thrift"]),
        (("--stars", "2"), ["thrift", "acme/thrift"]),
        (("-f", "stars=2"), ["thrift", "acme/thrift"]),
        (("-f", "stars=1", "-f", "stars=4"), ["thrift", "acme/thrift"]),
        (("-f", "stars=50", "--stars", "1"), ["thrift"]),
        (
            ("--stars", "1", "-f", "is-official=false"),
            ["acme/thrift", "evelyn/thrift-book", "fluxlab/thrift-proxy"],
        ),
        (("--stars", "1", "--automated", "--namespace", "acme"), ["acme/thrift"]),
        (("--namespace", "acme"), ["acme/thrift"]),
        (("--namespace", "library"), ["thrift"]),
        (("--namespace", "nosuch"), []),
    ],
)
def test_filters_and_their_shortcuts_combine(
    sample: str, call: Call, options: Sequence[str], names: Sequence[str]
) -> None:
    """Different ones are ANDed; of several numbers of stars the largest counts."""
    assert found(call("--db", sample, "search", "thrift", "--format", "{{.Name}}", *options)) == names


@pytest.mark.parametrize(
    ("sort", "first"),
    [
        ("stars", "postgres"),
        ("pulls", "postgres"),
        ("name", "circleci/postgres"),
        ("updated", "postgres"),
        ("hub", "postgres"),
        ("relevance", "postgres"),
    ],
)
def test_every_order_can_be_asked_for(sample: str, call: Call, sort: str, first: str) -> None:
    """`--sort`, on both engines alike."""
    names = found(call("--db", sample, "search", "postgres", "--format", "{{.Name}}", "--sort", sort))
    assert names[0] == first
    assert set(names) == {"postgres", "postgis/postgis", "timescale/timescaledb", "circleci/postgres"}


# Formats


def test_json_has_dockers_keys_and_texts(sample: str, call: Call) -> None:
    """Exactly five keys in docker's order, every value a string."""
    out = call("--db", sample, "search", "thrift", "--limit", "1", "--format", "json").out
    assert out == (
        '{"Description":"Thrift is a framework for generating client/…","IsAutomated":"false",'
        '"IsOfficial":"true","Name":"thrift","StarCount":"61"}\n'
    )


def test_json_is_one_object_a_line(sample: str, call: Call) -> None:
    """Whatever the descriptions hold."""
    lines = call("--db", sample, "search", "*", "--all", "--no-trunc", "--format", "json").out.splitlines()
    rows = [json.loads(line) for line in lines]
    assert len(rows) == len(sample_hub().repositories)
    assert all(isinstance(value, str) for row in rows for value in row.values())


@pytest.mark.parametrize(
    ("template", "out"),
    [
        ("{{.Name}}: {{.StarCount}}", "thrift: 61\n"),
        ("{{.IsOfficial}}{{.IsAutomated}}.", "[OK].\n"),
        ("{{json .IsOfficial}}", '"[OK]"\n'),
        ("{{upper .Name}} {{.PullCount}}", "THRIFT 4200000\n"),
        ("{{.UpdatedAt}}", "2025-06-11T04:31:07.500Z\n"),
        ("  {{.Name}}  ", "thrift\n"),
        (r"{{.Name}}\t{{.StarCount}}", "thrift\t61\n"),
        ("raw", "raw\n"),
    ],
)
def test_a_template_is_printed_once_a_row(sample: str, call: Call, template: str, out: str) -> None:
    """Docker's fields and functions, and two fields more."""
    assert call("--db", sample, "search", "thrift", "--limit", "1", "--format", template) == (0, out, "")


def test_a_table_template_has_a_header(sample: str, call: Call) -> None:
    """Columns as wide as they need to be."""
    outcome = call(
        "--db", sample, "search", "thrift", "--limit", "2", "--format", r"table {{.Name}}\t{{.StarCount}}"
    )
    assert outcome.out == "NAME          STARS\nthrift        61\nacme/thrift   4\n"


@pytest.mark.parametrize("template", ["table", "json", "{{.Description}}", "table {{.Description}}", "{{json .}}"])
def test_hostile_descriptions_are_neutralised(sample: str, call: Call, template: str) -> None:
    """Nothing that a registry sent acts on a terminal, in no format."""
    outcome = call("--db", sample, "search", "*", "--all", "--no-trunc", "--format", template)
    assert outcome.code == 0
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", outcome.out)


# Wrong input


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (("-f", "bogus=1"), 1, "invalid filter 'bogus'"),
        (("-f", "stars=a"), 1, "invalid filter 'stars=a'"),
        (("--stars", "a"), 1, "invalid filter 'stars=a'"),
        (("-f", "stars="), 1, "invalid filter 'stars='"),
        (("-f", "is-official=maybe"), 1, "invalid filter 'is-official=[maybe]'"),
        (("--official", "-f", "is-official=false"), 1, "invalid filter 'is-official=[false true]'"),
        (("-f", "is-automated=True"), 1, "invalid filter 'is-automated=[True]'"),
        (("-f", "stars"), 2, 'invalid argument "stars" for "-f, --filter" flag: bad format of filter'),
        (("--format", "{{.Stars}}"), 1, "template parsing error: template: :1:2: executing"),
        (("--format", "{{Invalid}}"), 1, 'template parsing error: template: :1: function "Invalid" not defined'),
        (("--format", "{{.Name"), 1, "template parsing error: template: :1: unclosed action"),
    ],
)
def test_wrong_filters_and_templates_are_refused_as_docker_does(
    sample_sqlite: str, call: Call, options: Sequence[str], code: int, message: str
) -> None:
    """One line, in docker's words."""
    outcome = call("--db", sample_sqlite, "search", "thrift", *options)
    assert outcome.code == code
    assert outcome.complaint.startswith(message)


@pytest.mark.parametrize(
    "term",
    [
        'foo" OR',
        "*",
        "-",
        "--",
        ":",
        "a:b",
        "(",
        "NEAR(a b)",
        "'",
        "\\",
        "é",
        "🚀",
        "%",
        "_",
        "",
        " ",
        "x" * 10_000,
        "\udcff",
    ],
)
def test_any_term_is_safe(sample: str, call: Call, term: str) -> None:
    """Whatever is typed is words to look for, on both engines."""
    outcome = call("--db", sample, "search", "--format", "json", "--", term)
    assert (outcome.code, outcome.err) == (0, "")


def test_an_empty_index_has_no_answer(empty: str, call: Call) -> None:
    """That is not the same as nothing found: it says what to do."""
    outcome = call("--db", empty, "search", "thrift")
    assert outcome.code == 3
    assert "hubindex crawl TERM" in outcome.complaint


def test_an_empty_index_on_postgresql_has_no_answer(postgresql_url: str, call: Call) -> None:
    """Neither has a database without a single table, which is left as it is."""
    outcome = call("--db", postgresql_url, "search", "thrift")
    assert outcome.code == 3
    assert "hubindex crawl TERM" in outcome.complaint


def test_a_question_creates_no_index(call: Call, tmp_path: Path) -> None:
    """Without one there is no answer, and nothing is left behind."""
    outcome = call("--db", str(tmp_path / "new" / "index.db"), "search", "thrift")
    assert outcome.code == 3
    assert "hubindex crawl TERM" in outcome.complaint
    assert list(tmp_path.iterdir()) == []


# Cheap and offline

_HEAVY = ("sqlalchemy", "aiohttp", "alembic", "rich", "tabulate")
_QUESTIONS: Mapping[str, Sequence[str]] = {
    "search": ("search", "thrift", "--official"),
    "search template": ("search", "thrift", "--format", "table {{.Name}}"),
    "show": ("show", "mongo"),
    "tags": ("tags", "mongo"),
    "status": ("status",),
}


@pytest.mark.parametrize("question", _QUESTIONS)
def test_a_question_imports_nothing_heavy(sample: str, question: str) -> None:
    """It would take longer to start than to answer."""
    code = (
        "import sys\n"
        "from hubindex import cli\n"
        f"code = cli.run(lambda: cli.hubindex.main({['--db', sample, *_QUESTIONS[question]]!r}, 'hubindex', "
        "standalone_mode=False))\n"
        f"print(code, *(name for name in {_HEAVY!r} if name in sys.modules), file=sys.stderr)"
    )
    assert _python(code).err == "0\n"


@pytest.mark.parametrize("question", _QUESTIONS)
def test_a_question_is_answered_without_a_network(sample_sqlite: str, question: str) -> None:
    """No socket is made, not even a local one."""
    code = (
        "import sys\n"
        "def watch(event, details):\n"
        "    if event.startswith('socket.'):\n"
        "        sys.stderr.write(f'{event}{details}\\n')\n"
        "sys.addaudithook(watch)\n"
        "from hubindex.cli import main\n"
        f"main({['--db', sample_sqlite, *_QUESTIONS[question]]!r})"
    )
    outcome = _python(code)
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out


def _python(code: str) -> Outcome:
    done = subprocess.run([sys.executable, "-c", code], env=environment(), capture_output=True, check=False)
    return Outcome(done.returncode, done.stdout.decode(), done.stderr.decode())


@pytest.mark.parametrize(
    "term",
    [
        "docker.io/mongo",
        "mongo:latest",
        "docker://mongo",
        "https://hub.docker.com/_/mongo",
        "index.docker.io/mongo:7",
    ],
)
def test_a_term_that_stands_in_a_reference(story: str, call: Call, term: str) -> None:
    """What is searched for is told; a plain term needs no word."""
    plain = call("--db", story, "search", "mongo")
    assert (plain.code, plain.err) == (0, "")
    outcome = call("--db", story, "search", term)
    assert (outcome.code, outcome.out) == (0, plain.out)
    assert outcome.err == "hubindex: searching for 'mongo'\n"
    assert call("-q", "--db", story, "search", term).err == ""


@pytest.mark.parametrize(
    ("term", "names"),
    [
        ("ngnix", "nginx, bitnami/nginx"),
        ("ngin", None),
        ("nignx", "nginx, bitnami/nginx"),
        ("nginxx", "nginx, bitnami/nginx"),
        ("ginx", "nginx, bitnami/nginx"),
        ("stgresq", "acme/postgresql-backup"),
        ("bitnami/ngnix", "bitnami/nginx"),
        ("zzzzz", ""),
        ("x y", ""),
    ],
)
def test_similar_names_are_told_where_nothing_is_found(
    location: Location, call: Call, term: str, names: str | None
) -> None:
    """Beside the empty table, with the way to ask the Hub: a letter is wrong, or it is a part of a name."""
    ingest = Ingest(location)
    stars = {"library/nginx": 900, "bitnami/nginx": 90, "library/postgres": 800, "acme/postgresql-backup": 3}
    with ingest.transaction() as batch:
        batch.repositories([Repository(name=name, star_count=count) for name, count in stars.items()], 10)
    ingest.close()
    outcome = call("--db", location.target, "search", term)
    assert outcome.code == 0
    if names is None:
        assert (outcome.err, outcome.out.count("\n")) == ("", 3)
        return
    assert outcome.out.split() == ["NAME", "DESCRIPTION", "STARS", "OFFICIAL", "AUTOMATED"]
    similar = f"; similar names: {names}" if names else ""
    shown = f"'{term}'" if " " in term else term
    assert outcome.err == (
        f"hubindex: nothing is found for '{term}'{similar}; 'hubindex crawl {shown}' asks Docker Hub\n"
    )
    assert call("-q", "--db", location.target, "search", term).err == ""
    assert call("--db", location.target, "search", term, "--format", "json") == (0, "", "")


def test_filters_that_leave_nothing_are_told(story: str, call: Call) -> None:
    """It is no slip of the pen then."""
    outcome = call("--db", story, "search", "mongo", "--stars", "1000000")
    assert outcome.code == 0
    assert outcome.err == "hubindex: the filters leave nothing of what is found for 'mongo'\n"
