"""Examples from files and lists: every good row as it is, every bad one named."""

import csv
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gptlib.finetuning import BadRows, read_examples

FIELDS = {"text": str, "label": ("good", "bad")}
ROWS = [
    {"text": "A fine day,\nsaid he.", "label": "good"},
    {"text": 'She said "no"', "label": "bad"},
    {"text": "雨が降る  — Zoë", "label": "bad"},
]


def write(path: Path, rows: list[dict[str, Any]], encoding: str = "utf-8") -> Path:
    with path.open("w", encoding=encoding, newline="") as file:
        if path.suffix == ".jsonl":
            file.writelines(json.dumps(row) + "\n" for row in rows)
        else:
            delimiter = "\t" if path.suffix == ".tsv" else ","
            writer = csv.DictWriter(file, list(rows[0]), delimiter=delimiter)
            writer.writeheader()
            writer.writerows(rows)
    return path


@pytest.mark.parametrize("name", ["a.jsonl", "a.csv", "a.tsv", "A.CSV"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_files_give_what_was_written(name: str, encoding: str, tmp_path: Path) -> None:
    file = write(tmp_path / name, ROWS, encoding)
    assert read_examples(file, FIELDS) == read_examples(str(file), FIELDS) == ROWS
    assert read_examples(file, ["text"]) == [{"text": row["text"]} for row in ROWS]


TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(str.strip)


@given(rows=st.lists(st.fixed_dictionaries({"a": TEXT, "b": st.integers()}), min_size=1))
def test_any_text_survives_every_format(
    rows: list[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("rows")
    for name in ("a.jsonl", "a.csv"):
        assert read_examples(write(folder / name, rows), {"a": str, "b": int}) == rows


def test_dictionaries_come_from_anywhere() -> None:
    assert read_examples(ROWS, FIELDS) == ROWS
    assert read_examples((row for row in ROWS), FIELDS) == ROWS
    row = {"text": "x", "label": np.int64(3), "score": 1, "extra": None, "tags": ["A"]}
    kinds = {"text": str, "label": int, "score": float, "tags": list}
    assert read_examples([row], kinds) == [{"text": "x", "label": 3, "score": 1.0, "tags": ["A"]}]


class Split:
    """What a split of a Hugging Face data set looks like from outside."""

    column_names = ("text", "label")

    def __len__(self) -> int:
        return len(ROWS)

    def __getitem__(self, n: int) -> Mapping[str, Any]:
        return ROWS[n]

    def __iter__(self) -> Iterator[Mapping[str, Any]]:
        return iter(ROWS)


def test_a_split_of_a_data_set() -> None:
    assert read_examples(Split(), FIELDS) == ROWS


def test_a_hugging_face_data_set(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets", reason="needs the package of the data sets")
    split = datasets.Dataset.from_list(ROWS)
    assert read_examples(split, FIELDS) == ROWS
    with pytest.raises(BadRows, match="DatasetDict: 1 bad row\n  row 1: is no dictionary: 'train'"):
        read_examples(datasets.DatasetDict(train=split), FIELDS)


def test_a_csvs_cells_are_read_as_their_type(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("text, n,x,yes,kind\r\na,3,1.5,true,1\r\nb,-4,2e3,0,2\r\n", encoding="utf-8")
    kinds = {"n": int, "x": float, "yes": bool, "kind": (1, 2)}
    assert read_examples(file, kinds) == [
        {"n": 3, "x": 1.5, "yes": True, "kind": 1},
        {"n": -4, "x": 2000.0, "yes": False, "kind": 2},
    ]


def problems_of(source: Any, fields: Any) -> list[tuple[int, str, str]]:
    with pytest.raises(BadRows) as error:
        read_examples(source, fields)
    return error.value.problems


def test_all_bad_lines_of_a_jsonl_at_once(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    lines = [
        b'{"text": "fine", "label": "good"}',
        b'{"text": "no label"}',
        b'{"text": 5, "label": "god"}',
        b'{"text": "broken", "label"',
        b"",
        b'["a", "list"]',
        b'{"text": " \\n", "label": "bad"}',
        b'{"text": null, "label": "bad"}',
        b'{"text": "caf\xe9", "label": "bad"}',
        b'{"text": "half \\ud83d", "label": "bad"}',
        b'{"text": "line\xe2\x80\xa8separator", "label": "good"}',
    ]
    file.write_bytes(b"\r\n".join(lines) + b"\n\n")
    found = problems_of(file, FIELDS)
    expected = [
        (2, "label", "is missing; the row has ['text']"),
        (3, "text", "is 5, not a text"),
        (3, "label", "is 'god', not one of ['good', 'bad']"),
        (4, "", "is no JSON: Expecting ':' delimiter: "),
        (5, "", "is empty"),
        (6, "", "is no dictionary: ['a', 'list']"),
        (7, "text", "is empty"),
        (8, "text", "is None, not a text"),
        (9, "text", "holds the byte 0xE9, which is no UTF-8: save the file as UTF-8"),
        (10, "text", "holds half of a surrogate pair, U+D83D, which is no character"),
    ]
    assert [(line, field) for line, field, _ in found] == [(n, field) for n, field, _ in expected]
    for (_, _, reason), (_, _, start) in zip(found, expected, strict=True):
        assert reason.startswith(start)


def test_all_bad_lines_of_a_csv_at_once(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_bytes(
        b'text,label\n"two\nlines",good\nno label\n"two\nmore",god\n\n,bad\na,b,c\n'
        b'caf\xe9,good\n"odd" quote,good\nfine,good\n"never closed,good\nlost,good\n'
    )
    found = problems_of(file, FIELDS)
    assert [(line, field) for line, field, _ in found] == [
        (4, ""),
        (5, "label"),
        (7, ""),
        (8, "text"),
        (9, ""),
        (10, "text"),
        (11, ""),
        (13, ""),
    ]
    reasons = " / ".join(reason for _, _, reason in found)
    for part in (
        "has 1 cells, the header has 2",
        "is 'god', not one of",
        "holds the byte 0xE9",
        "is a quote missing",
    ):
        assert part in reasons


@pytest.mark.parametrize(
    ("value", "kind", "reason"),
    [
        (True, int, "is True, not a whole number"),
        (1.5, int, "is 1.5, not a whole number"),
        ("3", int, "is '3', not a whole number"),
        (float("nan"), float, "is nan, not a finite number"),
        (1, bool, "is 1, not true or false"),
        (True, (0, 1), "is True, not one of [0, 1]"),
        ([], list, "is empty"),
        ("x" * 500, int, f"is '{'x' * 76}..., not a whole number"),
    ],
)
def test_values_of_the_wrong_kind(value: Any, kind: Any, reason: str) -> None:
    assert problems_of([{"a": value}], {"a": kind}) == [(1, "a", reason)]


@pytest.mark.parametrize("cell", ["three", "1.5", ""])
def test_cells_of_the_wrong_kind(cell: str, tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text(f"a,b\n{cell},x\n", encoding="utf-8")
    assert problems_of(file, {"a": int}) == [(2, "a", f"is {cell!r}, not a whole number")]


def test_a_message_shows_twenty_and_counts_the_rest() -> None:
    rows = [{"text": ""}, *[{"text": "fine"}] * 3, *[{}] * 24]
    with pytest.raises(BadRows) as error:
        read_examples(rows, ["text"])
    lines = str(error.value).split("\n")
    assert lines[0] == "list: 25 bad rows"
    assert lines[1] == "  row 1, text: is empty"
    assert lines[2] == "  row 5, text: is missing; the row has []"
    assert len(lines) == 22
    assert lines[-1] == "  and 5 more"
    assert len(error.value.problems) == 25


def test_a_cell_may_be_as_long_as_a_book(tmp_path: Path) -> None:
    limit = csv.field_size_limit()
    rows = [{"text": "word " * 100_000, "label": "good"}]
    assert read_examples(write(tmp_path / "a.csv", rows), FIELDS) == rows
    assert csv.field_size_limit() == limit


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (
            "a.csv",
            b"text;label\na;good\n",
            r"has no column 'text'; its columns are \['text;label'\]",
        ),
        ("a.csv", b"text,label,text\na,good,b\n", "has several columns 'text'"),
        ("a.csv", b'"text,label\n', "line 1 is no CSV"),
        ("a.csv", b"", "has no column 'text'"),
        ("a.csv", b"text,label\n", "has no rows"),
        ("a.jsonl", b"\n", "has no rows"),
        ("a.jsonl", "text".encode("utf-16"), "is UTF-16: save it as UTF-8"),
        ("a.json", b"[]", "is not a .jsonl, .csv, .tsv file"),
        ("missing/a.csv", None, "can't be read: No such file"),
    ],
)
def test_files_that_are_no_examples(
    name: str, content: bytes | None, message: str, tmp_path: Path
) -> None:
    file = tmp_path / name
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ValueError, match=message) as error:
        read_examples(file, FIELDS)
    assert str(file) in str(error.value)
    assert "\n" not in str(error.value)


def test_fields_have_names() -> None:
    for fields in ("text", [], {}):
        with pytest.raises(ValueError, match="give a list of names"):
            read_examples(ROWS, fields)
