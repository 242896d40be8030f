"""`check` as a learner meets it: points, words, their own line, nothing lost."""

import json
import math
import multiprocessing

import pytest
import torch

from gptlib.grading import check, hint, learner, progress, scores
from gptlib.grading.learner import NBGRADER, NotYet


@pytest.fixture(autouse=True)
def file(tmp_path, monkeypatch):
    """A progress file of the test's own."""
    monkeypatch.setenv("GPTLIB_PROGRESS", str(tmp_path / "progress.json"))
    return tmp_path / "progress.json"


def attend(q, k, v):
    attn_weights = (q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])).softmax(dim=-1)
    return attn_weights @ v, attn_weights


def by_values_width(q, k, v):
    attn_weights = (q @ k.transpose(-2, -1) / math.sqrt(v.shape[-1])).softmax(dim=-1)
    return attn_weights @ v, attn_weights


def test_a_right_answer():
    verdict = check("02.2", attend)
    assert verdict.passed
    assert verdict.points == 14
    assert "14 of 14" in repr(verdict)


def test_a_known_mistake_gets_its_diagnosis():
    verdict = check("02.2", by_values_width)
    assert verdict.points == 2  # scores so large that no scale matters
    assert "the values' width" in verdict.diagnosis
    assert verdict.diagnosis in repr(verdict)


def test_an_unknown_mistake_gets_words_and_part_of_the_points():
    def softmax(x, dim):
        return torch.softmax(x, dim).nan_to_num(0.125)

    verdict = check("02.1", softmax)
    assert verdict.points == 9
    assert not verdict.diagnosis
    missing = [result for result in verdict.results if not result.passed]
    assert [result.name for result in missing] == ["Nothing to choose from"]
    assert missing[0].found


def test_code_that_stopped_is_not_taken_for_a_known_mistake():
    def split_heads(x, n_head):
        B, T, C = x.shape
        return x.view(B, T, n_head, C // n_head).transpose(1, 2)

    def merge_heads(x):
        B, H, T, D = x.shape
        return x.transpose(1, 2).view(B, T, H * D)

    verdict = check("02.4", split_heads, merge_heads)
    assert verdict.failure.kind == "RuntimeError"
    assert "merge" not in verdict.diagnosis
    assert not verdict.diagnosis


def test_none_is_called_none():
    verdict = check("02.1", lambda x, dim: None)
    assert verdict.failure is None
    assert "is None (is there a return?)" in repr(verdict)


def test_an_error_of_several_lines_says_what_does_not_fit():
    class CrossAttention(torch.nn.Module):
        def __init__(self, n_embd, n_source, n_head):
            super().__init__()
            self.q_proj = torch.nn.Linear(n_embd, n_embd)
            self.k_proj = torch.nn.Linear(n_embd, n_embd)
            self.v_proj = torch.nn.Linear(n_embd, n_embd)
            self.out_proj = torch.nn.Linear(n_embd, n_embd)

    assert "size mismatch for k_proj.weight" in repr(check("02.5", CrossAttention))


def test_of_two_mistakes_at_once_one_is_named():
    def attend(q, k, v):
        attn_weights = (q @ k.transpose(-2, -1) / math.sqrt(v.shape[-1])).softmax(dim=-2)
        return attn_weights @ v, attn_weights

    diagnosis = check("02.2", attend).diagnosis
    assert diagnosis.startswith("Your softmax runs over the queries")
    assert diagnosis.endswith("That explains “Large scores”. Something else is wrong, too.")


def test_a_mistake_that_would_show_elsewhere_is_not_named():
    """Wrong in one check alone, in the manner of a mistake that is wrong in all of them."""

    def sometimes(q, k, v):
        return (by_values_width if q.shape[-1] == 3 else attend)(q, k, v)

    verdict = check("02.2", sometimes)
    assert not verdict.passed
    assert verdict.diagnosis == ""


def test_messages_hold_no_expected_number():
    verdict = check("02.2", lambda q, k, v: (v[..., :1, :].expand_as(q @ k.mT @ v), q @ k.mT))
    text = repr(verdict)
    assert verdict.points == 0
    assert "0." not in text.replace("02.2", "")


def test_an_error_shows_the_learners_own_line():
    def broken(q, k, v):
        scores = q @ k  # the line that fails
        return scores @ v, scores

    verdict = check("02.2", broken)
    assert verdict.points == 0
    assert verdict.failure.text == "scores = q @ k  # the line that fails"
    assert "learner.py" not in repr(verdict)
    assert "Traceback" not in repr(verdict)
    assert "in your line" in verdict._repr_html_()


def test_an_error_deep_in_a_library_shows_the_learners_line():
    def broken(x, dim):
        return torch.nn.functional.layer_norm(x, (999,))

    failure = check("02.1", broken).failure
    assert failure.text == "return torch.nn.functional.layer_norm(x, (999,))"


def test_what_is_not_callable_is_said():
    assert "attend" in check("02.2", 3).note
    assert "attend" in check("02.2").note


def test_inputs_are_copies():
    def in_place(q, k, v):
        k.mul_(0), v.zero_()
        return q, k

    check("02.2", in_place)
    assert check("02.2", attend).passed


def test_an_answer_that_changes_its_inputs_is_not_right():
    def softmax(x, dim):
        x -= x.amax(dim, keepdim=True)
        return torch.softmax(x, dim)

    verdict = check("02.1", softmax)
    assert verdict.points == 0
    assert "changes what it was given" in repr(verdict)

    def merge(ids, pair, new_id):
        kept = list(ids)
        ids.clear()
        return [new_id if tuple(pair) == () else token for token in kept]

    assert "changes what it was given" in repr(check("01.3", merge))

    def merge(ids, pair, new_id):
        ids[0], kept = ids, list(ids)  # an entry of another type
        return kept

    assert "changes what it was given" in repr(check("01.3", merge))


def test_a_loop_that_never_ends_is_stopped_in_its_line(monkeypatch):
    monkeypatch.setattr(learner, "SECONDS", 0.2)

    def softmax(x, dim):
        while True:
            x = x + 1

    verdict = check("02.1", softmax)
    assert verdict.points == 0
    assert verdict.failure.kind == "TimeoutError"
    assert verdict.failure.text in ("while True:", "x = x + 1")
    assert "does every loop end?" in repr(verdict)


def test_prints_are_kept_out_of_the_cell_and_shown_beside_the_verdict(capsys):
    def talking(q, k, v):
        print("here I am", q.shape)
        return q

    verdict = check("02.2", talking)
    assert capsys.readouterr().out == ""
    assert "here I am" in verdict._repr_html_()


def test_html_is_escaped():
    def broken(x, dim):
        raise ValueError("<script>alert(1)</script>")

    page = check("02.1", broken)._repr_html_()
    assert "<script" not in page
    assert page.count("<details>") == 3  # three hints to fold open


def test_a_magic_object_wins_nothing():
    class Equal:
        def __eq__(self, other):
            return True

        def __getattr__(self, name):
            return lambda *args, **options: self

        shape, dtype, __hash__ = (2, 3), torch.float32, None

    assert check("02.2", lambda q, k, v: (Equal(), Equal())).points == 0


def test_an_unknown_exercise_is_named():
    with pytest.raises(KeyError, match=r"02\.99"):
        check("02.99", attend)


def test_a_question():
    assert check("02.q1", "C").passed
    assert check("02.q1", " c ").passed
    assert "q and k" in check("02.q1", "A").diagnosis
    assert check("02.q2", torch.Size([2, 3, 5, 5])).passed
    assert check("02.q3", 1024.0).passed
    assert not check("02.q3", 1030).passed
    assert not check("02.q3", "about a thousand").passed
    assert check("02.q1", None).note


def test_a_question_answered_in_another_form():
    assert check("02.q2", "(2, 3, 5, 5)").passed
    assert check("02.q2", "2, 3, 5, 5").passed
    assert check("06.q1", "0.783").passed
    assert "The answer is a tuple" in repr(check("02.q2", "B"))
    assert "a letter in quotes" in repr(check("02.q1", 3))
    assert "The answer is a number" in repr(check("02.q3", "about a thousand"))
    assert "in percent?" in repr(check("06.q1", 78.3))
    assert "Not the answer" in repr(check("06.q1", 0.9))


@pytest.mark.parametrize("value", ["(5)", 10**400, "1e999", math.nan, True, {}, "[", (1, "a"), b""])
@pytest.mark.parametrize("question", ["02.q1", "02.q2", "02.q3", "06.q1"])
def test_no_answer_to_a_question_ends_its_check(question, value):
    verdict = check(question, value)
    assert verdict.points == 0
    assert "answer" in repr(verdict)


def test_hints_come_one_at_a_time(capsys):
    hint("02.2")
    first = capsys.readouterr().out
    hint("02.2", 3)
    third = capsys.readouterr().out
    assert "math.sqrt" not in first
    assert "math.sqrt" in third


def test_progress_keeps_the_best(file):
    check("02.2", attend)
    check("02.2", by_values_width)
    assert json.loads(file.read_text("utf-8"))["points"] == {"02.2": 14}
    panel = progress()
    assert "14 of 100" in repr(panel)
    assert "Next: 01.1" in repr(panel)
    assert "14 of 100" in panel._repr_html_()


def test_what_comes_next_is_in_the_set_at_hand(tmp_path, monkeypatch):
    folder = tmp_path / "02_attention"
    folder.mkdir()
    monkeypatch.chdir(folder)
    assert "Next: 02.1" in repr(progress())


def test_a_stub_is_no_try(file):
    def stub(x, dim):
        raise NotImplementedError

    assert "Not started" in repr(check("02.1", stub))
    assert not file.exists()


def test_a_damaged_progress_file_is_put_aside(file):
    file.write_text("{", "utf-8")
    check("02.2", attend)
    assert scores.read(file) == {"02.2": 14}
    assert (file.parent / "progress.damaged.json").read_text("utf-8") == "{"


def test_progress_lies_in_the_exercises_folder(tmp_path, monkeypatch):
    monkeypatch.delenv("GPTLIB_PROGRESS")
    folder = tmp_path / "exercises" / "02_attention"
    folder.mkdir(parents=True)
    monkeypatch.chdir(folder)
    check("02.2", attend)
    assert (tmp_path / "exercises" / "progress.json").exists()


def _answer(path, task_id, answer):
    import os

    os.environ["GPTLIB_PROGRESS"] = path
    check(task_id, answer)


def test_progress_survives_the_process(file):
    process = multiprocessing.get_context("spawn").Process(
        target=_answer, args=(str(file), "02.q1", "C")
    )
    process.start()
    process.join()
    assert progress().points == {"02.q1": 3}


def test_under_nbgrader_only_full_marks_raise_nothing(monkeypatch):
    monkeypatch.setenv(NBGRADER, "autograde")
    assert check("02.2", attend).passed
    with pytest.raises(NotYet, match="values' width") as caught:
        check("02.2", by_values_width)
    assert "Traceback" not in "\n".join(caught.value._render_traceback_())
