"""The JSON rows of the Hub, with the keys that rows of each age have."""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from tests.fakehub.data import FakeImage, FakeRepository, FakeTag, digest_of

JSON: TypeAlias = "bool | int | float | str | Sequence[JSON] | Mapping[str, JSON] | None"
Row: TypeAlias = dict[str, JSON]

_USER = 1156886


def search_row(repository: FakeRepository) -> Row:
    """A row of `/v2/search/repositories/`."""
    return {
        "repo_name": repository.search_name,
        "short_description": repository.description,
        "star_count": repository.star_count,
        "pull_count": repository.pull_count,
        "repo_owner": "",
        "is_automated": repository.is_automated,
        "is_official": repository.is_official,
    }


def v1_search_row(repository: FakeRepository) -> Row:
    """A row of `/v1/search`."""
    return {
        "name": repository.search_name,
        "description": repository.description,
        "pull_count": repository.pull_count,
        "star_count": repository.star_count,
        "is_trusted": repository.is_automated,
        "is_automated": repository.is_automated,
        "is_official": repository.is_official,
    }


def repository_row(repository: FakeRepository) -> Row:
    """A row of a namespace's list of repositories."""
    old = repository.era < 2025
    row: Row = {"user": repository.namespace} if old else {}
    row |= {"name": repository.name, "namespace": repository.namespace}
    if repository.era >= 2019:
        row["repository_type"] = repository.repository_type
    row["status"] = _status(repository)
    if not old:
        row["status_description"] = "active" if _status(repository) else "inactive"
    row |= {"description": repository.description, "is_private": False}
    if old:
        row |= {"is_automated": repository.is_automated, "can_edit": False}
    row |= {
        "star_count": repository.star_count,
        "pull_count": repository.pull_count,
        "last_updated": repository.last_updated,
    }
    if not old:
        row |= _catalogue(repository) | {"affiliation": ""} | _contents(repository)
    elif repository.era >= 2019:
        row["is_migrated"] = True
    return row


def repository_detail(repository: FakeRepository) -> Row:
    """The answer for one repository."""
    row = repository_row(repository)
    about: Row = {"has_starred": False}
    if repository.full_description is not None:
        about["full_description"] = repository.full_description
    if repository.era < 2025:
        return row | about
    lists = {key: row.pop(key) for key in ("media_types", "content_types", "categories", "storage_size")}
    row |= {"user": repository.namespace, "is_automated": repository.is_automated}
    row |= {"collaborator_count": 0, "affiliation": None, "hub_user": _hub_user(repository)}
    row |= about | {"permissions": {"read": True, "write": False, "admin": False}} | lists
    return row | {"immutable_tags_settings": {"enabled": False, "rules": [".*"]}, "source": None}


def tag_row(repository: FakeRepository, tag: FakeTag) -> Row:
    """A row of a tag list, or the answer for one tag, with the keys of the tag's era."""
    row: Row = {"creator": _USER, "id": tag.id}
    if tag.era >= 2018 and tag.images is not None:
        row["images"] = [image_row(image, era=tag.era) for image in tag.images]
    row |= {"last_updated": tag.pushed_at, "last_updater": _USER}
    if tag.era >= 2019:
        row["last_updater_username"] = _hub_user(repository)
    row |= {"name": tag.name, "repository": repository.id, "full_size": tag.full_size}
    if tag.era < 2022:
        row["image_id"] = None
    row["v2"] = True
    if tag.era >= 2022:
        row |= {
            "tag_status": tag.status,
            "tag_last_pulled": tag.pulled_at,
            "tag_last_pushed": tag.pushed_at,
        }
        if tag.media_type is not None:
            row |= {"media_type": tag.media_type, "content_type": tag.content_type}
    if tag.era >= 2023 and tag.digest is not None:
        row["digest"] = tag.digest
    return row


def image_row(image: FakeImage, *, era: int) -> Row:
    """One of the `images` of a tag row."""
    features = None if era < 2019 else ""
    row: Row = {"architecture": image.architecture, "features": features, "variant": image.variant}
    if era >= 2019 and image.digest is not None:
        row["digest"] = image.digest
    row |= {"os": image.os, "os_features": features, "os_version": image.os_version, "size": image.size}
    if era >= 2022:
        row |= {
            "status": image.status,
            "last_pulled": image.last_pulled,
            "last_pushed": image.last_pushed,
        }
    return row


def layered_image_row(image: FakeImage, *, era: int) -> Row:
    """One of the bare array of `/tags/{tag}/images`: with layers, and features that are null."""
    layers: list[Row] = [
        {"digest": digest_of(f"layer {image.digest}"), "size": image.size, "instruction": "ADD rootfs in / "},
        {"size": 0, "instruction": ' CMD ["/bin/sh"]'},
    ]
    return image_row(image, era=era) | {"features": None, "os_features": None, "layers": layers}


def _status(repository: FakeRepository) -> int:
    return 0 if repository.last_updated is None and not repository.tags else 1


def _hub_user(repository: FakeRepository) -> str:
    return "stackbrew" if repository.namespace == "library" else repository.namespace


def _catalogue(repository: FakeRepository) -> Row:
    return {
        "last_modified": repository.last_modified,
        "date_registered": repository.date_registered,
    }


def _contents(repository: FakeRepository) -> Row:
    types = sorted({tag.media_type for tag in repository.tags if tag.media_type is not None})
    return {
        "media_types": types,
        "content_types": sorted(
            {tag.content_type for tag in repository.tags if tag.media_type and tag.content_type}
        ),
        "categories": [{"name": name, "slug": slug} for name, slug in repository.categories],
        "storage_size": sum(tag.full_size for tag in repository.tags),
    }
