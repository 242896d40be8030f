"""Corpora: the interpreter's own text, a learner's files, the story world."""

import ast
import hashlib
import inspect
import json
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gptlib import storyworld
from gptlib.data import corpus, pieces
from gptlib.data.python_library import python_docs
from gptlib.data.text_files import read_pieces
from gptlib.tokenizer import pretokenize


@pytest.fixture(scope="module")
def docs() -> str:
    return corpus("python-docs")


def test_pythons_documentation_is_at_least_a_megabyte_of_clean_text(docs: str) -> None:
    assert len(docs) > 1_000_000
    docs.encode()  # no lone surrogate
    assert docs == docs.strip()
    assert "\n\n\n" not in docs
    assert not any(line != line.rstrip() for line in docs.split("\n"))
    assert not any(ord(character) < 32 for character in set(docs) - {"\n"})


@pytest.mark.parametrize(
    "documented", [textwrap.dedent, json.JSONEncoder, ast.literal_eval, str.partition, ast]
)
def test_it_holds_what_inspect_finds_by_importing(docs: str, documented: object) -> None:
    doc = inspect.getdoc(documented)
    assert doc is not None
    lines = [line.rstrip() for line in doc.split("\n")]
    assert "\n".join(lines).strip().replace("\n\n\n", "\n\n") in docs


def test_it_holds_the_topics_of_help(docs: str) -> None:
    topics = pytest.importorskip("pydoc_data.topics").topics
    first_lines = [text.strip().split("\n")[0].strip() for text in topics.values()]
    assert sum(line in docs for line in first_lines) == len(first_lines)


LIBRARY = {
    "first.py": '''"""What the first module does."""

raise SystemExit("a module that is read must not run")

if True:
    class Shape:
        """A shape that stands inside an if.

            Indented   \\tfurther.   



        """
        async def area(self):
            """Shared by both of the modules."""
            def inner():
                """Written inside a function."""
''',
    "package/second.py": '''"""Shared by both of the modules."""
try:
    pass
except OSError:
    def fallback():
        "Written in a handler, \\ud800 half a character."
x = """Not a docstring, though it stands in quotes."""
def short():
    """Too short."""
''',
    "broken.py": '"""Never seen, as the file does not parse."""\ndef (:\n',
    "strange.py": '# coding: nonsense\n"""Never seen, as nothing can decode this."""\n',
    "test/test_first.py": '"""Never seen, as tests are no documentation."""\n',
    "pydoc_data/topics.py": "topics = {'a': 'About a letter.\\n****\\n\\n\\n\\nIts text.\\n'}\n",
    "latin.py": "# coding: latin-1\n'''Über das Café, in Latin-1.'''\n",
}


def test_docstrings_are_found_by_parsing_and_kept_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, source in LIBRARY.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        encoding = "latin-1" if name == "latin.py" else "utf-8"
        (tmp_path / name).write_text(source, encoding=encoding)
    monkeypatch.setattr("sysconfig.get_path", lambda _: str(tmp_path))
    found = "\n\n".join(python_docs.__wrapped__())
    once = [
        "What the first module does.",
        "A shape that stands inside an if.\n\nIndented    further.",
        "Shared by both of the modules.",
        "Written inside a function.",
        "Written in a handler,  half a character.",
        "Über das Café, in Latin-1.",
        "About a letter.\n****\n\nIts text.",
    ]
    assert [found.count(text) for text in once] == [1] * len(once)
    for never in ("Never seen", "Not a docstring", "Too short"):
        assert never not in found


def test_it_is_the_same_in_every_process_and_imports_no_module_that_it_reads(docs: str) -> None:
    code = (
        "import sys, hashlib; from gptlib.data import corpus; text = corpus('python-docs'); "
        "print(hashlib.sha256(text.encode()).hexdigest(), "
        "{'antigravity', 'this', 'tkinter', 'turtle'} & set(sys.modules))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.split() == [hashlib.sha256(docs.encode()).hexdigest(), "set()"]


def test_a_library_that_cannot_be_read_is_one_clear_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sysconfig.get_path", lambda _: str(tmp_path))
    with pytest.raises(FileNotFoundError, match=r"no Python source in .* of your own"):
        corpus("python-source")


def test_pythons_source_parses_and_is_streamed() -> None:
    documents = list(pieces("python-source", limit=20, separator="\n#####\n"))
    for source in "".join(documents).split("\n#####\n"):
        ast.parse(source)
    assert corpus("python-source", limit=3) == corpus("python-source", limit=3)


def test_a_file_is_its_text(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_bytes("Once upon a time\r\nthere was …\rend\n".encode())
    assert corpus(file) == corpus(str(file)) == "Once upon a time\nthere was …\nend\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_encodings_are_told_by_their_mark(tmp_path: Path, encoding: str) -> None:
    text = "naïve 你好 🙂\n" * 100
    (tmp_path / "a.txt").write_bytes(text.encode(encoding))
    assert corpus(tmp_path / "a.txt") == text


def test_big_endian_text_is_told_by_its_mark(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"\xfe\xff" + "你好".encode("utf-16-be"))
    assert corpus(tmp_path / "a.txt") == "你好"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("na\xefve".encode("latin-1"), "is not UTF-8: byte 2 (0xEF)"),
        ("你好".encode()[:-1], "is not UTF-8: byte 3 (0xE5) unexpected end of data"),
        (b"\xff\xfea\x00b", "is not UTF-16: byte 4 (0x62)"),
        (b"\xff\xfea\x00\x00\xd8", "is not UTF-16: byte 4 (0x00) unexpected end of data"),
        ("hello".encode("utf-16-le"), "is not a text file: a zero byte at byte 1"),
        (b"\xed\xa0\x80", "is not UTF-8: byte 0 (0xED)"),
    ],
)
@pytest.mark.parametrize("block", [1, 3, 2**20])
def test_other_bytes_are_refused_with_file_and_offset(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes, message: str, block: int
) -> None:
    monkeypatch.setattr("gptlib.data.text_files._BLOCK", block)
    file = tmp_path / "a.txt"
    file.write_bytes(content)
    with pytest.raises(ValueError, match=r"a\.txt") as error:
        corpus(file)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


@given(st.text(st.sampled_from("ab\r\n é你🙂")), st.integers(1, 7))
def test_blocks_of_any_size_read_the_same_text(
    tmp_path_factory: pytest.TempPathFactory, text: str, block: int
) -> None:
    file = tmp_path_factory.getbasetemp() / "blocks.txt"
    file.write_bytes(text.encode())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gptlib.data.text_files._BLOCK", block)
        read = "".join(read_pieces(file))
        words = [word for piece in pieces(file) for word in pretokenize(piece)]
    with open(file, encoding="utf-8") as opened:
        assert read == opened.read()
    assert words == pretokenize(read)


def test_a_folder_is_its_files_in_order_without_hidden_ones(tmp_path: Path) -> None:
    for name, text in {
        "b.txt": "second",
        "a/z.md": "first",
        ".git/config": "hidden",
        "a/.DS_Store": "hidden",
        "c.txt": "third",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    assert corpus(tmp_path) == "first\n\nsecond\n\nthird"
    assert corpus(tmp_path, separator="<|endoftext|>", limit=2) == "first<|endoftext|>second"


def test_a_file_in_a_folder_that_is_no_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("fine")
    (tmp_path / "photo.jpg").write_bytes(b"\xff\xd8\xff\xe0")
    with pytest.raises(ValueError, match=r"photo\.jpg is not UTF-8: byte 0 \(0xFF\)"):
        corpus(tmp_path)


def test_nothing_to_read_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no files in"):
        corpus(tmp_path)
    (tmp_path / "empty.txt").touch()
    with pytest.raises(ValueError, match=r"empty\.txt holds no text"):
        corpus(tmp_path / "empty.txt")
    with pytest.raises(FileNotFoundError, match="no corpus 'pyton-docs': neither a file"):
        corpus("pyton-docs")


def test_stories_come_from_the_story_world() -> None:
    expected = [story.text for story in storyworld.stories(3, level="nursery", split="train")]
    found = corpus("story:nursery/train", limit=3, separator="<|endoftext|>")
    assert found.split("<|endoftext|>") == expected
    with pytest.raises(ValueError, match="story:full never ends: say how many stories"):
        corpus("story:full")
    with pytest.raises(ValueError, match="'nowhere'"):
        corpus("story:nowhere", limit=1)
