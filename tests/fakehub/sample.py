"""A lively Hub to try things on: well-known names, rows of every age, and every oddity of the real one.

All of it is invented, except for names that everybody knows.
"""

from collections.abc import Sequence
from typing import TypedDict

from tests.fakehub.data import DOCKER_LIST, IMAGE_CONFIG, FakeImage, FakeTag, digest_of
from tests.fakehub.server import FakeHub

MANY = (
    "linux/amd64",
    "linux/386",
    "linux/arm/v5",
    "linux/arm/v6",
    "linux/arm/v7",
    "linux/arm64/v8",
    "linux/ppc64le",
    "linux/riscv64",
    "linux/s390x",
)
WINDOWS = ("linux/amd64", "linux/arm64/v8", "windows/amd64:10.0.17763.6659", "windows/amd64:10.0.20348.2966")

# path, stars, pulls, description
REPOSITORIES = (
    ("library/mongo", 10_412, 4_700_000_000, "MongoDB document databases: available and easy to scale."),
    ("library/mongo-express", 1_512, 310_000_000, "Web-based MongoDB admin interface"),
    ("library/postgres", 14_480, 10_900_000_000, "The PostgreSQL object-relational database system"),
    ("library/nginx", 21_301, 13_014_000_111, "Official build of Nginx."),
    ("library/redis", 13_455, 9_800_000_000, "The world’s fastest data platform, so they say"),
    ("library/thrift", 61, 4_200_000, "Thrift is a framework for generating client/server code."),
    ("library/node", 14_001, 6_900_000_000, "Node.js is a JavaScript-based platform for servers."),
    ("library/ubuntu", 17_800, 8_400_000_000, "Ubuntu is a Debian-based Linux operating system."),
    ("library/alpine", 11_500, 12_100_000_000, "A minimal image with a package index, only 5 MB in size!"),
    ("library/hello-world", 2_500, 1_100_000_000, "Hello World! (an example of minimal Dockerization)"),
    ("bitnami/mongodb", 280, 410_000_000, "Bitnami container image for MongoDB"),
    ("mongodb/mongodb-community-server", 130, 98_000_000, "The Official MongoDB Community Server"),
    ("mongodb/mongodb-atlas-local", 12, 2_300_000, "Create, manage, and automate MongoDB Atlas Local"),
    ("percona/percona-server-mongodb", 41, 15_000_000, "Percona Server for MongoDB docker images"),
    ("arm64v8/mongo", 33, 6_000_000, "MongoDB document databases: available and easy to scale."),
    ("acme/mongo-backup", 7, 120_345, "MongoDB to S3 & back; age < 30d, size > 0\nnext line\twith a tab"),
    ("acme/thrift", 4, 88_001, "Apache Thrift compiler, nightly"),
    ("evelyn/thrift-book", 1, 2_040, "Companion image for the book on Thrift"),
    ("fluxlab/thrift-proxy", 1, 917, "Thrift → HTTP proxy 🚀 👩‍🚀"),
    ("kenji/thrift-ja", 0, 64, "Apache Thrift の日本語入門イメージ（実験用）"),
    ("olga/thrift-gen", 0, 12, "Генератор кода Thrift для Go и Python"),
    ("quiet/thrift", 0, 3, ""),
    ("mallory/thrift-xss", 0, 1, "<script>alert('hi')</script> \x1b[31mred\x1b[0m \x07bell \u202eback"),
    ("acme/nightly", 2, 40_000, "One image a night"),
    ("acme/web", 5, 1_000_000, "The shop front"),
    ("acme/worker", 3, 900_000, "Runs in the background"),
    ("acme/never-pushed", 0, 0, "Nothing here yet"),
    ("grafana/grafana", 3_500, 4_000_000_000, "The official Grafana docker container"),
    ("grafana/loki", 200, 1_200_000_000, "Like Prometheus, but for logs."),
    ("prom/prometheus", 1_900, 2_700_000_000, "The Prometheus monitoring system"),
    ("traefik/whoami", 90, 300_000_000, "Tiny Go webserver that prints its requests"),
    ("jenkins/jenkins", 4_200, 900_000_000, "The leading open source automation server"),
    ("circleci/postgres", 33, 500_000_000, "CircleCI images for PostgreSQL"),
    ("postgis/postgis", 800, 140_000_000, "PostGIS is a spatial database extender for PostgreSQL."),
    ("timescale/timescaledb", 260, 120_000_000, "A time-series database made of PostgreSQL"),
    ("nginx/nginx-ingress", 121, 1_090_000_000, "NGINX and  NGINX Plus Ingress Controllers"),
    ("nginxinc/nginx-unprivileged", 170, 700_000_000, "Unprivileged NGINX Dockerfiles"),
    ("jwilder/nginx-proxy", 2_000, 150_000_000, "Automated nginx proxy for Docker containers"),
    ("zoe/naive", 0, 5, "Café de l’été, déjà vu, and cafe\u0301 once more"),
    ("x/a-repository-whose-name-is-longer-than-thirty-characters", 0, 2, "Search has missed such names"),
    ("old/single", 9, 77_000, "From the days of Docker 1.5"),
)
AUTOMATED = {"acme/mongo-backup", "acme/thrift", "bitnami/mongodb", "jwilder/nginx-proxy", "old/single"}


class SearchRow(TypedDict):
    """A row of a search answer as programs print it: a bare name where there is no namespace."""

    name: str
    description: str
    star_count: int
    is_official: bool
    is_automated: bool


def load_rows(hub: FakeHub, term: str, rows: Sequence[SearchRow]) -> None:
    """Let a search for `term` answer exactly these rows, in order; each repository has a tag or two."""
    paths = []
    for index, row in enumerate(rows):
        path = row["name"] if "/" in row["name"] else f"library/{row['name']}"
        repository = hub.add_repository(
            path,
            row["description"],
            star_count=row["star_count"],
            pull_count=1000 * (len(rows) - index),
            is_automated=row["is_automated"],
            is_official=row["is_official"],
        )
        names = ("latest", "1.0") if index % 2 else ("latest",)
        repository.push(*names, at=f"2024-03-{index % 28 + 1:02}T12:00:00.123456Z")
        paths.append(path)
    hub.set_search(term, paths)


def sample_hub() -> FakeHub:
    """Some forty repositories; the same at each call."""
    hub = FakeHub()
    for path, stars, pulls, description in REPOSITORIES:
        repository = hub.add_repository(
            path, description, star_count=stars, pull_count=pulls, is_automated=path in AUTOMATED
        )
        if path != "acme/never-pushed":
            repository.push("latest", at="2025-06-11T04:31:07.5Z", platforms=("linux/amd64",))
    hub.repositories["library/nginx"].categories = [("Web servers", "web-servers")]
    hub.repositories["library/ubuntu"].last_modified = "2024-10-16T13:48:34.145251Z"
    _releases(hub)
    _many_tags(hub)
    _odd_repositories(hub)
    _odd_tags(hub)
    _shared_content(hub)
    return hub


def _releases(hub: FakeHub) -> None:
    """Tags that are several names for one image, and a nightly that is something else."""
    mongo = hub.repositories["library/mongo"]
    mongo.push("6.0.16", "6.0", "6", at="2024-07-30T20:10:11.90112Z", platforms=WINDOWS, attestations=True)
    mongo.push(
        "latest",
        "7",
        "7.0",
        "7.0.12",
        at="2024-07-31T02:44:09.1674Z",
        platforms=WINDOWS,
        attestations=True,
        content="mongo 7.0.12",
        pulled_at="2026-10-01T09:15:26.35526421Z",
    )
    mongo.push("8.0.0-rc20", at="2024-08-20T17:00:00Z", platforms=WINDOWS, attestations=True)
    hub.repositories["library/postgres"].push(
        "17.2", "17", "latest", at="2025-01-14T03:05:06.123456789Z", platforms=MANY, attestations=True
    )
    hub.repositories["library/alpine"].push("3.21", "3", "latest", at="2025-01-08T12:00:00Z", platforms=MANY)


def _many_tags(hub: FakeHub) -> None:
    """Lists of more than two pages of a hundred."""
    node = hub.repositories["library/node"]
    for number in range(260):
        day = f"2023-{number // 28 % 12 + 1:02}-{number % 28 + 1:02}"
        node.push(f"20.{number}.0", at=f"{day}T06:00:{number % 60:02}.123Z", platforms=("linux/amd64",))
    nightly = hub.repositories["acme/nightly"]
    for number in range(365):
        day = f"2024-{number // 28 % 12 + 1:02}-{number % 28 + 1:02}"
        nightly.push(f"nightly-{number:03}", at=f"{day}T02:00:00Z", platforms=("linux/amd64",), era=2022)


def _odd_repositories(hub: FakeHub) -> None:
    """Rows of repositories that are old, have nulls, or lack a key."""
    hub.repositories["old/single"].era = 2015
    hub.repositories["bitnami/mongodb"].era = 2019
    hub.repositories["jwilder/nginx-proxy"].era = 2019
    hub.repositories["acme/thrift"].full_description = None
    hub.repositories["evelyn/thrift-book"].repository_type = None
    hub.repositories["acme/worker"].date_registered = None
    hub.repositories["quiet/thrift"].last_updated = None
    hub.repositories["quiet/thrift"].description = None
    hub.repositories["grafana/loki"].description = "Like Prometheus, but for logs. " * 8
    hub.repositories["library/thrift"].full_description = "# Thrift\n\n" + "text & more\n" * 900


def _odd_tags(hub: FakeHub) -> None:
    """One list with tags of every age and every gap."""
    grafana = hub.repositories["grafana/grafana"]
    for year in (2016, 2018, 2019, 2022, 2023):
        grafana.push(f"from-{year}", at=f"{year}-05-06T07:08:09.{year}00Z", era=year, media_type=DOCKER_LIST)
    old_image = FakeImage(os="", digest=digest_of("grafana 2.1.3"), size=96_233_974)
    grafana.tags += [
        FakeTag("2.1.3", 785_384, images=[old_image], full_size=96_233_782, era=2022),
        FakeTag(
            "no-digest",
            785_385,
            images=[FakeImage(digest=digest_of("no tag digest"))],
            media_type=IMAGE_CONFIG,
            full_size=30_000_001,
            pushed_at="2021-05-25T22:27:21.712654Z",
            status="inactive",
        ),
        FakeTag(
            "images-gone",
            785_386,
            digest=digest_of("images gone"),
            media_type=DOCKER_LIST,
            images=[],
            full_size=78_914_007,
            pushed_at="2025-08-04T15:40:07.906572Z",
        ),
        FakeTag("no-images-key", 785_387, digest=digest_of("no images key"), images=None, full_size=1),
        FakeTag(
            "image-without-digest",
            785_388,
            digest=digest_of("image without digest"),
            images=[FakeImage(), FakeImage("arm64", variant="v8", digest=digest_of("with"))],
            pushed_at="2022-02-02T02:02:02Z",
        ),
    ]
    hub.repositories["library/hello-world"].push(
        "nanoserver",
        at="2025-08-13T22:47:01.1Z",
        platforms=("windows/amd64:10.0.17763.7678", "windows/amd64:10.0.20348.4052"),
    )


def _shared_content(hub: FakeHub) -> None:
    """The same image under several repositories and tags."""
    for path, at in (("acme/web", "2025-02-01T08:00:00Z"), ("acme/worker", "2025-02-01T08:00:31Z")):
        hub.repositories[path].push("1.4.0", "1.4", "stable", at=at, content="acme base 1.4.0")
