"""How verdicts and progress look: HTML that needs no script and no network, and plain text."""

from collections.abc import Iterator
from html import escape

from gptlib.grading.judge import Verdict
from gptlib.grading.tasks import Set

HINT_NAMES = ("A question to think about", "The way to go", "Nearly the code")
_OK, _NO, _BAR = "#1a7f37", "#b35900", "#d0d7de"  # told apart by sign and word, too


def headline(verdict: Verdict) -> str:
    """The first line: which task, how many points."""
    task = verdict.task
    return f"{task.id} {task.title}: {verdict.points} of {task.points} points"


def remarks(verdict: Verdict) -> Iterator[str]:
    """What to say beside the checks: a note, the mistake, the line where the code stopped."""
    if verdict.note:
        yield verdict.note
    if verdict.diagnosis:
        yield verdict.diagnosis
    failure = verdict.failure
    if failure:
        where = f" in your line {failure.line}: {failure.text}" if failure.line else ""
        yield f"{failure.kind}{where}" + (f" ({failure.message})" if failure.message else "")


def verdict_text(verdict: Verdict) -> str:
    """A verdict for a terminal. Hints stay folded: `hint("02.1")` prints them."""
    lines = [headline(verdict), *(f"  {remark}" for remark in remarks(verdict))]
    if verdict.note:
        return "\n".join(lines)
    for result in verdict.results:
        sign = "ok" if result.passed else "--"
        lines.append(f"  {sign} {result.name} ({result.points} of {result.out_of})")
        if result.found:
            lines.append(f"     Your answer {result.found}.")
        if result.says:
            lines.append(f"     {result.says}")
    return "\n".join(lines)


def verdict_html(verdict: Verdict) -> str:
    """A verdict for a notebook; three levels of hints fold open below what is missing."""
    colour = _OK if verdict.passed else _NO
    parts = [f"<p style='margin:0'><b>{_text(headline(verdict))}</b></p>"]
    parts += [f"<p style='margin:.4em 0'>{_text(remark)}</p>" for remark in remarks(verdict)]
    items = []
    for result in () if verdict.note else verdict.results:
        sign = f"<b style='color:{_OK}'>✓</b>" if result.passed else f"<b style='color:{_NO}'>✗</b>"
        item = f"{sign} {_text(result.name)} ({result.points} of {result.out_of})"
        if result.found:
            item += f"<br>Your answer {_text(result.found)}."
        if result.says:
            item += f"<br>{_text(result.says)}"
        items.append(f"<li style='list-style:none;margin:.3em 0'>{item}</li>")
    if items:
        parts.append(f"<ul style='margin:.4em 0;padding-left:.5em'>{''.join(items)}</ul>")
    if verdict.printed and not verdict.passed:
        parts.append(_fold("What your code printed", f"<pre>{escape(verdict.printed)}</pre>"))
    if not verdict.passed:
        names = HINT_NAMES if len(verdict.task.hints) == 3 else HINT_NAMES[1:]
        parts += [
            _fold(f"Hint: {name}", f"<p>{_text(hint)}</p>")
            for name, hint in zip(names, verdict.task.hints, strict=False)
        ]
    body = "".join(parts)
    return f"<div style='border-left:4px solid {colour};padding:.4em .8em'>{body}</div>"


def panel_text(sets: list[tuple[Set, dict[str, int]]], upcoming: str) -> str:
    """Progress for a terminal: one line for each set."""
    lines = []
    for tasks, points in sets:
        got, done = sum(points.values()), sum(points.get(t.id) == t.points for t in tasks.tasks)
        bar = "#" * round(20 * got / tasks.points)
        lines.append(
            f"{tasks.title:<24} [{bar:<20}] {got:>3} of {tasks.points} points, "
            f"{done} of {len(tasks.tasks)} done"
        )
    return "\n".join([*lines, upcoming])


def panel_html(sets: list[tuple[Set, dict[str, int]]], upcoming: str) -> str:
    """Progress for a notebook: a bar for each set, and a mark for each of its tasks."""
    rows = []
    for tasks, points in sets:
        got = sum(points.values())
        marks = " ".join(
            f"<span title='{escape(task.title, quote=True)}'>{escape(task.id)}&nbsp;"
            f"{'✓' if points.get(task.id) == task.points else '◐' if points.get(task.id) else '○'}"
            "</span>"
            for task in tasks.tasks
        )
        width = round(100 * got / tasks.points)
        bar = (
            f"<div style='background:{_BAR};width:10em;height:.8em'>"
            f"<div style='background:{_OK};width:{width}%;height:100%'></div></div>"
        )
        cells = (escape(tasks.title), bar, f"{got} of {tasks.points}", marks)
        rows.append("<tr>" + "".join(f"<td style='text-align:left'>{c}</td>" for c in cells))
    head = "<tr><th>set<th><th>points<th>tasks: ✓ done, ◐ in part, ○ not yet"
    return f"<table>{head}{''.join(rows)}</table><p>{_text(upcoming)}</p>"


def _fold(title: str, content: str) -> str:
    return f"<details><summary>{escape(title)}</summary>{content}</details>"


def _text(text: str) -> str:
    """Escaped text, in which `code` between backquotes is set as code."""
    pieces = escape(text).split("`")
    return "".join(
        f"<code>{piece}</code>" if n % 2 and n < len(pieces) - 1 else piece
        for n, piece in enumerate(pieces)
    )
