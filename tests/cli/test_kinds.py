"""What tags and repositories hold, as the commands show it; and signatures, which are no versions."""

import json

import pytest

from hubindex import Index
from hubindex.crawl.plan import Plan
from hubindex.index.database.location import Location
from hubindex.index.questions.search import Query
from tests.cli.conftest import Call
from tests.crawl.crawling import at, crawl
from tests.fakehub import FakeHub
from tests.index.building import go_back, rows
from tests.index.building import rows as change

LEFT_OUT = "hubindex: 3 signatures, attestations and SBOMs are left out: --all shows them\n"


@pytest.fixture
def hub() -> FakeHub:
    """A signed image, a chart, a model, a plugin, a WebAssembly module, and things of no known type."""
    hub = FakeHub(rate_limit=1_000_000)
    app = hub.add_repository("acme/app", "an app")
    app.push("1.0", "latest", at="2024-03-01T12:00:00Z")
    app.sign("1.0", ".sig", ".att", ".sbom")
    chart = hub.add_repository("acme/chart", "an app, packaged")
    chart.push_artifact("0.1.0", "helm", at="2024-03-01T12:00:00Z")
    chart.push_artifact("0.2.0", "helm", at="2024-03-02T12:00:00Z", platform="unknown/unknown")
    chart.sign("0.2.0", ".sig")
    hub.add_repository("acme/model", "an app that talks").push_artifact("1B", "model")
    plugin = hub.add_repository("acme/plugin", "an app inside")
    plugin.repository_type = "plugin"
    plugin.push_artifact("1", "plugin", platform="linux/amd64")
    hub.add_repository("acme/wasm", "an app of wasm").push_artifact("1", "wasm")
    hub.add_repository("acme/files", "an app of files").push_artifact("1", "unrecognized")
    return hub


@pytest.fixture
def filled(hub: FakeHub, location: Location) -> Location:
    """The index of a crawl of all that."""
    crawl(hub, location, Plan(namespaces=["acme"]), at())
    return location


def table(call: Call, location: Location, *options: str) -> tuple[list[str], str]:
    """The tags in the rows of `tags`, and what was said beside them."""
    outcome = call("--db", location.target, "tags", *options)
    assert outcome.code == 0, outcome.err
    return [line.split("  ")[0] for line in outcome.out.splitlines()[1:]], outcome.err


def kinds(call: Call, location: Location, *arguments: str) -> list[str]:
    """What `{{.Kind}}` says."""
    outcome = call("--db", location.target, *arguments, "--format", "{{.Kind}}")
    assert outcome.code == 0, outcome.err
    return outcome.out.splitlines()


# Signatures and the like.


def test_signatures_are_left_out_of_the_table(filled: Location, call: Call) -> None:
    """They are counted on stderr, and `--all` shows them."""
    assert table(call, filled, "acme/app") == (["latest = 1.0"], LEFT_OUT)
    found, said = table(call, filled, "acme/app", "--all")
    assert [name[71:] for name in found] == [".att", ".sbom", ".sig", ""]
    assert said == ""


def test_one_signature_is_said_to_be_one(filled: Location, call: Call) -> None:
    """In the singular; `-q` says nothing."""
    said = "hubindex: 1 signature, attestation or SBOM is left out: --all shows it\n"
    assert table(call, filled, "acme/chart") == (["0.2.0", "0.1.0"], said)
    assert table(call, filled, "acme/chart", "-q")[1] == ""


def test_json_and_templates_have_all_tags(filled: Location, call: Call) -> None:
    """With a field `Kind` that tells them apart."""
    outcome = call("--db", filled.target, "tags", "acme/app", "--format", "json")
    found = [(row["Name"], row["Kind"]) for row in map(json.loads, outcome.out.splitlines())]
    assert [kind for name, kind in found if name in {"1.0", "latest"}] == ["image", "image"]
    signed = {name[71:]: kind for name, kind in found if name.startswith("sha256-")}
    assert signed == {".sig": "signature", ".att": "attestation", ".sbom": "sbom"}
    assert outcome.err == ""
    assert len(kinds(call, filled, "tags", "acme/app")) == 5


def test_a_pattern_may_name_them(filled: Location, call: Call) -> None:
    """Where nothing else matches they are what was asked for; where versions match too they are left out."""
    for pattern, suffixes in (("*.sig", [".sig"]), ("sha256-*", [".att", ".sbom", ".sig"])):
        found, said = table(call, filled, "acme/app", "--match", pattern)
        assert [name[71:] for name in found] == suffixes
        assert said == ""
    assert table(call, filled, "acme/app", "--match", "*") == (["latest = 1.0"], LEFT_OUT)
    assert table(call, filled, "acme/app", "--match", "1*") == (["1.0"], "")


def test_the_limit_counts_what_is_shown(filled: Location, call: Call) -> None:
    """Signatures, the newest tags of all, use up none of it."""
    assert table(call, filled, "acme/app", "--limit", "1") == (["1.0"], LEFT_OUT)


def test_a_repository_of_signatures_alone_shows_them(location: Location, call: Call) -> None:
    """Some keep them in a place of their own."""
    hub = FakeHub(rate_limit=1_000_000)
    store = hub.add_repository("acme/signatures")
    store.push("1")
    store.sign("1", ".sig")
    store.delete("1")
    crawl(hub, location, Plan(repositories=["acme/signatures"]))
    found, said = table(call, location, "acme/signatures")
    assert (len(found), said) == (1, "")


def test_the_list_of_referrers_and_other_attachments(location: Location, call: Call) -> None:
    """A tag that is a digest alone lists what refers to an image; other suffixes are left out as well."""
    hub = FakeHub(rate_limit=1_000_000)
    app = hub.add_repository("acme/app")
    app.push("1")
    app.sign("1", "", ".dockerfile", ".sig")
    crawl(hub, location, Plan(repositories=["acme/app"]))
    assert table(call, location, "acme/app") == (["1"], LEFT_OUT)
    assert sorted(kinds(call, location, "tags", "acme/app")) == ["attachment", "image", "referrers", "signature"]


def test_the_past_is_shown_alike(filled: Location, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """`--at`: the same kinds, and the same tags left out."""
    found, said = table(call, filled, "acme/app", "--at", "2026-09-21T13:33:20Z")
    assert found == ["latest = 1.0"]
    assert LEFT_OUT in said
    at_that_time = kinds(call, filled, "tags", "acme/chart", "--at", "2026-09-21T13:33:20Z")
    assert sorted(at_that_time) == ["helm chart", "helm chart", "signature"]


def test_show_counts_them_apart(filled: Location, call: Call) -> None:
    """The number of tags, and the newest one, are of versions."""
    row = json.loads(call("--db", filled.target, "show", "acme/app", "--format", "json").out)
    assert (row["TagCount"], row["AttachedCount"], row["Kind"]) == (2, 3, "image")
    assert row["NewestTag"] == "1.0"
    out = call("--db", filled.target, "show", "acme/app").out
    assert "Tags:         2\nAttached:     3 (signatures, attestations, SBOMs and the like)\n" in out
    assert "Newest tag:   1.0 (" in out
    assert "Attached" not in call("--db", filled.target, "show", "acme/model").out


def test_a_signature_is_no_alias_of_a_version(location: Location, call: Call) -> None:
    """Not even where both have one digest."""
    hub = FakeHub(rate_limit=1_000_000)
    app = hub.add_repository("acme/app")
    app.push("1", "2", "sha256-" + "a" * 64 + ".sig", content="same")
    crawl(hub, location, Plan(repositories=["acme/app"]), at())
    for when in ((), ("--at", "2026-09-21T13:33:20Z")):
        outcome = call("--db", location.target, "tags", "acme/app", *when, "--format", "{{.Name}} {{.Aliases}}")
        assert outcome.out.splitlines()[:2] == ["1 [2]", "2 [1]"]
        assert outcome.out.splitlines()[2].endswith(".sig []")


# Charts, models and the rest.


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("app", "image"),
        ("chart", "helm chart"),
        ("model", "model"),
        ("plugin", "plugin"),
        ("wasm", "wasm"),
        ("files", "artifact"),
    ],
)
def test_every_command_tells_the_kind(filled: Location, call: Call, name: str, kind: str) -> None:
    """`show`, `tags`, `search` and the API."""
    assert kinds(call, filled, "show", f"acme/{name}") == [kind]
    assert f"\nKind:         {kind}\n" in call("--db", filled.target, "show", f"acme/{name}").out
    assert kinds(call, filled, "search", f"acme/{name}", "--sort", "relevance", "--limit", "1") == [kind]
    assert set(kinds(call, filled, "tags", f"acme/{name}")) - {"signature", "attestation", "sbom"} == {kind}
    with Index.open(filled.target) as index:
        assert index.repository(f"acme/{name}").kind == kind
        assert {tag.kind for tag in index.tags(f"acme/{name}")} >= {kind}
        assert {found.reference.repository: found.kind for found in index.search(Query("app"))}[
            f"acme/{name}"
        ] == kind


def test_the_kind_stands_where_platforms_would(filled: Location, call: Call) -> None:
    """In the table of tags; before platforms that there are; images look as ever."""

    def platforms(name: str, *options: str) -> set[str]:
        out = call("--db", filled.target, "tags", name, *options).out
        header, *lines = out.splitlines()
        return {line[header.index("PLATFORMS") :] for line in lines}

    assert platforms("acme/chart") == {"helm chart"}
    assert platforms("acme/chart", "--no-trunc", "--all") == {"helm chart", "signature"}
    assert platforms("acme/model") == {"model"}
    assert platforms("acme/plugin") == {"plugin, linux/amd64"}
    assert platforms("acme/app") == {"linux/amd64, linux/arm64/v8"}


def test_what_is_no_image_has_no_unknown_platform(filled: Location, call: Call) -> None:
    """The nameless image in the Hub's row of a chart is none."""
    outcome = call("--db", filled.target, "tags", "acme/chart", "--format", "json")
    assert {len(row["Platforms"]) for row in map(json.loads, outcome.out.splitlines())} == {0}


def test_search_is_docker_s(filled: Location, call: Call) -> None:
    """JSON keeps its five keys, and the table its columns; a template may have a column of kinds."""
    out = call("--db", filled.target, "search", "app", "--format", "json").out
    assert {tuple(json.loads(line)) for line in out.splitlines()} == {
        ("Description", "IsAutomated", "IsOfficial", "Name", "StarCount")
    }
    head = call("--db", filled.target, "search", "app").out.splitlines()[0].split()
    assert head == ["NAME", "DESCRIPTION", "STARS", "OFFICIAL", "AUTOMATED"]
    out = call("--db", filled.target, "search", "chart", "--format", r"table {{.Name}}\t{{.Kind}}").out
    assert [line.split(maxsplit=1) for line in out.splitlines()] == [
        ["NAME", "KIND"],
        ["acme/chart", "helm chart"],
    ]


def test_a_repository_found_by_a_search_has_the_kind_of_its_tags(
    hub: FakeHub, location: Location, call: Call
) -> None:
    """A search tells no content types; of a repository without tags nothing is known, except of official ones."""
    hub.add_repository("library/app")
    crawl(hub, location, Plan(terms=["app"], tags=False))
    assert kinds(call, location, "show", "acme/chart") == ["unknown"]
    assert "Kind:" not in call("--db", location.target, "show", "acme/chart").out
    assert kinds(call, location, "show", "library/app") == ["image"]
    crawl(hub, location, Plan(terms=["app"]))
    assert kinds(call, location, "show", "acme/chart") == ["helm chart"]


def test_a_repository_may_hold_several(location: Location, call: Call) -> None:
    """Each of its tags tells its own kind."""
    hub = FakeHub(rate_limit=1_000_000)
    both = hub.add_repository("library/both")
    both.push("1", at="2024-03-01T12:00:00Z")
    both.push_artifact("chart-1", "helm", at="2024-03-02T12:00:00Z")
    crawl(hub, location, Plan(repositories=["library/both"]))
    assert kinds(call, location, "tags", "both") == ["helm chart", "image"]
    assert kinds(call, location, "show", "both") == ["helm chart, image"]
    assert "Kind:        helm chart, official image\n" in call("--db", location.target, "show", "both").out


# Stored once, and learned by an index that is older.

STORED = (
    "SELECT repository_id, digest_id, kind FROM digest ORDER BY 1, 2",
    "SELECT repository_id, kinds FROM repository ORDER BY 1",
)


def test_an_unchanged_crawl_writes_nothing(filled: Location, hub: FakeHub) -> None:
    """No row of a digest is written again."""
    before = [rows(filled, question) for question in STORED]
    extra = ", xmin::text" if filled.dialect == "postgresql" else ""
    digests = rows(filled, f"SELECT *{extra} FROM digest ORDER BY repository_id, digest_id")
    crawl(hub, filled, Plan(namespaces=["acme"], full=True), at(1))
    assert [rows(filled, question) for question in STORED] == before
    assert rows(filled, f"SELECT *{extra} FROM digest ORDER BY repository_id, digest_id") == digests


def test_images_with_platforms_cost_no_byte(filled: Location) -> None:
    """Their kind is left empty: the platforms tell it."""
    of_app = "repository_id = (SELECT repository_id FROM repository WHERE name = 'acme/app')"
    assert rows(filled, f"SELECT count(*), count(kind) FROM digest WHERE {of_app}") == [(6, 0)]


def test_an_older_index_learns_the_kinds_at_the_next_crawl(filled: Location, hub: FakeHub, call: Call) -> None:
    """Also of repositories that were swept, whose list would not be read to its end."""
    before = [rows(filled, question) for question in STORED]
    go_back(filled, "0004")
    crawl(hub, filled, Plan(repositories=["acme/nosuch"]), at(1))
    assert kinds(call, filled, "tags", "acme/chart", "--match", "0.2.0") == ["unknown"]
    assert kinds(call, filled, "tags", "acme/app", "--match", "1.0") == ["image"]
    crawl(hub, filled, Plan(namespaces=["acme"]), at(2))
    assert [rows(filled, question) for question in STORED] == before


def test_many_charts_are_learned_to_the_last(location: Location, call: Call) -> None:
    """A walk goes on while a page tells a kind that was not known."""
    hub = FakeHub(rate_limit=1_000_000)
    chart = hub.add_repository("acme/chart")
    for number in range(250):
        chart.push_artifact(f"0.{number}", "helm", at=f"2024-03-01T{number // 60:02}:{number % 60:02}:00Z")
    crawl(hub, location, Plan(repositories=["acme/chart"]), at())
    change(location, "UPDATE digest SET kind = NULL", change=True)
    crawl(hub, location, Plan(repositories=["acme/chart"]), at(1))
    assert kinds(call, location, "tags", "acme/chart") == ["helm chart"] * 250
