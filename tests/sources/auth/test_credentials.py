"""Credentials are found where docker keeps them, and go nowhere else."""

import base64
import json
import os
import stat
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from hubindex.errors import WrongUsage
from hubindex.sources.auth.credentials import Credentials, hub_credentials, registry_credentials

SECRET = "dckr_pat_s3cret"
HUB = URL("https://hub.docker.com")
REGISTRY = URL("https://registry-1.docker.io")
OTHER = URL("https://registry.acme.example:5000")
IDENTITY_TOKEN = "identity token is not used"


class Home:
    """A home directory with docker's configuration and its helper programs."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.warnings: list[str] = []
        self.environ = {"HOME": str(path), "PATH": f"{path / 'bin'}:/usr/bin:/bin"}
        (path / "bin").mkdir()

    def configure(self, config: object, folder: str = ".docker") -> None:
        """Write docker's `config.json`."""
        (self.path / folder).mkdir(exist_ok=True)
        body = config if isinstance(config, bytes) else json.dumps(config).encode()
        (self.path / folder / "config.json").write_bytes(body)

    def helper(self, script: str, name: str = "docker-credential-safe") -> None:
        """A credential helper; what it is asked for is written to the file `asked`."""
        program = self.path / "bin" / name
        program.write_text(f'#!/bin/sh\nhost=$(cat)\necho "$1 $host" >> {self.path}/asked\n{script}\n')
        program.chmod(program.stat().st_mode | stat.S_IXUSR)

    @property
    def asked(self) -> list[str]:
        """What the helpers were asked."""
        file = self.path / "asked"
        return file.read_text().splitlines() if file.exists() else []

    def hub(self, url: URL = HUB, *, seconds: float = 30) -> Credentials | None:
        """What there is for a Hub."""
        return hub_credentials(url, self.environ, self.warnings.append, helper_seconds=seconds)

    def registry(self, url: URL = REGISTRY) -> Credentials | None:
        """What there is for a registry."""
        return registry_credentials(url, self.environ, self.warnings.append)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def packed(user: str = "ada", secret: str = SECRET) -> dict[str, str]:
    return {"auth": base64.b64encode(f"{user}:{secret}".encode()).decode()}


def said(secret: str = SECRET, user: str = "ada") -> str:
    """The script of a helper that knows a password for every host."""
    return f"""echo '{{"ServerURL": "'$host'", "Username": "{user}", "Secret": "{secret}"}}'"""


class TestEnvironment:
    """`HUBINDEX_HUB_USER` and `HUBINDEX_HUB_TOKEN`."""

    @pytest.mark.parametrize("url", [HUB, OTHER, URL("http://127.0.0.1:8080")])
    def test_they_are_for_whatever_host_is_named(self, home: Home, url: URL) -> None:
        """The two variables come first, for any `--hub-url`."""
        home.configure({"auths": {"docker.io": packed("grace"), OTHER.host_port_subcomponent: packed("grace")}})
        home.environ |= {"HUBINDEX_HUB_USER": "ada", "HUBINDEX_HUB_TOKEN": f"{SECRET}\n"}
        assert home.hub(url) == Credentials("ada", SECRET, "HUBINDEX_HUB_USER")

    @pytest.mark.parametrize("name", ["HUBINDEX_HUB_USER", "HUBINDEX_HUB_TOKEN"])
    def test_one_without_the_other_is_a_mistake(self, home: Home, name: str) -> None:
        """The message names both variables and not what is in them."""
        home.environ[name] = SECRET
        with pytest.raises(WrongUsage, match=r"HUBINDEX_HUB_USER.*HUBINDEX_HUB_TOKEN|TOKEN.*USER") as caught:
            home.hub()
        assert SECRET not in str(caught.value)

    @pytest.mark.parametrize(("user", "token"), [("a:b", SECRET), ("a\nb", SECRET), ("ada", f"{SECRET}\nx")])
    def test_what_cannot_be_a_name_or_a_token_is_a_mistake(self, home: Home, user: str, token: str) -> None:
        """Neither may have control characters, and a name no colon."""
        home.environ |= {"HUBINDEX_HUB_USER": user, "HUBINDEX_HUB_TOKEN": token}
        with pytest.raises(WrongUsage) as caught:
            home.hub()
        assert SECRET not in str(caught.value)

    def test_empty_ones_are_not_there(self, home: Home) -> None:
        """An empty variable is as good as none."""
        home.environ |= {"HUBINDEX_HUB_USER": "", "HUBINDEX_HUB_TOKEN": ""}
        assert home.hub() is None

    def test_they_are_not_for_a_registry(self, home: Home) -> None:
        """The registry may be another host than the Hub that they are for."""
        home.environ |= {"HUBINDEX_HUB_USER": "ada", "HUBINDEX_HUB_TOKEN": SECRET}
        assert home.registry() is None


class TestConfiguration:
    """Docker's `config.json`."""

    @pytest.mark.parametrize(
        "key",
        ["https://index.docker.io/v1/", "index.docker.io", "docker.io", "registry-1.docker.io", "hub.docker.com"],
    )
    @pytest.mark.parametrize("ask", [Home.hub, Home.registry])
    def test_a_log_in_at_docker_hub(self, home: Home, key: str, ask: Callable[[Home], Credentials | None]) -> None:
        """Every name under which docker keeps its own log-in is for the Hub and for its registry."""
        home.configure({"auths": {"ghcr.io": packed("grace"), key: packed()}})
        assert ask(home) == Credentials("ada", SECRET, "~/.docker/config.json")
        assert home.warnings == []

    @pytest.mark.parametrize(
        "url",
        [
            OTHER,
            URL("http://127.0.0.1:5000"),
            URL("https://hub.docker.com.evil.example"),
            URL("https://hub.docker.com:8443"),
            URL("https://auth.docker.io"),
        ],
    )
    def test_docker_hubs_log_in_goes_nowhere_else(self, home: Home, url: URL) -> None:
        """Another host, or another port, gets nothing of it."""
        home.configure({"auths": {"https://index.docker.io/v1/": packed(), "docker.io": packed()}})
        assert home.hub(url) is None
        assert home.registry(url) is None

    @pytest.mark.parametrize(
        "key", [f"{OTHER.host_port_subcomponent}", f"{OTHER}/v2/", "REGISTRY.acme.example:5000"]
    )
    def test_another_hosts_own_log_in(self, home: Home, key: str) -> None:
        """A host with its port gets what docker has for exactly it."""
        home.configure({"auths": {key: packed(), "https://index.docker.io/v1/": packed("grace")}})
        for found in (home.hub(OTHER), home.registry(OTHER)):
            assert found is not None
            assert found.user == "ada"
        assert home.registry(OTHER.with_port(443)) is None

    def test_the_folder_that_docker_config_names(self, home: Home) -> None:
        """`DOCKER_CONFIG` stands before `~/.docker`."""
        home.configure({"auths": {"docker.io": packed("grace")}})
        home.configure({"auths": {"docker.io": packed()}}, folder="other")
        home.environ["DOCKER_CONFIG"] = str(home.path / "other")
        found = home.hub()
        assert found is not None
        assert (found.user, found.origin) == ("ada", str(home.path / "other" / "config.json"))

    def test_name_and_password_in_the_open(self, home: Home) -> None:
        """`username` and `password` are read too, and a password may have colons."""
        home.configure({"auths": {"docker.io": {"username": "ada", "password": "a:b"}}})
        assert home.hub() == Credentials("ada", "a:b", "~/.docker/config.json")
        home.configure({"auths": {"docker.io": packed("ada", "a:b")}})
        assert home.hub() == Credentials("ada", "a:b", "~/.docker/config.json")

    @pytest.mark.parametrize(
        "config", [{}, {"auths": {}}, {"auths": None}, {"auths": {"docker.io": {}}}, {"x": 1}]
    )
    def test_nothing_is_no_reason_to_warn(self, home: Home, config: object) -> None:
        """Without a log-in, and without a file, nobody signs in."""
        assert home.hub() is None
        home.configure(config)
        assert home.hub() is None
        assert home.warnings == []

    def test_without_a_home_there_is_no_configuration(self, home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
        """A file in the working directory is not somebody's configuration."""
        home.configure({"auths": {"docker.io": packed()}})
        monkeypatch.chdir(home.path)
        del home.environ["HOME"]
        assert home.hub() is None

    @pytest.mark.parametrize(
        "config",
        [
            b"",
            b"{",
            b"\xff\xfe",
            b"[]",
            b"null",
            b"[" * 100_000,
            {"auths": []},
            {"auths": {"docker.io": "x"}},
            {"auths": {"docker.io": {"auth": 7}}},
            {"credsStore": 7},
            {"credHelpers": {"docker.io": {}}},
            b'{"auths":{"docker.io":{"auth":"' + SECRET.encode() + b'\xff"}}}',
            b" " * (1024 * 1024 + 1),
        ],
    )
    def test_a_malformed_file_is_one_warning(self, home: Home, config: object) -> None:
        """The crawl goes on anonymously; the warning names the file and nothing in it."""
        home.configure(config)
        assert home.hub() is None
        [warning] = home.warnings
        assert warning.startswith("~/.docker/config.json is not used: ")
        assert SECRET not in warning

    @pytest.mark.parametrize(
        ("entry", "why"),
        [
            ({"auth": "%%%"}, "base64"),
            ({"auth": "/w=="}, "base64"),
            ({"auth": base64.b64encode(SECRET.encode()).decode()}, "without a user name"),
            (packed("<token>"), IDENTITY_TOKEN),
            ({"identitytoken": SECRET}, IDENTITY_TOKEN),
            (packed("", "") | {"identitytoken": SECRET}, IDENTITY_TOKEN),
            (packed("", SECRET), "not a user name and a password"),
            (packed("a\x1b[2Jda"), "not a user name and a password"),
        ],
    )
    def test_a_log_in_that_cannot_sign_in_is_one_warning(self, home: Home, entry: object, why: str) -> None:
        """What is of no use is said, without a word of it."""
        home.configure({"auths": {"docker.io": entry}})
        assert home.hub() is None
        [warning] = home.warnings
        assert why in warning
        assert SECRET not in warning
        assert warning.isprintable()


class TestHelpers:
    """Credential helpers."""

    def test_the_store_for_all_hosts(self, home: Home) -> None:
        """`credsStore` is asked with the name under which `docker login` keeps its log-in."""
        home.helper(said())
        home.configure({"auths": {"https://index.docker.io/v1/": {}}, "credsStore": "safe"})
        assert home.hub() == Credentials("ada", SECRET, "docker-credential-safe")
        assert home.asked == ["get https://index.docker.io/v1/"]

    def test_the_helper_for_one_host_comes_first(self, home: Home) -> None:
        """`credHelpers`, then `credsStore`, then `auths`."""
        home.helper(said(user="own"), "docker-credential-own")
        home.helper(said(user="all"), "docker-credential-all")
        config: dict[str, object] = {"auths": {"docker.io": packed("file")}}
        found = []
        for more in ({}, {"credsStore": "all"}, {"credHelpers": {"docker.io": "own"}}):
            config |= more
            home.configure(config)
            credentials = home.hub()
            found.append(credentials.user if credentials else None)
        assert found == ["file", "all", "own"]

    def test_another_hosts_helper_is_not_asked(self, home: Home) -> None:
        """A helper is only for the host it is named for."""
        home.helper(said())
        home.configure({"credHelpers": {"ghcr.io": "safe"}})
        assert home.hub() is None
        assert home.asked == []
        assert home.hub(URL("https://ghcr.io")) == Credentials("ada", SECRET, "docker-credential-safe")
        assert home.asked == ["get ghcr.io"]

    def test_having_nothing_is_no_error(self, home: Home) -> None:
        """A helper that keeps nothing for a host leaves the next source its turn."""
        home.helper("echo 'credentials not found in native keychain'; exit 1")
        home.configure({"auths": {"docker.io": packed()}, "credsStore": "safe"})
        assert home.hub() == Credentials("ada", SECRET, "~/.docker/config.json")
        assert home.warnings == []

    @pytest.mark.parametrize(
        ("script", "why"),
        [
            (f"echo {SECRET}; exit 3", "ended with status 3"),
            (f"echo {SECRET}", "not understood"),
            ("true", "not understood"),
            (f"""echo '{{"Username": 1, "Secret": "{SECRET}"}}'""", "not understood"),
            (f"""echo '{{"Secret": "{SECRET}"}}'""", "not understood"),
            ("printf '\\377\\376'", "not understood"),
            ("cat /dev/zero", "wrote more than"),
            ("kill -9 $$", "ended with status -9"),
            (said(user="a\\u001b[2Jda"), "not a user name and a password"),
            (said(user="<token>"), IDENTITY_TOKEN),
        ],
    )
    def test_a_helper_that_fails_is_one_warning(self, home: Home, script: str, why: str) -> None:
        """It is asked once, and nothing that it printed is repeated."""
        home.helper(script)
        home.configure({"credsStore": "safe"})
        assert home.hub() is None
        [warning] = home.warnings
        assert why in warning
        assert SECRET not in warning
        assert warning.isprintable()
        assert len(home.asked) == 1

    def test_a_helper_that_hangs_is_ended(self, home: Home) -> None:
        """It gets its time, and is then ended with all that it has started."""
        home.helper(f"echo $$ > {home.path}/pid; sleep 1000 & sleep 1000")
        home.configure({"auths": {"docker.io": packed()}, "credsStore": "safe"})
        assert home.hub(seconds=0.3) == Credentials("ada", SECRET, "~/.docker/config.json")
        [warning] = home.warnings
        assert "no answer within 0.3 s" in warning
        with pytest.raises(ProcessLookupError):
            os.kill(int((home.path / "pid").read_text()), 0)

    @pytest.mark.parametrize("name", ["missing", "../../bin/sh", "a b", "-x", "é", "x" * 100, "a/b"])
    def test_a_helper_that_is_not_there(self, home: Home, name: str) -> None:
        """A missing program, or a name that is none, is one warning."""
        home.configure({"credsStore": name})
        assert home.hub() is None
        assert len(home.warnings) == 1
        assert home.warnings[0].isprintable()

    def test_a_helper_that_cannot_be_started(self, home: Home) -> None:
        """A file that is no program is one warning."""
        program = home.path / "bin" / "docker-credential-safe"
        program.write_bytes(b"\x7fELF")
        program.chmod(0o700)
        home.configure({"credsStore": "safe"})
        assert home.hub() is None
        assert len(home.warnings) == 1

    def test_a_helper_does_not_see_the_token_of_the_environment(self, home: Home) -> None:
        """The environment's token is not for it."""
        home.helper(f"env > {home.path}/environment; exit 1")
        home.configure({"credsStore": "safe"})
        home.environ |= {"HUBINDEX_HUB_TOKEN": SECRET, "LANG": "C"}
        home.registry()
        environment = (home.path / "environment").read_text()
        assert "LANG=C" in environment
        assert SECRET not in environment


def test_a_secret_is_not_shown() -> None:
    """Neither `repr` nor `str` of credentials has it."""
    credentials = Credentials("ada", SECRET, "somewhere")
    assert SECRET not in f"{credentials!r} {credentials}"
    assert credentials.basic() == "Basic " + base64.b64encode(f"ada:{SECRET}".encode()).decode()


@given(st.binary(max_size=300) | st.from_regex(rb'\{"auths":\{"docker.io":\{"auth":"[A-Za-z0-9+/=]{0,40}"\}\}\}'))
def test_any_file_is_safe(tmp_path_factory: pytest.TempPathFactory, body: bytes) -> None:
    """A file of any content gives credentials, nothing, or a warning."""
    folder = tmp_path_factory.mktemp("docker")
    (folder / "config.json").write_bytes(body)
    environ: Mapping[str, str] = {"DOCKER_CONFIG": str(folder), "PATH": ""}
    warnings: list[str] = []
    found = hub_credentials(HUB, environ, warnings.append)
    assert found is None or not warnings
