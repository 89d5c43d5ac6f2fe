"""The global options of a run: which index, and how much to say."""

from hubindex.index.database.location import Location


class Settings:
    """The global options, wherever on the command line they stood."""

    db: str | None = None
    quiet = False
    verbose = False

    @property
    def location(self) -> Location:
        """The index to use. Raises `WrongUsage`."""
        return Location.parse(self.db)


_settings = Settings()


def settings() -> Settings:
    """The global options of this run."""
    return _settings
