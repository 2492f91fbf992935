"""Real files, damaged: what fuzzers feed to everything that reads what came from outside."""

import csv
import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

Search = Callable[..., None]
_EXTREMES = (b"\x00" * 4, b"\xff" * 4, b"\xff\xff\xff\x7f", b"\x00\x00\x00\x80", b"\x01\x00\x00\x00", b"RIFF", b"fLaC", b"OggS")
#: Cells that break careless readers of tables.
_CELLS = (
    *(
        "",
        " ",
        "\t",
        "nan",
        "NaN",
        "inf",
        "-inf",
        "1e400",
        "1e308",
        "-0",
        "0x10",
        "9" * 25,
        "9" * 400,
        "1_000",
        "٣",
        "½",
        "1,5",
    ),
    *(
        "=1+1",
        "@x",
        "'",
        '"',
        '""',
        "\x00",
        "a\x00b",
        "\u2028",
        "\ufeff",
        "é",
        "\U0001f600",
        "\ud7ff",
        "x" * 5_000,
        "a\nb",
        "a\r",
    ),
    *(
        "../../etc/passwd",
        "/dev/zero",
        "/",
        ".",
        "a/" * 300,
        "n" * 300,
        "True",
        "[]",
        "{}",
        "null",
        "2026-13-45T99:99",
        "0001-01-01",
    ),
    *("|", "anger|", "anger:3|anger:4", "anger:99999999999999999999", ":", "%s", "{}", "\\", "1;2", "-1", "6", "4.5", "4"),
)


def searches(fast: int, slow: int) -> pytest.MarkDecorator:
    """Parametrize a test with ``search``, which looks through so many damaged files: always the same few, or new ones, slowly."""
    rounds = [
        pytest.param(_search(fast, True), id="fast"),
        pytest.param(_search(slow, False), id="slow", marks=pytest.mark.slow),
    ]
    return pytest.mark.parametrize("search", rounds)


def _search(examples: int, derandomize: bool) -> Search:
    def run(check: Callable[..., Any], *strategies: st.SearchStrategy[Any]) -> None:
        bounded = settings(
            max_examples=examples,
            derandomize=derandomize,
            database=None,
            deadline=timedelta(seconds=20),
            suppress_health_check=list(HealthCheck),
        )
        bounded(given(*strategies)(check))()

    return run


@st.composite
def damaged(draw: st.DrawFn, whole: bytes, head: int = 96) -> bytes:
    """The file after one to six changes, every second one in its first ``head`` bytes."""
    content = bytearray(whole)
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, min(head, len(content))) | st.integers(0, len(content)))
        new = draw(st.sampled_from(_EXTREMES) | st.binary(min_size=1, max_size=8))
        match draw(st.sampled_from(["overwrite", "insert", "end", "remove", "repeat"])):
            case "overwrite":
                content[at : at + len(new)] = new
            case "insert":
                content[at:at] = new
            case "end":
                del content[at:]
            case "remove":
                del content[at : at + draw(st.integers(1, 64))]
            case "repeat":
                content[at:at] = content[at : at + draw(st.integers(1, 4_096))]
    return bytes(content)


@st.composite
def damaged_table(draw: st.DrawFn, whole: str, delimiter: str = ",") -> bytes:
    """A CSV after one to six changes of cells, rows, columns or headings, written with or without what CSV asks for."""
    rows = [list(row) for row in csv.reader(io.StringIO(whole), delimiter=delimiter)]
    cell = st.sampled_from(_CELLS) | st.text(max_size=12)
    for _ in range(draw(st.integers(1, 6))):
        row = draw(st.integers(0, len(rows) - 1)) if rows else 0
        width = max(map(len, rows), default=0)
        column = draw(st.integers(0, max(width - 1, 0)))
        match draw(
            st.sampled_from(["cell", "cell", "cell", "column", "double", "drop row", "drop column", "more", "same", "swap"])
        ):
            case "cell" if rows and column < len(rows[row]):
                rows[row][column] = draw(cell)
            case "column":
                value = draw(cell)
                for each in rows[1:]:
                    each[column : column + 1] = [value]
            case "double" if rows:
                rows.insert(row, list(rows[row]))
            case "drop row" if rows:
                del rows[row]
            case "drop column":
                for each in rows:
                    del each[column : column + 1]
            case "more" if rows:
                rows[row] += draw(st.lists(cell, max_size=3))
            case "same" if rows and rows[0]:
                rows[0][column % len(rows[0])] = rows[0][0]
            case "swap" if rows:
                rows[0], rows[row] = rows[row], rows[0]
            case _:
                pass
    if draw(st.booleans()):
        text = "\n".join(delimiter.join(each) for each in rows)
    else:
        written = io.StringIO()
        csv.writer(written, delimiter=delimiter, quoting=csv.QUOTE_ALL).writerows(rows)
        text = written.getvalue()
    content = text.encode(draw(st.sampled_from(["utf-8", "utf-8", "utf-8", "utf-8-sig", "utf-16"])), "replace")
    return draw(damaged(content)) if draw(st.integers(0, 4)) == 0 else content
