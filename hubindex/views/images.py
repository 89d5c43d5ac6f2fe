"""An image: its fields, and what people are told of it."""

import re
from collections.abc import Sequence

from hubindex.contents import ImageConfig
from hubindex.digests import digest_text
from hubindex.index.questions.images import ImageFacts
from hubindex.index.questions.origins import Origin, versions
from hubindex.index.questions.repositories import RepositoryFacts, least_specific_first
from hubindex.moment import to_rfc3339
from hubindex.reference import DEFAULT_REGISTRY
from hubindex.text import shown
from hubindex.views.ages import age
from hubindex.views.cells import optional_moment, short_digest, size
from hubindex.views.table import Row, Table

_SOURCE = "org.opencontainers.image.source"
_REVISION = "org.opencontainers.image.revision"
_VERSION = "org.opencontainers.image.version"
_MAX_WORDS = 200
_MAX_LAYERS = 12

IMAGE_TABLE = Table(
    {
        "Name": "NAME",
        "Tag": "TAG",
        "Digest": "DIGEST",
        "Kind": "KIND",
        "MediaType": "MEDIA TYPE",
        "Aliases": "ALIASES",
        "PushedAt": "PUSHED",
        "FirstSeen": "FIRST SEEN",
        "LastSeen": "LAST SEEN",
        "Certainty": "CERTAINTY",
        "Platforms": "PLATFORMS",
        "Platform": "PLATFORM",
        "Image": "IMAGE",
        "ImageID": "IMAGE ID",
        "Created": "CREATED (CLAIM)",
        "Entrypoint": "ENTRYPOINT",
        "Command": "COMMAND",
        "Ports": "PORTS",
        "User": "USER",
        "WorkingDir": "WORKING DIR",
        "Volumes": "VOLUMES",
        "StopSignal": "STOP SIGNAL",
        "Env": "ENV",
        "Versions": "VERSIONS",
        "Labels": "LABELS",
        "Annotations": "ANNOTATIONS",
        "Source": "SOURCE",
        "Revision": "REVISION",
        "Version": "VERSION",
        "Size": "SIZE",
        "Layers": "LAYERS",
        "Attestations": "ATTESTATIONS",
        "BasedOn": "BASED ON",
        "System": "SYSTEM",
        "Runtime": "RUNTIME",
        "Problem": "PROBLEM",
    },
    ("Name", "Tag", "Digest", "Platform", "Size", "Created"),
    "*hubindex.Image",
)


def image_row(facts: ImageFacts) -> Row:
    """The fields of an image; what is not known is None. `Created` is the builder's claim."""
    tag, contents = facts.tag, facts.contents
    config = contents.image if contents is not None and contents.image is not None else None
    labels = {} if contents is None else {**(config.labels if config else {}), **contents.annotations}
    whole = contents or facts.image_index
    based = facts.origins
    return {
        "Name": facts.reference.familiar_name,
        "Tag": facts.reference.tag,
        "Digest": facts.digest,
        "Kind": tag.kind if tag else None,
        "MediaType": tag.media_type if tag else whole.media_type if whole else None,
        "Aliases": least_specific_first(tag.aliases) if tag else [],
        "PushedAt": optional_moment(tag.pushed_at) if tag else None,
        "FirstSeen": to_rfc3339(tag.first_seen_at) if tag else None,
        "LastSeen": to_rfc3339(tag.last_seen_at) if tag else None,
        "Certainty": tag.certainty if tag else None,
        "Platforms": list(facts.platforms),
        "Platform": facts.platform,
        "Image": facts.image_digest,
        "ImageID": digest_text(contents.config.digest) if contents and contents.config and config else None,
        "Created": optional_moment(config.created_at) if config else None,
        "Entrypoint": list(config.entrypoint) if config else None,
        "Command": list(config.command) if config else None,
        "Ports": list(config.ports) if config else None,
        "User": config.user if config else None,
        "WorkingDir": config.working_dir if config else None,
        "Volumes": list(config.volumes) if config else None,
        "StopSignal": config.stop_signal if config else None,
        "Env": list(config.env) if config else None,
        "Versions": versions(config) if config else None,
        "Labels": dict(config.labels) if config else None,
        "Annotations": dict(contents.annotations) if contents else None,
        "Source": labels.get(_SOURCE),
        "Revision": labels.get(_REVISION),
        "Version": labels.get(_VERSION),
        "Size": contents.size if contents else tag.size if tag else None,
        "Layers": [_layer(layer.digest, layer.size) for layer in contents.layers] if contents else None,
        "Attestations": len(facts.image_index.attestations) if facts.image_index else None,
        "BasedOn": _origin(based.image, based.also),
        "System": _origin(based.system),
        "Runtime": _origin(based.runtime),
        "Problem": whole.problem if whole else None,
    }


def image_lines(
    repository: RepositoryFacts, facts: ImageFacts, now: int, *, truncate: bool
) -> list[tuple[str, object]]:
    """The same for people: labels and values, in their order; values may be empty."""
    row, tag = image_row(facts), facts.tag
    rows: list[tuple[str, object]] = [
        ("Name", facts.reference.familiar if facts.reference.digest is None else facts.reference.familiar_name),
        ("Also called", " = ".join(least_specific_first(tag.aliases)) if tag else None),
        ("Digest", facts.digest or "unknown"),
        ("Kind", row["Kind"]),
        ("Pushed", _when(tag.pushed_at, now) if tag else None),
        ("First seen", _when(tag.first_seen_at, now) if tag else None),
        ("Last seen", _when(tag.last_seen_at, now) if tag else None),
        ("Platforms", ", ".join(facts.platforms)),
    ]
    if facts.image_index is not None and facts.image_index.attestations:
        rows.append(("Attestations", f"{len(facts.image_index.attestations):,}, beside the images"))
    return rows + content_lines(repository, facts, now, truncate=truncate)


def content_lines(
    repository: RepositoryFacts, facts: ImageFacts, now: int, *, truncate: bool
) -> list[tuple[str, object]]:
    """What an image holds, for people."""
    contents, row = facts.contents, image_row(facts)
    several = len(facts.platforms) > 1
    if contents is None:
        return [("Contents", _how_to_know(repository, facts))]
    rows: list[tuple[str, object]] = []
    if several or facts.image_digest != facts.digest:
        rows.append(("Image", f"{_digest(facts.image_digest, truncate=truncate)} ({facts.platform})"))
    rows += [
        ("Image ID", _digest(row["ImageID"], truncate=truncate)),
        ("Based on", _said(facts.origins.image, facts.origins.also)),
        ("System", _said(facts.origins.system)),
        ("Runtime", _said(facts.origins.runtime)),
    ]
    config = contents.image
    if config is not None:
        rows += _process_lines(config, now, truncate=truncate)
    rows += [(name, row[name]) for name in ("Version", "Revision", "Source")]
    layers = contents.layers
    total = f", {size(contents.size)} with the configuration" if contents.size is not None else ""
    rows.append(("Layers", f"{len(layers):,}{total}" if layers else None))
    listed = layers[:_MAX_LAYERS] if truncate else layers
    for number, layer in enumerate(listed, 1):
        rows.append(
            (f"  {number}", f"{_digest(digest_text(layer.digest), truncate=truncate)}  {size(layer.size)}")
        )
    if len(listed) < len(layers):
        rows.append(("  …", f"{len(layers) - len(listed):,} more: --no-trunc shows them"))
    if contents.problem:
        rows.append(("Problem", contents.problem))
    return rows


def _process_lines(config: ImageConfig, now: int, *, truncate: bool) -> list[tuple[str, object]]:
    labels = [f"{name}={value}" for name, value in config.labels.items()]
    return [
        (
            "Created",
            f"{_when(config.created_at, now)}, says its builder" if config.created_at is not None else None,
        ),
        ("Entrypoint", _command(config.entrypoint, truncate=truncate)),
        ("Command", _command(config.command, truncate=truncate)),
        ("Ports", ", ".join(config.ports)),
        ("User", config.user),
        ("Working dir", config.working_dir),
        ("Volumes", ", ".join(config.volumes)),
        ("Versions", _cut(", ".join(versions(config)), truncate=truncate)),
        ("Labels", _cut(", ".join(labels), truncate=truncate)),
    ]


def _how_to_know(repository: RepositoryFacts, facts: ImageFacts) -> str:
    if facts.digest is None:
        return "unknown, as the digest is"
    name = facts.reference.familiar_name
    option = "--configs " if repository.reference.registry == DEFAULT_REGISTRY else ""
    return f"not in the index: 'hubindex crawl {option}--repo {name}' reads them"


def _layer(digest: bytes, its_size: int | None) -> dict[str, object]:
    return {"Digest": digest_text(digest), "Size": its_size}


def _origin(found: Origin | None, also: Sequence[str] = ()) -> dict[str, object] | None:
    if found is None:
        return None
    return {"Value": found.value, "Source": found.source, **({"Also": list(also)} if also else {})}


def _said(found: Origin | None, also: Sequence[str] = ()) -> str:
    if found is None:
        return "unknown"
    return " = ".join((found.value, *also)) + f" ({found.source})"


def _command(words: Sequence[str], *, truncate: bool) -> str:
    """As a shell would take it."""
    from shlex import join

    return _cut(join(words), truncate=truncate)


def _cut(text: str, *, truncate: bool) -> str:
    return shown(text, _MAX_WORDS) if truncate else re.sub(r"\s+", " ", text)


def _digest(digest: object, *, truncate: bool) -> str:
    text = digest if isinstance(digest, str) else ""
    return short_digest(text) if truncate and text else text


def _when(at: int | None, now: int) -> str | None:
    return None if at is None else f"{to_rfc3339(at - at % 1000)}, {age(at, now)}"
