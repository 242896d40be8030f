"""Values travel as files without loss, and without running anything."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gptlib.grading import values
from gptlib.grading.asking import Answer, Case, Failure, as_answers, as_cases, as_plain, ask
from gptlib.grading.compare import difference, fingerprint, same_fingerprint

LEAVES = st.none() | st.booleans() | st.integers() | st.text() | st.binary() | st.floats()
TREES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner)
        | st.tuples(inner, inner)
        | st.dictionaries(st.tuples(st.integers(), st.binary()) | st.text(), inner)
    ),
    max_leaves=10,
)


@given(TREES)
def test_code_that_leaves_its_inputs_alone_is_not_said_to_change_them(value):
    tensor = torch.tensor([1.0, math.nan])
    (answer,) = ask({"f": lambda *args, **options: None}, [Case((value, tensor), {"x": value})])
    assert not answer.changed


@given(st.lists(TREES, min_size=1))
def test_code_that_changes_its_inputs_is_said_to(value):
    (answer,) = ask({"f": lambda items: items.append(None)}, [Case((value,))])
    assert answer.changed


@given(TREES)
def test_plain_values_come_back_the_same(value):
    back = values.plain(value)
    assert repr(back) == repr(value)
    assert difference(back, value) is None


@pytest.mark.parametrize(
    "tensor",
    [
        torch.arange(6).view(2, 3),
        torch.tensor([1.0, math.nan, -math.inf]),
        torch.tensor([0.5, 0.25], dtype=torch.float64),
        torch.tensor(1 / 3, dtype=torch.float64),
        torch.tensor([70000, -70000]),
        torch.tensor([1e30]),
        torch.zeros(0, 3),
        torch.tensor([True, False]),
        torch.ones(2, dtype=torch.bfloat16),
        torch.arange(20.0).view(4, 5).T,
        torch.nn.Parameter(torch.ones(2)),
    ],
    ids=str,
)
def test_tensors_come_back_the_same(tensor, tmp_path):
    values.save(tmp_path / "x", {"a": [tensor]})
    back = values.load(tmp_path / "x")["a"][0]
    assert back.dtype == tensor.dtype
    torch.testing.assert_close(back, tensor.detach(), rtol=0, atol=0, equal_nan=True)


def test_what_no_exercise_asks_for_is_not_kept():
    class Magic:
        def __eq__(self, other):
            return True

        __hash__ = None

    back = values.plain([Magic(), print, np.float32(0.5), np.arange(3)])
    assert [type(item) for item in back] == [values.Other, values.Other, float, np.ndarray]
    assert back[0] != back[0] or back[0] is back[0]
    assert difference(1.0, back[0]) == "is an object of type Magic, should be a number"


def test_cases_and_answers_travel(tmp_path):
    cases = [
        Case((torch.ones(2), 3), {"dim": 0}),
        Case((), to="f", build={}, state={"w": torch.ones(1)}, gradient=True),
    ]
    answers = [
        Answer(torch.ones(2)),
        Answer(0, printed="x"),
        Answer(False),
        Answer(failure=Failure("ValueError", "no", ("ValueError", "Exception"), 3, "x = 1")),
    ]
    values.save(tmp_path / "x", [as_plain(cases), as_plain(answers)])
    stored_cases, stored_answers = values.load(tmp_path / "x")
    assert repr(as_cases(stored_cases)) == repr(cases)
    assert repr(as_answers(stored_answers)) == repr(answers)


@pytest.mark.parametrize(
    ("expected", "got", "says"),
    [
        (torch.ones(2, 3), torch.ones(3, 2), "has shape (3, 2), should be (2, 3)"),
        (torch.ones(2), torch.ones(2).double(), "is of float64, should be of float32"),
        (torch.ones(2), None, "is None (is there a return?), should be a tensor"),
        (torch.ones(2), torch.tensor([1, math.nan]), "is nan, not a number, in 1 of 2 entries"),
        (torch.ones(2), torch.tensor([1, math.inf]), "is infinite in 1 of 2 entries"),
        (torch.ones(2, 2), torch.tensor([[1, 1], [1, 2.0]]), "the first at [1, 1]"),
        (torch.ones(2), torch.zeros(2), "is off everywhere"),
        (torch.tensor([True]), torch.tensor([False]), "is off"),
        ([1, 2], [1], "has 1 entry, should have 2"),
        ([1, 2], [1, 3], "is wrong at [1]: that is another integer"),
        ({"a": 1}, {"b": 1}, "lacks 1 keys"),
        ({"a": 1}, {"a": 2}, "is wrong at ['a']: that is another integer"),
        ([[1.0], (2.0, [3.0])], [[1.0], (2.0, [4.0])], "is wrong at [1][1][0]: that is off"),
        (1.0, True, "is a truth value, should be a number"),
        (1.0, math.nan, "is nan, not a finite number"),
        (3, 3.0, "is a number, should be an integer"),
        (b"a", "a", "is a text, should be a bytes object"),
    ],
)
def test_what_is_wrong_is_said(expected, got, says):
    assert says in difference(expected, got)


@pytest.mark.parametrize(
    ("expected", "got"),
    [
        (torch.tensor([1.0, 1e6]), torch.tensor([1.001, 1e6])),  # within rounding of the largest
        (torch.tensor([math.nan, math.inf]), torch.tensor([math.nan, math.inf])),
        ([1, 2], (1, 2)),
        (0.5, torch.tensor(0.5)),
        (2.0, 2),
        (torch.zeros(0, 2), torch.zeros(0, 2)),
    ],
)
def test_what_is_right_passes(expected, got):
    assert difference(expected, got) is None


def test_fingerprints_tell_values_apart_and_forgive_rounding():
    x = torch.randn(3, 4, dtype=torch.float64)
    same = [x, x * (1 + 1e-12)]
    others = [x * (1 + 1e-6), x.flip(0), x.T, x.view(4, 3), x.float(), -x, [x], x.clone().sort()[0]]
    others += [x.where(x != x[0, 0], math.nan), x.where(x != x[0, 0], math.inf)]
    assert all(same_fingerprint(fingerprint(x), fingerprint(y)) for y in same)
    assert not any(same_fingerprint(fingerprint(x), fingerprint(y)) for y in others)


def test_an_endless_recursion_and_an_exit_are_failures():
    def recursive(x):
        return recursive(x)

    def leaving(x):
        raise SystemExit

    def containing_itself(x):
        items = []
        items.append(items)
        return items

    for function in (recursive, leaving, containing_itself):
        (answer,) = ask({"f": function}, [Case((1,))])
        assert answer.failure is not None


def test_refusing_can_be_the_right_answer():
    from gptlib.grading.judge import judge
    from gptlib.grading.tasks import Check, Exercise, Expectations

    words = Exercise("9.1", "Refuse", ("f",), (Check("refuses", 1, "says"),), (), (), {})
    expected = Expectations([Case((b"\xff",))], [0], [{"raises": "ValueError"}], [])
    refuses = ask({"f": lambda data: data.decode()}, expected.cases)  # UnicodeDecodeError is one
    accepts = ask({"f": lambda data: data.decode("latin-1")}, expected.cases)
    crashes = ask({"f": lambda data: data.nonsense}, expected.cases)
    assert [judge(words, expected, a).points for a in (refuses, accepts, crashes)] == [1, 0, 0]


def test_a_dictionary_is_the_same_in_any_order():
    counts = {(1, 2): 3, (2, 1): 0.5, "x": [1]}
    turned = dict(reversed(counts.items()))
    assert fingerprint(counts) == fingerprint(turned)
    assert fingerprint(counts) != fingerprint({**counts, (2, 1): 0.25})
