"""How scores and tables of them print."""

import doctest
import importlib
import json
import subprocess
import sys
from html.parser import HTMLParser

import pytest

from gptlib.evaluation import Score, Table

NAN = float("nan")
EM = Score("EM", 87.34, 85.91, 88.57, n=1000)
RECALL = Score("recall", 50, 40, 60, n=80)


def test_a_score_prints_with_its_interval_and_n():
    assert str(EM) == "87.3 [85.9, 88.6] (n=1000)"
    assert str(Score("perplexity", 7.256, 7.1, 7.4, n=5, digits=2)) == "7.26 [7.10, 7.40] (n=5)"
    assert str(Score("EM", 100, NAN, NAN, n=1)) == "100.0 (n=1)"
    assert str(Score("precision", NAN, NAN, NAN, n=0)) == "undefined (n=0)"


def test_a_score_is_ready_for_json():
    found = json.loads(json.dumps(Score("EM", 100.0, NAN, NAN, n=1).as_dict(), allow_nan=False))
    assert found == {"name": "EM", "value": 100, "low": None, "high": None, "n": 1}


def one_n():
    table = Table("method", "split")
    table.add("GPT", "test", scores=[EM, Score("F1", 90, 89, 91, n=1000)])
    table.add("most frequent", "test", scores=[Score("EM", 9.5, 8, 11, n=1000)])
    return table


def test_one_n_a_row_has_a_column():
    assert str(one_n()).splitlines() == [
        "method         split  EM                 F1                    n",
        "GPT            test   87.3 [85.9, 88.6]  90.0 [89.0, 91.0]  1000",
        "most frequent  test   9.5 [8.0, 11.0]                       1000",
    ]


def test_several_n_stand_beside_their_scores():
    table = Table("method")
    table.add("GPT", scores=[EM, RECALL])
    assert str(table).splitlines() == [
        "method  EM                          recall",
        "GPT     87.3 [85.9, 88.6] (n=1000)  50.0 [40.0, 60.0] (n=80)",
    ]


def test_columns_can_have_names_of_their_own():
    table = Table("task")
    table.add("questions", scores={"metric": "EM", "baseline": RECALL, "model": EM})
    table.add("search", scores={"metric": "nDCG", "model": None})
    assert str(table).splitlines()[0].split() == ["task", "metric", "baseline", "model"]
    assert str(table).splitlines()[2] == "search     nDCG"
    assert json.loads(json.dumps(table.as_dicts()))[0]["model"]["value"] == EM.value


def test_markdown():
    table = one_n()
    table.add("a|b", "test", scores=[EM])
    lines = table.markdown().splitlines()
    assert lines[0] == "| method | split | EM | F1 | n |"
    assert lines[1] == "| --- | --- | --- | --- | ---: |"
    assert lines[-1] == r"| a\|b | test | 87.3 [85.9, 88.6] |  | 1000 |"


def test_html_has_the_same_cells():
    class Cells(HTMLParser):
        def __init__(self):
            super().__init__()
            self.rows = []

        def handle_starttag(self, tag, attrs):
            if tag == "tr":
                self.rows.append([])
            elif tag in ("td", "th"):
                self.rows[-1].append("")

        def handle_data(self, data):
            self.rows[-1][-1] += data

    table = one_n()
    table.add("<b>", "test", scores=[EM])
    page = Cells()
    page.feed(table._repr_html_())
    assert page.rows[1] == ["GPT", "test", "87.3 [85.9, 88.6]", "90.0 [89.0, 91.0]", "1000"]
    assert page.rows[3][0] == "<b>"
    assert [len(row) for row in page.rows] == [5] * 4


def test_bad_rows_are_named():
    with pytest.raises(ValueError, match="name of its first column"):
        Table()
    with pytest.raises(ValueError, match=r"1 names .* for the columns method, split"):
        one_n().add("GPT", scores=[EM])
    with pytest.raises(ValueError, match="two scores of this row are called 'EM'"):
        one_n().add("GPT", "test", scores=[EM, EM])
    assert len(one_n()) == 2


@pytest.mark.parametrize(
    "name",
    [
        "answers", "bootstrap", "score", "table", "tagging",
        "baselines.sentences", "baselines.words",
    ],
)  # fmt: skip
def test_examples_in_docstrings_hold(name):
    module = importlib.import_module(f"gptlib.evaluation.{name}")
    found = doctest.testmod(module)
    assert found.attempted > 0
    assert found.failed == 0


def test_packages_of_metrics_are_imported_when_first_used():
    code = (
        "import sys, gptlib.evaluation, gptlib.evaluation.baselines;"
        "print([m for m in ('sklearn', 'scipy', 'sacrebleu', 'rouge_score', 'nltk', 'seqeval')"
        " if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_a_missing_package_is_named():
    code = (
        "import sys; sys.modules['sacrebleu'] = None\n"
        "from gptlib.evaluation import bleu\n"
        "try: bleu(['a'], ['a'])\n"
        "except ImportError as error: print(error)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.startswith("this needs sacrebleu: pip install sacrebleu")
