"""Where an index is, from what people type."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubindex.errors import WrongUsage
from hubindex.index.database.location import Location


def test_without_a_text_it_is_in_the_data_folder(tmp_path: Path) -> None:
    """The default is `hubindex/index.db` in the user's data folder."""
    assert Location.parse().target == str(tmp_path / "data" / "hubindex" / "index.db")
    assert Location.parse("") == Location.parse(None)


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("index.db", "{cwd}/index.db"),
        ("/srv/x/../index.db", "/srv/index.db"),
        ("~/index.db", "{home}/index.db"),
        ("sqlite:///index.db", "{cwd}/index.db"),
        ("sqlite:////srv/index.db", "/srv/index.db"),
        ("a b?c#d%e.db", "{cwd}/a b?c#d%e.db"),
        ("c:index.db", "{cwd}/c:index.db"),
        ("postgresql", "{cwd}/postgresql"),
    ],
)
def test_paths(text: str, path: str) -> None:
    """A path or `sqlite:///path` is a file; the path is made absolute once."""
    location = Location.parse(text)
    expected = path.format(cwd=os.getcwd(), home=os.path.expanduser("~"))
    assert location == ("sqlite", expected, expected)


@pytest.mark.parametrize("scheme", ["postgresql", "postgres"])
def test_postgresql(scheme: str) -> None:
    """Both schemes that libpq knows select PostgreSQL; the URL is handed on as it is."""
    location = Location.parse(f"{scheme}://user@host:5433/db?sslmode=require")
    assert location.dialect == "postgresql"
    assert location.target == "postgresql://user@host:5433/db?sslmode=require"
    assert location.label == "postgresql://user@host:5433/db"


@pytest.mark.parametrize(
    "text",
    [
        "sqlite://index.db",
        "sqlite://",
        "sqlite:///",
        "mysql://host/db",
        "http://host/",
        "postgresql+asyncpg://host/db",
        "://x",
        "a\0b",
        "sqlite:///a\0b",
    ],
)
def test_other_texts_are_wrong_usage(text: str) -> None:
    """What names neither a file nor a PostgreSQL database is refused in one line, with exit code 2."""
    with pytest.raises(WrongUsage, match="--db") as error:
        Location.parse(text)
    assert error.value.exit_code == 2
    assert "\n" not in str(error.value)
    assert "\0" not in str(error.value)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://user:s3cret@host/db",
        "postgresql://user:s3cret@host:5433,other:5434/db?sslmode=require",
        "postgresql://host/db?user=user&password=s3cret",
        "postgresql://host/db?user=u@example&password=s3cret",
        "postgresql://user:s3cret@@host/db",
        "postgresql://user:a:s3cret@host/db",
        "postgresql://user:a?s3cret@host/db",
        "postgresql://user:a/s3cret@host/db",
        "postgresql://user:a#s3cret@host/db",
        "postgresql://user:s3cret?@host/db",
        "postgresql://user:s3cret/@host/db",
        "postgresql:///db?password=s3cret",
        "postgresql:///db?password=s3cret@x",
    ],
)
def test_a_password_is_never_shown(url: str) -> None:
    """The label is fit for messages, wherever in the URL the password stands and however it is written."""
    assert "s3cret" not in Location.parse(url).label


@given(st.text(st.characters(exclude_characters="\0"), min_size=1))
def test_no_password_of_any_kind_is_shown(password: str) -> None:
    """Whatever characters are in the password, not even its first one is in the label."""
    assert "<" not in Location.parse(f"postgresql://u:<{password}>@h/db").label


def test_exists(tmp_path: Path) -> None:
    """A file exists or not; a PostgreSQL database is taken to exist until it refuses."""
    assert not Location.parse(str(tmp_path / "none.db")).exists
    assert Location.parse(str(tmp_path)).exists
    assert Location.parse("postgresql://nowhere/db").exists
