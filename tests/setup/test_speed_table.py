"""The README's tables of speed are those of the files that the benchmarks left."""

import json

import pytest

from benchmarks.record import save
from tools.speed_table import BEGIN, END, README, load, section, written

MACHINE = {"device": "Some Processor", "cores": 2, "torch": "2.0"}


def lines(figures, name="training"):
    """The lines of the section that these figures of one benchmark make."""
    return section({name: {"machine": MACHINE, "figures": figures}}).splitlines()


def test_the_readme_shows_the_figures_that_were_saved():
    text = README.read_text(encoding="utf-8")
    assert text == written(text, section(load())), "run python -m tools.speed_table"


def test_a_ratio_stands_in_the_column_of_its_shape():
    figures = {"threads 2": {"b": {"fp32 / fp32": 1.234}, "a": {"fp32 / fp32": 1.5}}}
    found = lines(figures)
    assert "Some Processor, 2 cores, torch 2.0" in found[2]
    head, _, row = (line.strip("| ").split(" | ") for line in found[4:7])
    assert dict(zip(head, row[1:], strict=True)) == {
        "4 layers, 128 wide, 65 tokens": "1.50×",
        "6 layers, 384 wide, 512 tokens": "1.23×",
    }
    assert row[0].endswith("(2 threads)")


def test_what_was_not_measured_has_no_row():
    found = lines({"threads 1": {"a": {"fp32 / fp32": 1.5}, "c": {"share of ceiling bf16": 0.7}}})
    assert len([line for line in found if "×" in line or "%" in line]) == 2
    assert "–" in next(line for line in found if "70%" in line)
    assert lines({"gpt2": {}}, "training-gpu") == section({}).splitlines()
    assert "No figures yet" in section({})


def test_each_benchmark_has_its_table():
    tables = {
        "memory": ({"b": {"gptlib fp32": 500.4}}, None),  # rows of the training's table
        "generation": ({"threads 2": {"124M": {"batch 1": {"Decoder int8": 4.5}}}}, "4.50×"),
        "widgets": ({"a head": 12.4}, "12 ms"),
        "quality": ({"apart": {"seed 0": 0.001, "seed 1": -0.0042, "mean": -0.0016}}, "0.0042"),
        "training-gpu": ({"gpt2": {"best / nanoGPT bf16": 1.25}}, "1.25×"),
    }
    for name, (figures, shown) in tables.items():
        if shown:
            assert shown in "\n".join(lines(figures, name)), name
    both = {
        "training": {"machine": MACHINE, "figures": {"threads 2": {"b": {"fp32 / fp32": 1.0}}}},
        "memory": {"machine": MACHINE, "figures": tables["memory"][0]},
    }
    assert "500 MiB" in section(both)


def test_a_readme_without_the_marks_is_left_alone():
    assert written(f"a\n{BEGIN}\nold\n{END}\nb", f"{BEGIN}\nnew\n{END}") == (
        f"a\n{BEGIN}\nnew\n{END}\nb"
    )
    with pytest.raises(ValueError, match="needs a line"):
        written("no marks", "new")


def test_figures_of_one_machine_come_together_and_another_machines_make_room(tmp_path):
    save("x", {"threads 2": {"a": {"ratio": 1.23456}}}, folder=tmp_path)
    path = save("x", {"threads 2": {"b": {"ratio": 2.0}}}, folder=tmp_path)
    content = json.loads(path.read_text("utf-8"))
    assert content["figures"] == {"threads 2": {"a": {"ratio": 1.235}, "b": {"ratio": 2.0}}}
    content["machine"]["device"] = "another"
    path.write_text(json.dumps(content), encoding="utf-8")
    save("x", {"threads 2": {"b": {"ratio": 3.0}}}, folder=tmp_path)
    assert json.loads(path.read_text("utf-8"))["figures"] == {"threads 2": {"b": {"ratio": 3.0}}}
