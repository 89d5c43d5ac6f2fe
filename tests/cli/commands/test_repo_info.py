"""`hubindex import repo-info`: the past of the official images, from somebody else's git."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from hubindex.index.database.location import Location
from hubindex.index.handle import Index
from hubindex.moment import to_rfc3339
from hubindex.sources.git.repo_info import read_record
from tests.cli.conftest import Call
from tests.index.building import problems
from tests.repo_info import RepoInfo, digest, part

DAY = 86_400_000
BOTH = {"linux; amd64": "amd64 1", "linux; arm variant v7": "arm 1"}


def day(number: int) -> int:
    """Noon of a day of 2020."""
    return 1_577_836_800_000 + number * DAY + DAY // 2


def when(at: int) -> str:
    return to_rfc3339(at)


@pytest.fixture
def repository(tmp_path: Path) -> RepoInfo:
    """A past in both layouts: a tag moves, is away and comes back; files move and vanish."""
    made = RepoInfo(tmp_path / "repo-info")
    details = "repos/mongo/tag-details.md"
    made.commit(day(0), {"README.md": "# repo-info", details: part("mongo", "4", "a", era=2015)})
    made.commit(day(10), {details: part("mongo", "4", "a", BOTH) + part("mongo", "latest", "a", BOTH)})
    made.commit(
        day(20), {"repos/mongo/remote/4.md": part("mongo", "4", "b", {**BOTH, "unknown; unknown": "x"}, 2023)}
    )
    made.commit(day(25), {"repos/mongo/local/4.md": part("mongo", "4", "never")})
    made.commit(day(30), {"repos/mongo/remote/4.md": part("mongo", "4", None)})
    made.commit(day(40), {"repos/mongo/remote/4.md": part("mongo", "4", "a", BOTH), details: None})
    made.commit(day(45), {"repos/redis/remote/6.md": part("redis", "6", "r", {"linux; amd64": "r1"})})
    made.commit(day(50), {"repos/mongo/remote/4.md": None})
    return made


def asked(call: Call, db: str, *line: str) -> tuple[str | None, str]:
    row = json.loads(call("--db", db, "resolve", *line, "--format", "json").out)
    return row["Digest"], row["Certainty"]


def test_the_past_on_the_first_day(repository: RepoInfo, location: Location, call: Call) -> None:
    """A new index answers for years that it has not seen, and says who says so."""
    db = location.target
    outcome = call("--db", db, "import", "repo-info", str(repository.folder), "mongo")
    assert outcome.code == 0, outcome
    assert outcome.out.startswith("1 images, ")
    expected = [
        (0, digest("a"), "reported"), (5, digest("a"), "inferred"), (10, digest("a"), "reported"),
        (20, digest("b"), "reported"), (25, digest("b"), "inferred"), (30, None, "unknown"),
        (40, digest("a"), "reported"), (60, digest("a"), "inferred"),
    ]  # fmt: skip
    for number, found, certainty in expected:
        assert asked(call, db, "mongo:4", "--at", when(day(number))) == (found, certainty), number
    assert asked(call, db, "mongo:latest", "--at", when(day(10))) == (digest("a"), "reported")
    said = call("--db", db, "resolve", "mongo:4", "--at", when(day(20))).err
    assert ", says repo-info" in said
    assert call("--db", db, "resolve", "redis:6").code == 3
    assert problems(location) == []


def test_images_for_platforms(repository: RepoInfo, location: Location, call: Call) -> None:
    """As far as a file names them; attestations are none."""
    db = location.target
    call("--db", db, "import", "repo-info", str(repository.folder))
    amd64 = ("--platform", "linux/amd64")
    assert asked(call, db, "mongo:4", "--at", when(day(10)), *amd64) == (digest("amd64 1"), "reported")
    assert asked(call, db, "mongo:4", "--at", when(day(22)), *amd64) == (digest("amd64 1"), "inferred")
    arm = ("--platform", "linux/arm/v7")
    assert asked(call, db, "mongo:4", "--at", when(day(10)), *arm) == (digest("arm 1"), "reported")
    assert asked(call, db, "mongo:4", "--at", when(day(0)), *amd64) == (None, "unknown")


def test_the_next_import_reads_new_commits_only(repository: RepoInfo, location: Location, call: Call) -> None:
    """Nothing new adds nothing; a history that was written anew is read from its beginning."""
    db, folder = location.target, str(repository.folder)
    first = call("--db", db, "import", "repo-info", folder).out
    assert first.startswith("2 images, ")
    assert call("--db", db, "import", "repo-info", folder).out == "2 images, 0 new reports\n"
    repository.commit(day(70), {"repos/mongo/remote/4.md": part("mongo", "4", "d", {"linux; amd64": "amd64 d"})})
    assert call("--db", db, "import", "repo-info", folder).out == "2 images, 2 new reports\n"
    assert asked(call, db, "mongo:4") == (digest("d"), "reported")
    repository.git("checkout", "--quiet", "--orphan", "other")
    repository.commit(day(80), {"repos/mongo/remote/4.md": part("mongo", "4", "e")})
    assert (
        call("--db", db, "import", "repo-info", folder).out == "2 images, 3 new reports\n"
    )  # redis is there again
    assert asked(call, db, "mongo:4") == (digest("e"), "reported")
    assert call("--db", db, "import", "--forget", "repo-info").code == 0
    assert call("--db", db, "resolve", "mongo:4").code == 3
    assert "0 new" not in call("--db", db, "import", "repo-info", folder).out


def test_only_what_is_later(repository: RepoInfo, location: Location, call: Call) -> None:
    """`--since`; what is left out can be taken in afterwards."""
    db, folder = location.target, str(repository.folder)
    call("--db", db, "import", "repo-info", folder, "mongo", "--since", "2020-01-15")
    assert asked(call, db, "mongo:4", "--at", when(day(10))) == (None, "unknown")
    assert asked(call, db, "mongo:4", "--at", when(day(20))) == (digest("b"), "reported")
    call("--db", db, "import", "repo-info", folder, "mongo")
    assert asked(call, db, "mongo:4", "--at", when(day(10))) == (digest("a"), "reported")


def test_a_bare_clone(repository: RepoInfo, location: Location, call: Call, tmp_path: Path) -> None:
    """Is read as well as one with files."""
    bare = tmp_path / "bare.git"
    repository.git("clone", "--quiet", "--bare", str(repository.folder), str(bare))
    assert call("--db", location.target, "import", "repo-info", str(bare), "mongo").code == 0
    assert asked(call, location.target, "mongo:4", "--at", when(day(20))) == (digest("b"), "reported")


def test_a_clone_of_our_own(
    repository: RepoInfo, db: str, call: Call, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Is made in the cache without blobs, which are fetched many at once, and is brought up to date."""
    repository.git("config", "uploadpack.allowFilter", "true")
    repository.git("config", "uploadpack.allowAnySHA1InWant", "true")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    url = f"file://{repository.folder}"
    assert call("--db", db, "import", "repo-info", url, "mongo").code == 0
    assert asked(call, db, "mongo:4", "--at", when(day(20))) == (digest("b"), "reported")
    repository.commit(day(70), {"repos/mongo/remote/4.md": part("mongo", "4", "d")})
    assert call("--db", db, "import", "repo-info", url, "mongo").out == "1 images, 1 new reports\n"
    (clone,) = (tmp_path / "cache" / "hubindex" / "git").iterdir()
    missing = subprocess.run(
        ["git", "-c", "safe.directory=*", "rev-list", "--objects", "--all", "--missing=print"],
        cwd=clone, check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    assert "?" in missing  # what nobody asked for is not there: the files of redis


@pytest.fixture
def db(tmp_path: Path) -> str:
    """Where an index can be made."""
    return str(tmp_path / "index.db")


def test_nothing_that_a_clone_brings_along_is_run(
    repository: RepoInfo, db: str, call: Call, tmp_path: Path
) -> None:
    """No hook, no fsmonitor, no filter, no external diff, no pager, no program for signatures."""
    proof = tmp_path / "was-run"
    evil = tmp_path / "evil"
    evil.write_text(f"#!/bin/sh\ntouch {proof}\ncat\n")
    evil.chmod(0o755)
    for hook in ("post-checkout", "pre-auto-gc", "reference-transaction", "post-index-change"):
        (repository.folder / ".git" / "hooks" / hook).write_text(evil.read_text())
        os.chmod(repository.folder / ".git" / "hooks" / hook, 0o755)
    for name in (
        "core.fsmonitor", "core.pager", "diff.external", "diff.md.textconv", "diff.md.command", "gpg.program",
        "core.sshCommand", "pager.log", "filter.md.smudge", "filter.md.clean", "core.alternateRefsCommand",
        "uploadpack.packObjectsHook", "core.gitProxy",
    ):  # fmt: skip
        repository.git("config", name, str(evil))
    repository.git("config", "log.showSignature", "true")
    (repository.folder / ".git" / "info" / "attributes").write_text("*.md diff=md filter=md\n")
    assert call("--db", db, "import", "repo-info", str(repository.folder)).code == 0
    assert asked(call, db, "mongo:4", "--at", when(day(20))) == (digest("b"), "reported")
    assert not proof.exists()


NO_DIGEST = "## `mongo:z`\n$ docker pull mongo@sha256:zz\n"


def test_odd_files(db: str, call: Call, tmp_path: Path) -> None:
    """Paths with line breaks, links, files of no text, names of no tag: left out, and the rest counts."""
    made = RepoInfo(tmp_path / "repo-info")
    made.commit(day(0), {
        "repos/mongo/remote/a\nb.md": part("mongo", "4", "newline"),
        "repos/mongo/remote/x.md": "\udcff\0" * 1000,
        "repos/mongo/remote/y.md": part("mongo", "-no", "x") + part("redis", "4", "x") + NO_DIGEST,
        "repos/mongo/remote/z.md": "#" * 100_000 + "\n" + part("mongo", "ok", "ok"),
        "repos/bad name/remote/x.md": part("bad name", "x", "x"),
    })  # fmt: skip
    os.symlink("/etc/passwd", made.folder / "repos/mongo/remote/link.md")
    made.commit(day(1), {})
    outcome = call("--db", db, "import", "repo-info", str(made.folder), "mongo")
    assert outcome.code == 0, outcome
    with Index.open(db) as index:
        assert index.resolve("mongo:ok").digest == digest("ok")
    refused = call("--db", db, "import", "repo-info", str(made.folder))
    assert refused.code in {0, 2}
    assert refused.err.count("\n") <= 1


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("/nosuch",), 1, "no such folder"),
        ((".",), 1, "repo"),
        (("https://127.0.0.1:1/x",), 1, "127.0.0.1"),
        ((), 2, "Missing argument"),
    ],
)
def test_what_is_no_clone(
    db: str, call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], code: int,
    told: str,
) -> None:  # fmt: skip
    """Is told in one line."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    outcome = call("--db", db, "import", "repo-info", *arguments)
    assert outcome.code == code
    assert told in outcome.err


def test_an_image_that_is_not_there(repository: RepoInfo, db: str, call: Call) -> None:
    """Is no answer."""
    outcome = call("--db", db, "import", "repo-info", str(repository.folder), "nosuch")
    assert (outcome.code, "has no image 'nosuch'" in outcome.err) == (3, True)


SAMPLES = Path(os.environ["HUBINDEX_EVIDENCE"]) / "repo-info" if "HUBINDEX_EVIDENCE" in os.environ else None


@pytest.mark.skipif(SAMPLES is None, reason="HUBINDEX_EVIDENCE names no folder of evidence")
def test_real_files() -> None:
    """Of every era: the digests of tags, and of their images."""
    assert SAMPLES is not None
    told = {}
    for file in sorted(SAMPLES.iterdir()):
        name = file.name.split("_")[2].removesuffix(".md")
        told[file.name] = [
            (seen.tag, seen.digest is not None, len(seen.images)) for seen in read_record(file.read_text(), name)
        ]
    assert told["2016-01_tag-details.md_mariadb_beginning.md"][:2] == [("10.1.10", False, 0), ("10.1", True, 0)]
    assert told["2016-09_remote-latest.md_registry.md"] == [("latest", True, 0)]
    assert told["2017-12_tag-details.md_mongo_beginning.md"][0][:2] == ("3", True)
    assert told["2017-12_tag-details.md_mongo_beginning.md"][0][2] >= 2
    assert told["2020-09_remote-9-alpine.md_postgres_beginning.md"][0][:2] == ("9-alpine", True)
    assert ("8.15.4", True, 0) in told["2024-11_tag-details.md_logstash_middle.md"]
    assert told["2026-09_remote-latest.md_registry_cut.md"][0][:2] == ("latest", True)
