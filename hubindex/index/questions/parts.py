"""Which images a configuration or a layer belongs to."""

from collections.abc import Iterator, Sequence

from hubindex.contents import Contents
from hubindex.digests import digest_text
from hubindex.index.content_rows import contents_of
from hubindex.index.database.reader import Reader


def parts_beginning(
    reader: Reader, images: Sequence[bytes], digits: str, algorithm: str | None
) -> dict[str, list[tuple[bytes, str]]]:
    """The parts of some images whose digests begin with these digits: `layer 3 of 8` of the image, and so on."""
    found: dict[str, list[tuple[bytes, str]]] = {}
    for image, contents in sorted(contents_of(reader, images).items()):
        told: set[str] = set()
        for part, what in _parts(contents):
            text = digest_text(part)
            its_algorithm, _, its_digits = text.partition(":")
            if its_digits.startswith(digits) and algorithm in {None, its_algorithm} and text not in told:
                told.add(text)
                found.setdefault(text, []).append((image, what))
    return found


def _parts(contents: Contents) -> Iterator[tuple[bytes, str]]:
    if contents.config is not None and contents.image is not None:
        yield contents.config.digest, "image ID"
    for number, layer in enumerate(contents.layers, 1):
        yield layer.digest, f"layer {number} of {len(contents.layers)}"
    diff_ids = contents.image.diff_ids if contents.image is not None else ()
    for number, diff_id in enumerate(diff_ids, 1):
        yield diff_id, f"unpacked layer {number} of {len(diff_ids)}"
