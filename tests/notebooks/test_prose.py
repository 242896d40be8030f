"""Templates in prose: what is one, what is filled in, and what stops the build."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.prose import ProseError, check_value, fill, filled_from, find_templates


@pytest.mark.parametrize(
    ("text", "expression", "spec"),
    [
        ("{{ loss }}", "loss", ""),
        ("{{ loss:.3f }}", "loss", ".3f"),
        ("{{ losses[-1]:,.2e }}", "losses[-1]", ",.2e"),
        ("{{ x[1:3] }}", "x[1:3]", ""),
        ("{{ x[1:3].mean():.2f }}", "x[1:3].mean()", ".2f"),
        ("{{ {'a': 1}['a']:d }}", "{'a': 1}['a']", "d"),
        ("{{ {'a': {1}}['a'] }}", "{'a': {1}}['a']", ""),
        ("{{ 'a:b' }}", "'a:b'", ""),
        ("{{ 1 if x else 2:>5 }}", "1 if x else 2", ">5"),
        ("{{ (lambda v: v)(3):d }}", "(lambda v: v)(3)", "d"),
        ("{{ day:%H:%M }}", "day", "%H:%M"),
        ("{{\tx\t}}", "x", ""),
        (r"$\mathcal{L} = {{ loss }}$", "loss", ""),
    ],
)
def test_a_template_is_an_expression_and_a_format(text, expression, spec):
    (template,) = find_templates(text)
    assert (template.expression, template.spec) == (expression, spec)


def test_the_code_of_a_template_is_pythons_own_format():
    (template,) = find_templates("{{ value:>8.3f }}")
    # Also where a notebook has its own `format`.
    assert eval(template.code, {"value": 3.14159, "format": None}) == f"{3.14159:>8.3f}"


@pytest.mark.parametrize(
    "text",
    [
        r"$\mathbf{{x}}$ and $\frac{{a}}{{b}}$",
        "$$\n\\text{{loss}} = \\sqrt{\\frac{1}{n}}\n$$",
        r"\begin{align} x_{{i}} \end{align}",
        "`{{x}}` and `f'{{{x}}}'`",
        '```python\nf"{{x}}"\n```',
        r"a set {1}, { {x} }",
        r"over two lines $\mathbf{{x}} +" + "\n" + r"\mathbf{{y}}$",
    ],
)
def test_braces_of_latex_and_code_are_left_alone(text):
    assert find_templates(text) == []


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("a\nb {{ loss }", 2, "not closed"),
        ("{{ loss}}", 1, "not closed"),
        ("{{ a\n+ b }}", 1, "not closed"),
        ("a\n\n{{loss}}", 3, "outside of maths and code"),
        ("a { loss }}", 1, "outside of maths and code"),
        ("{{ }}", 1, "not closed"),
        ("{{   }}", 1, "not a Python expression"),
        ("{{ loss + }}", 1, "not a Python expression"),
        ("{{ x = 1 }}", 1, "not a Python expression"),
        ("{{ (x := 1) }}", 1, "must not assign"),
        (r"$\frac{{ a b }}{c}$", 1, "braces of LaTeX have no space"),
    ],
)
def test_a_malformed_template_is_refused_with_its_line(text, line, says):
    with pytest.raises(ProseError, match=says) as error:
        find_templates(text)
    assert error.value.line == line


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("", "empty"),
        (" ", "empty"),
        ("a\nb", "more than one line"),
        ("x" * 201, "201 characters"),
        ("tensor(3.)", "an object and not a text"),
        ("array([1, 2])", "an object and not a text"),
        ("(np.float64(1.0), 2)", "an object and not a text"),
        ("<gptlib.model.GPT object at 0x7f00>", "an object and not a text"),
        ("{1: {2}}", "double braces"),
    ],
)
def test_a_value_that_no_sentence_can_hold_is_refused(value, says):
    (template,) = find_templates("\n{{ x }}")
    with pytest.raises(ProseError, match=says) as error:
        check_value(template, value)
    assert error.value.line == 2


@pytest.mark.parametrize("value", ["3", "-0.25", "x" * 200, "(B, T, C)", "{1, 2}", "50257"])
def test_a_value_that_a_sentence_can_hold_is_taken(value):
    (template,) = find_templates("{{ x }}")
    check_value(template, value)


literal = st.text(alphabet="ab .\n*(+?$\\[|^", max_size=20)
values = st.text(alphabet="0.1ab\\1", min_size=1, max_size=5)


@given(st.lists(st.tuples(literal, values), max_size=5), literal)
def test_a_filled_text_agrees_with_its_template(parts, end):
    text = "".join(before + "{{ x }}" for before, _ in parts) + end
    filled = fill(text, [value for _, value in parts])
    assert filled == "".join(before + value for before, value in parts) + end
    assert filled_from(text, filled)


@pytest.mark.parametrize("edited", ["The loss was 3.2.", "The loss is .", "The loss is 3.\n2."])
def test_an_edited_text_does_not_agree(edited):
    assert filled_from("The loss is {{ loss }}.", "The loss is 3.2.")
    assert not filled_from("The loss is {{ loss }}.", edited)


def test_a_long_table_is_compared_at_once():
    text = ", ".join(["{{ x }}"] * 60) + " end"
    filled = fill(text, ["1, 2"] * 60)
    assert filled_from(text, filled)
    assert not filled_from(text, filled + "ed")  # would take years in all ways to split it
