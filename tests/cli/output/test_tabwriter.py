"""Widths, cuts and columns as docker 28.2 has them; expected values were read off its output."""

import unicodedata
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubindex.cli.output import tabwriter
from hubindex.cli.output.tabwriter import align, cell_width, ellipsis, table, visible


@pytest.fixture(autouse=True)
def _western_locale(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every test starts in a locale where ambiguous characters are narrow."""
    for name in ("RUNEWIDTH_EASTASIAN", "LC_ALL", "LC_CTYPE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", "C.UTF-8")
    tabwriter.ambiguous_is_wide.cache_clear()
    yield
    tabwriter.ambiguous_is_wide.cache_clear()


WIDTHS = [
    ("", 0, 0),
    ("plain text", 10, 10),
    ("日本語", 6, 6),
    ("Ｆｕｌｌ", 8, 8),
    ("한국어", 6, 6),
    ("\u1112\u1161\u11ab", 2, 2),  # one syllable in three conjoining letters
    ("ﾊﾞﾊﾟ", 2, 2),
    ("\u3000", 2, 2),
    ("café", 4, 5),
    ("cafe\u0301", 4, 4),
    ("αβγ…─", 5, 10),
    ("\U0001f469\u200d\U0001f469\u200d\U0001f467", 2, 2),  # a family
    ("\U0001f44d\U0001f3fd", 2, 2),  # a skin tone
    ("\U0001f1e9\U0001f1ea \U0001f1eb\U0001f1f7\U0001f1ec\U0001f1e7", 4, 4),  # flags count 1 each
    ("\U0001f3f4\U000e0067\U000e0062\U000e007f", 2, 2),  # the flag of a region
    ("\u2764\ufe0f", 1, 1),
    ("1\ufe0f\u20e3", 1, 1),
    ("\U0001f937\u200d\u2642\ufe0f", 2, 2),
    ("हिन्दी", 3, 3),
    ("ภาษาไทย", 7, 7),
    ("a\u200bb\u00adc", 3, 3),
    ("a\x1b\x07b", 2, 2),
]


@pytest.mark.parametrize(("text", "narrow", "wide"), WIDTHS)
def test_cell_width(monkeypatch: pytest.MonkeyPatch, text: str, narrow: int, wide: int) -> None:
    """A cell is as wide as docker's, in a western and in an East Asian locale."""
    assert cell_width(text) == narrow
    monkeypatch.setenv("LANG", "ja_JP.UTF-8")
    tabwriter.ambiguous_is_wide.cache_clear()
    assert cell_width(text) == wide


@pytest.mark.parametrize(
    ("environment", "wide"),
    [
        ({"LANG": "ja_JP.UTF-8"}, True),
        ({"LANG": "ko_KR.eucKR"}, True),
        ({"LANG": "zh_CN.GBK"}, True),
        ({"LANG": "zh_CN.UTF-8@x"}, True),
        ({"LANG": "de_DE.GBK"}, True),
        ({"LANG": "en_US.UTF-8"}, False),
        ({"LANG": "ja_JP"}, False),
        ({"LANG": "zh-CN.UTF-8"}, False),
        ({"LANG": "zh_CN.UTF-8@cjk_narrow"}, False),
        ({"LANG": "ja_JP.ISO-8859-1"}, False),
        ({"LANG": "C.UTF-8"}, False),
        ({"LANG": "POSIX"}, False),
        ({"LANG": ""}, False),
        ({"LANG": "ja_JP.UTF-8", "LC_ALL": "C"}, False),
        ({"LANG": "ja_JP.UTF-8", "LC_CTYPE": "en_US.UTF-8"}, False),
        ({"LANG": "en_US.UTF-8", "LC_CTYPE": "ja_JP.UTF-8"}, True),
        ({"LANG": "en_US", "RUNEWIDTH_EASTASIAN": "1"}, True),
        ({"LANG": "ja_JP.UTF-8", "RUNEWIDTH_EASTASIAN": "0"}, False),
    ],
)
def test_locale_decides_ambiguous_width(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], wide: bool
) -> None:
    """LC_ALL, LC_CTYPE, LANG in this order, unless RUNEWIDTH_EASTASIAN says it."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    tabwriter.ambiguous_is_wide.cache_clear()
    assert tabwriter.ambiguous_is_wide() is wide


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        ("x" * 45, "x" * 45),
        ("x" * 46, "x" * 44 + "…"),
        ("中" * 22, "中" * 22),
        ("中" * 23, "中" * 22 + "…"),
        ("x" + "中" * 30, "x" + "中" * 21 + "…"),
        ("x" * 43 + "中", "x" * 43 + "中"),
        ("x" * 44 + "中", "x" * 44 + "…"),
        ("中" * 22 + "x", "中" * 22 + "x"),
        ("中" * 22 + "xx", "中" * 22 + "…"),
        ("é" * 45, "é" * 45),
        ("é" * 46, "é" * 44 + "…"),
        ("e\u0301" * 30, "e\u0301" * 22 + "…"),
        ("", ""),
    ],
)
def test_ellipsis(text: str, cut: str) -> None:
    """Descriptions are cut where docker 17.11 and later cut them."""
    assert ellipsis(text) == cut


@given(st.text(st.characters(exclude_categories=["Cn"])), st.integers(2, 60))
def test_ellipsis_fits(text: str, width: int) -> None:
    """A cut text never takes more columns than allowed, and begins as the text does."""
    cut = ellipsis(text, width)
    assert sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in cut) <= width
    assert cut == text or (cut.endswith("…") and text.startswith(cut[:-1]))


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("plain", "plain"),
        ("日本語 é 👨‍👩‍👧 ❤️", "日本語 é 👨‍👩‍👧 ❤️"),
        ("a\nb\r\nc", "a b  c"),
        ("\x1b[31mred\x1b]0;x\x07", "␛[31mred␛]0;x␇"),
        ("a\tb\x00\x7f", "a␉b␀␡"),
        ("\x9b31m\x85", "\ufffd31m\ufffd"),
        ("\u202eabc\u2066\u200f\u061c", "\ufffdabc\ufffd\ufffd\ufffd"),
        ("a\u2028b\u2029", "a\ufffdb\ufffd"),
        ("\ud800\udcff", "\ufffd\ufffd"),
    ],
)
def test_visible(text: str, safe: str) -> None:
    """Nothing that came from a registry acts on a terminal, and emoji stay whole."""
    assert visible(text) == safe


@given(st.text(st.characters(categories=["Cc", "Cs", "Cf", "Zl", "Zp", "L"])))
def test_visible_is_safe(text: str) -> None:
    """The result has no controls, no line ends and no marks of direction, and can be written as UTF-8."""
    safe = visible(text)
    assert len(safe) == len(text)
    assert not {unicodedata.category(c) for c in safe} & {"Cc", "Cs", "Zl", "Zp"}
    assert not set(safe) & set("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
    assert visible(safe) == safe


def test_table() -> None:
    """Columns are at least 10 wide, 3 apart; the last one has no padding and nothing is trimmed."""
    rows = [["NAME", "DESCRIPTION", "STARS"], ["thrift", "", "60"], ["日本/x", "a much longer text", ""]]
    assert list(table(rows)) == [
        "NAME      DESCRIPTION          STARS",
        "thrift                         60",
        "日本/x    a much longer text   ",
    ]
    assert list(table([["NAME", "X"]], min_width=4, padding=1)) == ["NAME X"]
    assert list(table([])) == []


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("a\tb\nlonger than ten\tc", ["a                 b", "longer than ten   c"]),
        ("a\nbb\tc\nd", ["a", "bb        c", "d"]),
        ("a\tx\tend\na much longer\tend\n", ["a               x         end", "a much longer   end", ""]),
        ("long long long\tx\nplain\ns\ty", ["long long long   x", "plain", "s         y"]),
        ("a\vb\tc", ["a         b         c"]),
        ("a much longer\tb\fc\td", ["a much longer   b", "c         d"]),
        ("\t\tx", ["                    x"]),
        ("", [""]),
    ],
)
def test_align(text: str, lines: list[str]) -> None:
    """Cells that end with a tab make columns with their neighbours above and below, as in Go's text/tabwriter."""
    assert list(align(text)) == lines


@given(st.lists(st.lists(st.text("ab 日é", max_size=14), min_size=3, max_size=3), min_size=1))
def test_table_and_align_agree(rows: list[list[str]]) -> None:
    """Free text with tabs is laid out as the same cells in a table."""
    assert list(align("\n".join("\t".join(row) for row in rows))) == list(table(rows))
