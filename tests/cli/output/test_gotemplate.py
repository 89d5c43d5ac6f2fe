"""Go templates: `gotemplate_cases.json` has what docker 28.2 printed for one row, or complained."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubindex.cli.output.gotemplate import Template
from hubindex.errors import InvalidTemplate

FIELDS: dict[str, object] = {
    "Name": "evarga/thrift",
    "Description": "This is a Docker image for Apache Thrift. Ne…",
    "StarCount": "4",
    "IsOfficial": "",
}
DOCUMENT: dict[str, object] = {
    "Description": FIELDS["Description"],
    "IsOfficial": "false",
    "Name": FIELDS["Name"],
    "StarCount": "4",
}
HEADERS = {"Name": "NAME", "Description": "DESCRIPTION", "StarCount": "STARS", "IsOfficial": "OFFICIAL"}
CASES: list[dict[str, str]] = json.loads(
    Path(__file__).with_name("gotemplate_cases.json").read_text(encoding="utf-8")
)


def render(template: str, **fields: object) -> str:
    return Template(template).render(fields or FIELDS, None if fields else DOCUMENT)


@pytest.mark.parametrize("case", [c for c in CASES if "output" in c], ids=lambda c: c["template"])
def test_prints_what_docker_prints(case: dict[str, str]) -> None:
    """A template that docker accepts gives docker's text."""
    assert render(case["template"]) == case["output"]


@pytest.mark.parametrize("case", [c for c in CASES if "error" in c], ids=lambda c: c["template"])
def test_complains_as_docker_complains(case: dict[str, str]) -> None:
    """A template that docker refuses, before or while it runs, is refused with docker's message."""
    with pytest.raises(InvalidTemplate) as caught:
        render(case["template"])
    assert str(caught.value) == "template parsing error: template: " + case["error"]


@pytest.mark.parametrize(
    ("template", "header"),
    [
        ("{{.Name}}\t{{.StarCount}}", "NAME\tSTARS"),
        ("{{lower .Name}} {{json .Name}} {{title .Name}} {{upper .Name}}", "NAME NAME NAME NAME"),
        ('{{split .Name "/"}} {{join .Name "-"}} {{truncate .Name 2}}', "NAME NAME NAME"),
        ('{{join (split .Name "/") "-"}}', "NAME"),
        ("{{len .Description}}{{pad .Name 1 2}}|", "11 NAME  |"),
        ('{{printf "%q" .Name}}{{if .IsOfficial}}!{{end}}', '"NAME"!'),
        ("{{.Nope}}", "<no value>"),
        ("a{{index .Name 9}}b", "a"),
        ('x{{range split .Name "/"}}{{.}}{{end}}', "x"),
    ],
)
def test_header_keeps_column_names(template: str, header: str) -> None:
    """In the header line docker's own functions leave names alone, Go's run, and errors end it silently."""
    assert Template(template).render_header(HEADERS) == header


def test_values_may_be_numbers_lists_and_maps() -> None:
    """Other commands than search have real values in their fields."""
    fields: dict[str, object] = {"Size": 3, "Big": True, "Tags": ["a", "b"], "By": {"k": [1, 2.5]}, "No": None}
    assert render("{{.Size}} {{.Big}} {{.Tags}} {{.By}}", **fields) == "3 true [a b] map[k:[1 2.5]]"
    assert (
        render("{{.No}} {{.By.k}} {{.By.nope}} {{.No.x}}", **fields) == "<no value> [1 2.5] <no value> <no value>"
    )
    assert render('{{join .Tags "+"}} {{index .By "k" 1}} {{len .By}}', **fields) == "a+b 2.5 1"
    assert (
        render("{{range $k, $v := .By}}{{$k}}={{$v}}{{end}}{{range .No}}{{else}}-{{end}}", **fields)
        == "k=[1 2.5]-"
    )
    assert (
        render("{{json .Tags}}{{json .By}}{{json .No}}{{json .Size}}", **fields) == '["a","b"]{"k":[1,2.5]}null3'
    )
    assert render("{{if gt .Size 2}}big{{end}} {{if .No}}{{else}}none{{end}}", **fields) == "big none"
    assert render('{{printf "%d %v %#v" .Tags .By .Tags}}', **fields) == (
        '[%!d(string=a) %!d(string=b)] map[k:[1 2.5]] []string{"a", "b"}'
    )


def test_names_the_type_that_lacks_a_field() -> None:
    """The caller says what docker's type would be called."""
    with pytest.raises(InvalidTemplate, match=r"can't evaluate field Nope in type \*x\.Tag$"):
        Template("{{.Nope}}", "*x.Tag").render({"Name": ""})


def test_json_of_the_row_is_its_document() -> None:
    """`{{json .}}` prints the JSON object of the row, wherever `.` has got to."""
    assert Template("{{with $}}{{json .}}{{end}}").render({"A": "[OK]"}, {"A": "<true>"}) == (
        '{"A":"\\u003ctrue\\u003e"}'
    )


def test_half_characters_are_replaced() -> None:
    """Bytes that a cut leaves over never reach the output; halves that meet again are whole."""
    assert render("{{truncate .A 1}}|{{slice .A 0 1}}{{slice .A 1}}", A="é") == "\ufffd|é"
    assert render("{{.A}}", A="\ud800") == "\ufffd"


@pytest.mark.parametrize(
    "template",
    [
        "{{range 1000000000}}{{end}}",
        "{{range 1000}}{{range 1000}}{{end}}{{end}}",
        '{{define "a"}}{{template "a"}}{{end}}{{template "a"}}',
        '{{define "a"}}{{template "b"}}{{end}}{{define "b"}}{{template "a"}}{{end}}{{template "b"}}',
        '{{range 100}}{{printf "%1000000d" 1}}{{end}}',
        '{{range 100}}{{$x := printf "%1000000d" 1}}{{end}}',
        '{{$x := "ab"}}{{range 60}}{{$x = print $x $x}}{{end}}',
        '{{printf "%1000000s" (split .Name "")}}',
        '{{$l := split (printf "%99999d" 1) ""}}{{printf "%99999s" $l}}',
        '{{$x := printf "%900000d" 1}}{{print $x $x}}',
        '{{$x := printf "%900000d" 1}}{{join (split $x "") $x}}',
        "{{pad .Name 999999999 0}}",
        "{{" + "(" * 5000 + ".Name" + ")" * 5000 + "}}",
        "{{if 1}}" * 5000 + "{{end}}" * 5000,
        "{{if 0}}" + "{{else if 0}}" * 5000 + "{{end}}",
        '{{define "a"}}{{range 1}}' + "{{if 1}}" * 40 + '{{template "a"}}' + "{{end}}" * 42 + '{{template "a"}}',
    ],
)
def test_runs_within_bounds(template: str) -> None:
    """A template that would recurse, loop or grow without end is refused, quickly."""
    with pytest.raises(InvalidTemplate):
        render(template)


def test_deepest_nesting_works() -> None:
    """What the parser lets pass can be run and be named in a message."""
    deep = "(" * 49 + "index .Name 99" + ")" * 49
    with pytest.raises(InvalidTemplate, match="index out of range: 99"):
        render("{{" + deep + "}}")
    assert render("{{if 1}}" * 50 + "x" + "{{end}}" * 50) == "x"


SIGNS = r"{{ }} {{- -}} ( ) | , := = . $ $x .Name .Tags .Count .X `r` 'c' 3 -1 0 1.5 /* */ % \\"
NAMES = (
    "nil true false if else end range with define template block break continue lower title split join len "
    "index slice printf print println eq ne lt and or not json pad truncate html js urlquery call"
)
WORDS = st.sampled_from([*SIGNS.split(), *NAMES.split(), '"a"', '"%d"', '"%*s"', " ", "\n"])
ROW: dict[str, object] = {"Name": "a/é", "Tags": ["a", "b"], "Count": 3, "Map": {"k": None}, "Float": 1.5}


@given(st.text() | st.lists(WORDS, max_size=12).map(" ".join))
def test_never_fails_in_another_way(text: str) -> None:
    """Arbitrary text, and arbitrary words of the language, are rendered or refused with InvalidTemplate."""
    for template in (text, "{{" + text + "}}", "{{range .Tags}}{{" + text + "}}{{end}}"):
        try:
            parsed = Template(template)
            parsed.render_header(HEADERS)
            parsed.render(ROW)
        except InvalidTemplate:
            continue


VALUES = st.sampled_from(['"x"', "3", "-7", "1.5", "nil", "true", ".Tags", ".Map", ".Float", ".Name", "'a'", "."])


@given(st.text("%vdsqxXcUeEfFgGtTbop[]*.0123456789+-# é", max_size=12), st.lists(VALUES, max_size=3))
def test_printf_takes_any_pattern(pattern: str, values: list[str]) -> None:
    """A pattern of printf gives text, or is refused for its length; it may come from a field too."""
    arguments = " ".join(values)
    try:
        text = Template(f"{{{{printf `{pattern}` {arguments}}}}}").render(ROW)
    except InvalidTemplate:
        return
    if "." not in values:  # printing the row shows the pattern
        assert text == Template(f"{{{{printf .P {arguments}}}}}").render({**ROW, "P": pattern})
