"""The position viewer: what chapter 03 proves holds for the tables that it shows."""

import pytest
import torch

from gptlib.widgets import PositionViewer
from gptlib.widgets.positions.schemes import (
    SHIFTS,
    schemes,
    shift_errors,
    singular_values,
)


def spread_along_diagonals(products):
    return max(
        float(products.diagonal(-shift).max() - products.diagonal(-shift).min())
        for shift in range(SHIFTS)
    )


@pytest.mark.parametrize("name", ["sinusoidal", "rotary", "ALiBi"])
@pytest.mark.parametrize("width", [8, 32])
def test_products_depend_on_the_distance_alone(name, width):
    assert spread_along_diagonals(schemes()[name](width).products) < 1e-4


@pytest.mark.parametrize("width", [4, 16, 64])
def test_the_product_formula_has_rank_one_and_no_position_zero(width):
    scheme = schemes()["product formula"](width)
    assert torch.linalg.matrix_rank(scheme.table, rtol=1e-5) == 1
    assert (singular_values(scheme.table)[1:] < 1e-5).all()
    assert scheme.table[0].abs().max() == 0
    assert spread_along_diagonals(scheme.products) > 0.5
    assert shift_errors(scheme.table)[4] > 0.3


def test_a_shift_of_sines_is_a_matrix():
    assert shift_errors(schemes()["sinusoidal"](16).table).max() < 1e-5
    assert singular_values(schemes()["sinusoidal"](8).table).min() > 1e-6
    torch.manual_seed(0)
    assert shift_errors(torch.randn(64, 8)).min() > 0.5


def test_a_learned_table_is_the_models(make_model):
    model = make_model()
    table = schemes(model)["learned"](16).table
    assert torch.equal(table, model.transformer.wpe.weight[:64])


def test_the_widget(make_model):
    widget = PositionViewer("learned", model=make_model())
    assert not widget.problem
    assert "learned" in widget.state["schemes"]
    widget.ask({"scheme": "product formula", "width": 32})
    assert widget.state["arrays"]["table"]["shape"] == [64, 32]
    before = widget.state
    for question, says in (
        ({"scheme": "none"}, "scheme 'none': choose one of sinusoidal"),
        ({"width": 10_000}, "width 10000: choose one of 4"),
    ):
        widget.ask(question)
        assert says in widget.problem
        assert widget.state == before
    assert "learned positions" in PositionViewer(model=make_model(positions="rotary")).problem
    assert "choose one of" in PositionViewer("learned").problem
    data, _ = PositionViewer()._repr_mimebundle_()
    assert "scheme sinusoidal" in data["text/plain"]
