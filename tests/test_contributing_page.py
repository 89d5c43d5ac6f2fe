"""What `CONTRIBUTING.md` tells newcomers is true, and the checks before a commit are those of `.ci/run`."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml

CHECKOUT = Path(__file__).parent.parent
PAGE = (CHECKOUT / "CONTRIBUTING.md").read_text(encoding="utf-8")
CI = (CHECKOUT / ".ci" / "run").read_text(encoding="utf-8")
MAKEFILE = (CHECKOUT / "Makefile").read_text(encoding="utf-8")
TOOLS = ("ruff", "mypy", "hadolint")


def checks(text: str, folder: str) -> set[str]:
    """The commands of `TOOLS` in a script, without the folder they are in."""
    return set(re.findall(rf"^\s*{re.escape(folder)}((?:{'|'.join(TOOLS)})\b.*)$", text, re.MULTILINE))


def test_the_checks_are_the_same_everywhere() -> None:
    """Before a commit, by `make check`, and in `.ci/run`."""
    config = yaml.safe_load((CHECKOUT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    hooks = [hook for repository in config["repos"] for hook in repository["hooks"]]
    assert all((hook["language"], hook["pass_filenames"]) == ("system", False) for hook in hooks)
    before_a_commit = {hook["entry"].removeprefix(".venv/bin/") for hook in hooks}
    assert before_a_commit == checks(MAKEFILE, "$(VENV)/bin/")
    assert before_a_commit == checks(CI.replace('"', ""), "$venv/bin/")
    assert {check.split()[0] for check in before_a_commit} == set(TOOLS)


@pytest.mark.parametrize(
    "path", sorted(set(re.findall(r"(?:hubindex|tests|migrations|docs|requirements|\.ci)/[\w./-]*", PAGE)))
)
def test_every_path_that_is_named_exists(path: str) -> None:
    """A newcomer finds what the page speaks of; `NAME` and `NNNN` stand for what is to be made."""
    known = re.sub(r"/(?:NAME|NNNN)\w*(?:\.py)?$", "/", path)
    assert (CHECKOUT / known).exists()


def test_every_name_that_is_named_exists() -> None:
    """Targets of `make`, constants in files, and the packages of a command line."""
    for target in re.findall(r"`make (\w+)`", PAGE):
        assert re.search(rf"^{target}:", MAKEFILE, re.MULTILINE), target
    for name, path in re.findall(r"`(\w+)` of\s+`(hubindex/[\w/]+\.py)`", PAGE):
        assert name in (CHECKOUT / path).read_text(encoding="utf-8"), name
    dev = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"][
        "optional-dependencies"
    ]["dev"]
    installed = {re.split(r"[^\w-]", line)[0] for line in dev}
    programs = set(re.findall(r"\.venv/bin/([\w-]+)", PAGE)) - {"python", "pip"}
    assert programs
    assert programs <= installed


def test_links_lead_somewhere() -> None:
    """Within the pages for people who take part."""
    for page in ("CONTRIBUTING.md", "SECURITY.md", "README.md"):
        text = (CHECKOUT / page).read_text(encoding="utf-8")
        for link in re.findall(r"\]\((?!https?:)([^)#]+)", text):
            assert (CHECKOUT / link).exists(), (page, link)


def test_the_templates_are_forms() -> None:
    """Every issue form has a name, a description and questions with different ids."""
    forms = sorted((CHECKOUT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"))
    for path in forms:
        form = yaml.safe_load(path.read_text(encoding="utf-8"))
        if path.name == "config.yml":
            continue
        assert form["name"]
        assert form["description"]
        ids = [field["id"] for field in form["body"]]
        assert len(ids) == len(set(ids)) > 0
