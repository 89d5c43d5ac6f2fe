"""Git repositories in the shape of docker-library/repo-info, with a past that the test knows."""

import os
import subprocess
from pathlib import Path

from hubindex.moment import to_rfc3339

LIST = "application/vnd.docker.distribution.manifest.list.v2+json"


def digest(text: str) -> str:
    """Some digest."""
    from hashlib import sha256

    return f"sha256:{sha256(text.encode()).hexdigest()}"


def part(
    name: str, tag: str, content: str | None, platforms: dict[str, str] | None = None, era: int = 2020
) -> str:
    """A tag's part of a file, as in that year; `content` None: the tag was not there."""
    lines = [f"## `{name}:{tag}`", ""]
    if content is None:
        return "\n".join([*lines, "**does not exist** (yet?)", "", ""])
    prefix = "library/" if era < 2016 else ""
    lines += ["```console", f"$ docker pull {prefix}{name}@{digest(content)}", "```", ""]
    if era < 2016:
        return "\n".join([*lines, "-\tTotal Virtual Size: 1.0 MB (1000000 bytes)", "", "### Layers (1)", "", ""])
    if era >= 2017:
        lines.append(f"-\tManifest MIME: `{LIST}`")
    bullet = "-   " if era == 2016 else "-\t"
    lines.append(f"{bullet}Platforms:" + (f" {len(platforms or {})}" if era >= 2022 else ""))
    lines += [f"\t{bullet}{platform}" for platform in platforms or {}] + [""]
    for platform, image in (platforms or {}).items():
        lines += [f"### `{name}:{tag}` - {platform}", ""]
        if era >= 2017:
            lines += ["```console", f"$ docker pull {name}@{digest(image)}", "```", ""]
        lines += ["-\tTotal Size: **1.0 MB (1000000 bytes)**", ""]
    return "\n".join([*lines, ""])


class RepoInfo:
    """A repository on this machine; commits have the times that the test gives, in ms."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        self.git("init", "--quiet", "--initial-branch=master")

    def git(self, *arguments: str, at: int = 0) -> str:
        """Run git there."""
        when = to_rfc3339(at)
        env = {
            **os.environ, "GIT_AUTHOR_NAME": "bot", "GIT_AUTHOR_EMAIL": "b@example.org", "GIT_AUTHOR_DATE": when,
            "GIT_COMMITTER_NAME": "bot", "GIT_COMMITTER_EMAIL": "b@example.org", "GIT_COMMITTER_DATE": when,
            "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1",
        }  # fmt: skip
        line = ["git", *arguments]
        return subprocess.run(line, cwd=self.folder, env=env, check=True, capture_output=True, text=True).stdout

    def commit(self, at: int, files: dict[str, str | None]) -> str:
        """A commit in which these files have this text, or are removed; its name."""
        for path, text in files.items():
            file = self.folder / path
            if text is None:
                file.unlink()
            else:
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text, encoding="utf-8", errors="surrogateescape")
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", "look", at=at)
        return self.git("rev-parse", "HEAD").strip()
