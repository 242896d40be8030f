"""`python -m tools.exercises SET`: one set is built and proven while others are unfinished."""

import pytest

from tools.exercises import notebook, proof, sets
from tools.exercises.__main__ import main, texts, words
from tools.sources import BuildError

SET = "02_attention"


@pytest.fixture
def others_unfinished(monkeypatch):
    """Every other set fails as soon as its text is read."""
    real = notebook.text_of

    def text_of(name):
        if name != SET:
            raise BuildError(f"{name}: unfinished")
        return real(name)

    monkeypatch.setattr(notebook, "text_of", text_of)


@pytest.mark.usefixtures("others_unfinished")
def test_one_set_is_looked_at_without_the_others(capsys):
    assert main(["--check", SET]) == 0
    assert main(["--check"]) == 1
    assert "unfinished" in capsys.readouterr().err


@pytest.mark.usefixtures("others_unfinished")
def test_only_its_own_files_are_built():
    paths = texts([SET])
    assert len(paths) == 4  # for learners, for instructors, the solutions, and the words
    assert all(SET in path.name for path in paths)


def test_all_of_it_holds_what_one_set_has():
    assert texts([SET]).items() <= texts().items()


def test_an_unknown_set_is_named_with_those_there_are(capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["--proof", "02_attentoin"])
    said = capsys.readouterr().err
    assert "02_attentoin" in said
    assert all(name in said for name in sets.find_sets())


def test_the_proof_of_one_set_leaves_the_others_as_they_are(tmp_path, monkeypatch):
    def row(task, exercise):
        return proof.Row(task, 8, 2, 100, ("a -> b", "c -> d"))

    monkeypatch.setattr(proof, "row", row)
    monkeypatch.setattr(proof, "reasons", lambda exercise, left: [(each, "why") for each in left])
    page = tmp_path / "exercises.md"
    before = proof.PAGE.read_text("utf-8").splitlines()
    page.write_text("\n".join(before), "utf-8")
    proof.write([words(SET)], page)
    after = page.read_text("utf-8").splitlines()

    def about(lines, start):
        return [line for line in lines if line.startswith(start)]

    def others(lines):
        return [line for line in lines if line[2:5] != "02." and not line.startswith("| **")]

    assert others(after) == others(before)
    assert about(after, "- 02.") == [
        f"- 02.{n}: `{change}`: why" for n in range(1, 7) for change in "bd"
    ]
    assert about(after, "| 02.")[0].endswith("| 8 | 2 | 100 | 98 |")
    (old,), (new,) = (about(lines, "| **") for lines in (before, after))

    def mutants(line):
        return int(line.split(" | ")[5])

    own = about(before, "| 02.")
    assert mutants(new) == mutants(old) + 6 * 100 - sum(map(mutants, own))


def test_proving_nothing_anew_gives_the_same_page(tmp_path):
    page = tmp_path / "exercises.md"
    page.write_text(proof.PAGE.read_text("utf-8"), "utf-8")
    proof.write([], page)
    assert page.read_text("utf-8") == proof.PAGE.read_text("utf-8")
