"""placeholder until the merge"""

from hubindex.records import Tag, TagNames


class Registry:
    async def tag_names(self, name: str) -> TagNames:
        raise NotImplementedError

    async def tag(self, name: str, tag: str) -> Tag | None:
        raise NotImplementedError
