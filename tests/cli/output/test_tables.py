"""`--format`: tables, JSON and templates; docker's lines were recorded from docker 28.2 and 20.10."""

import json
import subprocess
import sys
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubindex.cli.output import tabwriter
from hubindex.cli.output.tables import Format
from hubindex.cli.output.tabwriter import ellipsis
from hubindex.errors import InvalidTemplate
from hubindex.views.search import search_table
from hubindex.views.table import Row, Table


@pytest.fixture(autouse=True)
def _western_locale(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("RUNEWIDTH_EASTASIAN", "0")
    tabwriter.ambiguous_is_wide.cache_clear()
    yield
    tabwriter.ambiguous_is_wide.cache_clear()


def row(name: str, description: str = "", stars: int = 0, mark: str = "") -> Row:
    return {
        "Name": name,
        "Description": description,
        "StarCount": stars,
        "IsOfficial": mark == "official",
        "IsAutomated": mark == "automated",
        "PullCount": 1234567,
        "UpdatedAt": None,
    }


ROWS = [
    row("thrift", "Apache Thrift", 60, "official"),
    row("evarga/thrift", "日本語の説明", 4, "automated"),
    row("x/heart", "❤️ é…"),
]


def search(option: str, *rows: Row, truncate: bool = True) -> list[str]:
    return list(Format(option, search_table(ellipsis if truncate else str)).lines(rows))


@pytest.mark.parametrize("option", ["", "table"])
def test_table_is_dockers(option: str) -> None:
    """The columns of docker up to 24; the last one is not padded, the others are, and blanks stay."""
    long = row("a/b", "Thrift is a framework for generating client and server code", 1, "official")
    assert search(option, *ROWS, long) == [
        "NAME            DESCRIPTION                                     STARS     OFFICIAL   AUTOMATED",
        "thrift          Apache Thrift                                   60        [OK]       ",
        "evarga/thrift   日本語の説明                                    4                    [OK]",
        "x/heart         ❤️ é…                                            0                    ",
        "a/b             Thrift is a framework for generating client …   1         [OK]       ",
    ]


def test_no_rows() -> None:
    """An empty answer is a header in a table, and nothing in any other format."""
    assert search("") == ["NAME      DESCRIPTION   STARS     OFFICIAL   AUTOMATED"]
    assert search(r"table {{.Nope}}\t{{len .Description}}") == ["<no value>   11"]
    assert search("json") == search("{{.Name}}") == []


@pytest.mark.parametrize(
    ("option", "lines"),
    [
        (
            r"table {{.Name}}\t{{.StarCount}}",
            ["NAME            STARS", "thrift          60", "evarga/thrift   4", "x/heart         0"],
        ),
        (
            r"table{{.Name}}\t{{lower .Description}}\t{{.IsOfficial}}",
            [
                "NAME            DESCRIPTION     OFFICIAL",
                "thrift          apache thrift   [OK]",
                "evarga/thrift   日本語の説明    ",
                "x/heart         ❤️ é…            ",
            ],
        ),
        (
            r"table {{.Name}}{{if .IsOfficial}}\tlong\tx{{end}}\tend",
            [
                "NAME            long      x         end",
                "thrift          long      x         end",
                "evarga/thrift   end",
                "x/heart         end",
            ],
        ),
        (
            r"table {{len .Description}}\t{{pad .Name 1 1}}|",
            ["11         NAME |", "13         thrift |", "18         evarga/thrift |", "12         x/heart |"],
        ),
        ("table {{index .Name 5}}x{{.Name}}", ["", "116xthrift", "97xevarga/thrift", "114xx/heart"]),
        ("table ", ["", "", "", ""]),
        (r"{{.Name}}\t{{.StarCount}} ", ["thrift\t60", "evarga/thrift\t4", "x/heart\t0"]),
        (r"{{.Name}}\n", ["thrift\n", "evarga/thrift\n", "x/heart\n"]),
        ("TABLE {{.StarCount}}", ["TABLE 60", "TABLE 4", "TABLE 0"]),
        (" table", ["table", "table", "table"]),
        ("raw", ["raw", "raw", "raw"]),
    ],
)
def test_templates_are_dockers(option: str, lines: list[str]) -> None:
    """A template is printed once a row; one that begins with `table` gets columns and a header."""
    assert search(option, *ROWS) == lines


def test_search_json_is_dockers() -> None:
    """Five keys in order, all values text, `<`, `>` and `&` escaped as docker's rows have them."""
    text = search("json", row("thrift", "a <b> & \"c\" 'd' é", 60, "official"))
    assert text == [
        '{"Description":"a \\u003cb\\u003e \\u0026 \\"c\\" \'d\' é","IsAutomated":"false","IsOfficial":"true",'
        '"Name":"thrift","StarCount":"60"}'
    ]
    assert search("{{json .}}", *ROWS) == search("json", *ROWS)
    assert search("{{json .IsOfficial}}{{json .Description}}", row("x", "<&>", 0, "official")) == ['"[OK]""<&>"']


def test_search_template_fields() -> None:
    """Templates have two fields more than docker's JSON; all are text."""
    assert search('{{.PullCount}}|{{.UpdatedAt}}|{{printf "%T" .StarCount}}', ROWS[0]) == ["1234567||string"]


@pytest.mark.parametrize(
    "option", ["", "json", "{{.Description}}", "{{json .Description}}", "table {{.Description}}"]
)
def test_descriptions_are_cut_in_every_format(option: str) -> None:
    """Newlines become blanks and 45 columns are kept, unless the user wants it all."""
    rows = [row("x", "one\ntwo " + "中" * 40)]
    assert "one two " + "中" * 18 + "…" in search(option, *rows)[-1]
    assert "one two " + "中" * 40 in search(option, *rows, truncate=False)[-1]


HOSTILE = "\x1b]0;gotcha\x07\x9b2J\u202etxt\t."


def test_nothing_acts_on_a_terminal() -> None:
    """Controls are made visible in tables and templates and escaped in JSON."""
    shown = "␛]0;gotcha␇\ufffd2J\ufffdtxt␉."
    assert search("{{.Name}}", row(HOSTILE)) == [shown]
    assert search("", row(HOSTILE))[1].startswith(shown + "   ")
    assert search(r"table {{.Name}}\t{{.StarCount}}", row(HOSTILE))[1] == shown + "   0"
    (line,) = search("json", row(HOSTILE))
    assert '"\\u001b]0;gotcha\\u0007\\u009b2J\\u202etxt\\t."' in line


TAGS = Table(
    {"Name": "NAME", "Size": "SIZE", "Platforms": "PLATFORMS", "Latest": "LATEST", "Until": "UNTIL"},
    ("Name", "Size", "Platforms", "Latest", "Until"),
    "*hubindex.tag",
    show={"Size": lambda size: f"{size} B"},
)
TAG: Row = {"Name": "8", "Size": 1024, "Platforms": ["linux/amd64", "\x1b"], "Latest": True, "Until": None}


def test_other_commands_have_real_values() -> None:
    """JSON has numbers, lists, booleans and nulls; text forms have what a person reads, and nothing for null."""
    lines = Format("json", TAGS).lines([TAG])
    assert list(lines) == [
        '{"Name":"8","Size":1024,"Platforms":["linux/amd64","\\u001b"],"Latest":true,"Until":null}'
    ]
    assert list(Format("", TAGS).lines([TAG])) == [
        "NAME      SIZE      PLATFORMS        LATEST    UNTIL",
        "8         1024 B    linux/amd64, ␛   true      ",
    ]
    template = '{{.Size}} {{index .Platforms 0}} {{join .Platforms "+"}} {{if .Latest}}!{{end}}{{.Until}}.'
    assert list(Format(template, TAGS).lines([TAG])) == ["1024 B linux/amd64 linux/amd64+␛ !."]


def test_unknown_fields_name_the_type() -> None:
    """Docker's message, with the type that the command gives."""
    with pytest.raises(InvalidTemplate, match=r"can't evaluate field Nope in type \*hubindex\.tag$"):
        list(Format("{{.Nope}}", TAGS).lines([TAG]))
    message = (
        'template parsing error: template: :1:2: executing "" at <.Stars>: '
        "can't evaluate field Stars in type *registry.searchContext"
    )
    for option in ("{{.Stars}}", "table {{.Stars}}"):
        with pytest.raises(InvalidTemplate) as caught:
            search(option, *ROWS)
        assert str(caught.value) == message


def test_a_bad_template_is_refused_before_the_rows() -> None:
    """A template that cannot be parsed is an error even where there is nothing to print."""
    with pytest.raises(
        InvalidTemplate, match=r'^template parsing error: template: :1: function "Invalid" not defined$'
    ):
        Format("{{Invalid .}}", TAGS)


def test_lines_stream() -> None:
    """JSON and template lines come out before the last row went in."""

    def rows() -> Iterator[Row]:
        yield TAG
        raise RuntimeError

    assert "1024" in next(Format("json", TAGS).lines(rows()))
    assert next(Format("{{.Name}}", TAGS).lines(rows())) == "8"


def test_default_table_starts_fast() -> None:
    """The table of `search` needs neither JSON, nor templates, nor Unicode tables."""
    code = (
        "import sys; from hubindex.cli.output.tables import Format\n"
        "from hubindex.views.search import search_table\n"
        "Format('', search_table()).lines([])\n"
        "slow = {'unicodedata', 'sqlalchemy', 'rich'}\n"
        "slow |= {'hubindex.cli.output.jsontext', 'hubindex.cli.output.gotemplate'}\n"
        "print(sorted(slow & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "[]\n"


@given(st.text(st.characters()))
def test_json_can_be_read_back(text: str) -> None:
    """Whatever the text, the object is one line of JSON that means the same (but for half characters)."""
    (line,) = Format("json", TAGS).lines([{**TAG, "Name": text}])
    assert line.isprintable() or not set(line) & set("\x1b\x7f\x9b\n\r\u2028\u202e")
    meant = "".join("\ufffd" if "\ud800" <= c <= "\udfff" else c for c in text)
    assert json.loads(line)["Name"] == meant
