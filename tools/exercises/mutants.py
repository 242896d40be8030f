"""Small changes of a program, one at a time: a strong grader notices each that matters."""

import ast
import copy
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from types import FrameType
from typing import Any

from gptlib.grading.asking import Answer, Targets, ask
from gptlib.grading.judge import judge
from gptlib.grading.tasks import Exercise as Words
from gptlib.grading.tasks import Expectations
from tools.exercises.format import Exercise
from tools.exercises.sets import compiled, source_of

STEPS = 20_000  # lines a mutant may run for one case: some never end
UNSEEN = ("device",)  # makes a difference only where there is a second device
# The order of their arguments plays no part. Not `x.max`, whose arguments are a dimension and more.
SYMMETRIC = (".transpose", ".swapaxes", ".maximum", ".minimum", "max", "min")

_OPERATORS: dict[type[ast.AST], type[ast.AST]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult, ast.Mod: ast.FloorDiv, ast.Pow: ast.Mult, ast.MatMult: ast.Mult,
    ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd, ast.BitXor: ast.BitOr,
    ast.LShift: ast.RShift, ast.RShift: ast.LShift,
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.And: ast.Or, ast.Or: ast.And,
}  # fmt: skip
_NAMES = {
    "tril": "triu", "triu": "tril", "amax": "amin", "amin": "amax", "max": "min", "min": "max",
    "sum": "mean", "mean": "sum", "exp": "exp2", "log": "log2", "cos": "sin", "sin": "cos",
    "ones": "zeros", "zeros": "ones", "sqrt": "square", "softmax": "log_softmax", "any": "all",
    "all": "any", "argmax": "argmin", "floor": "ceil", "append": "extend", "cumsum": "cumprod",
    "sorted": "list", "tanh": "sigmoid", "var": "std", "split": "rsplit",
}  # fmt: skip


@dataclass(frozen=True)
class Mutant:
    """A changed program; `change` names it by the line before and after."""

    change: str
    text: str


class TooLong(BaseException):
    """A mutant that runs on and on."""


def mutants(text: str) -> Iterator[Mutant]:
    """Every change of one place: operators, constants, names, order of arguments, statements."""
    tree = ast.parse(text)
    seen = {ast.unparse(tree)}
    for n, (node, names) in enumerate(_places(tree)):
        for change in _changes(node, names):
            mutated = copy.deepcopy(tree)
            target = _places(mutated)[n][0]
            try:
                change(target)
                result = ast.unparse(ast.fix_missing_locations(mutated))
                compile(result, "<mutant>", "exec")
            except (SyntaxError, ValueError, IndexError):
                continue
            if result not in seen:
                seen.add(result)
                yield Mutant(_name(ast.unparse(tree), result), result)


def survivors(exercise: Exercise, words: Words, expected: Expectations) -> tuple[int, list[str]]:
    """How many mutants the reference has, and the changes of those that get full marks."""
    # Mutants are many and what known mistake they resemble is of no interest here.
    bare = replace(expected, mistakes=[])
    words = replace(words, mistakes=())
    every = list(mutants(source_of(exercise)))
    left = [m.change for m in every if _survives(exercise, m, words, bare)]
    return len(every), left


def _survives(exercise: Exercise, mutant: Mutant, words: Words, expected: Expectations) -> bool:
    try:
        targets = compiled(exercise, mutant.text)
    except Exception:
        return False
    answers: list[Answer] = []
    for n, case in enumerate(expected.cases):
        answers += _limited(targets, lambda t, c=case: ask(t, [c]))
        part = replace(
            expected, cases=[case], check_of=[expected.check_of[n]], outputs=[expected.outputs[n]]
        )
        results = judge(words, part, answers[-1:]).results
        if not all(result.passed for result in results):
            return False
    return True


def _limited(targets: Targets, run: Callable[[Targets], list[Answer]]) -> list[Answer]:
    """Run, but stop after STEPS lines of the mutant's own."""
    left = STEPS

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal left
        if not frame.f_code.co_filename.endswith(", changed>"):
            return None
        left -= event == "line"
        if left < 0:
            raise TooLong
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        return run(targets)
    except TooLong:
        return [Answer()]
    finally:
        sys.settrace(before)


def _places(tree: ast.AST) -> list[tuple[ast.AST, list[str]]]:
    """Every node that is run, with the names of the function's parameters and variables."""
    found: list[tuple[ast.AST, list[str]]] = []

    def walk(node: ast.AST, names: list[str]) -> None:
        if isinstance(node, ast.FunctionDef | ast.Lambda):
            own = [arg.arg for arg in node.args.args if arg.arg != "self"]
            inner = (n for n in ast.walk(node) if isinstance(n, ast.Name))
            own += [n.id for n in inner if isinstance(n.ctx, ast.Store)]
            names = list(dict.fromkeys(own))
        found.append((node, names))
        for name, value in ast.iter_fields(node):
            if name in ("annotation", "returns", "decorator_list"):
                continue
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST) and getattr(child, "arg", "") not in UNSEEN:
                    walk(child, names)

    walk(tree, [])
    return found


def _changes(node: ast.AST, names: list[str]) -> Iterator[Callable[[Any], None]]:
    match node:
        case ast.BinOp(op=op) | ast.BoolOp(op=op) | ast.AugAssign(op=op) if type(op) in _OPERATORS:
            yield lambda n: setattr(n, "op", _OPERATORS[type(n.op)]())
        case ast.Compare(ops=[op]) if type(op) in _OPERATORS:
            yield lambda n: setattr(n, "ops", [_OPERATORS[type(n.ops[0])]()])
        case ast.UnaryOp():
            yield (
                lambda n: (
                    setattr(n, "op", ast.UAdd())
                    if isinstance(n.op, ast.USub)
                    else (_become(n, n.operand))
                )
            )
        case ast.Constant(value=bool()):
            yield lambda n: setattr(n, "value", not n.value)
        case ast.Constant(value=int()):
            yield lambda n: setattr(n, "value", n.value + 1)
            yield lambda n: setattr(n, "value", n.value - 1)
        case ast.Constant(value=float()):
            yield lambda n: setattr(n, "value", n.value * 2)
            yield lambda n: setattr(n, "value", -n.value)
        case ast.Name(ctx=ast.Load(), id=name) if name in names:
            for other in names:
                if other != name:
                    yield lambda n, other=other: setattr(n, "id", other)
        case ast.Attribute(attr=name) if name in _NAMES:
            yield lambda n: setattr(n, "attr", _NAMES[n.attr])
        case ast.If() | ast.IfExp() | ast.While():
            yield lambda n: setattr(n, "test", ast.UnaryOp(ast.Not(), n.test))
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in _NAMES:
        yield lambda n: setattr(n, "id", _NAMES[n.id])
    if isinstance(node, ast.Call):
        if _called(node) not in SYMMETRIC:
            for i in range(len(node.args) - 1):
                yield lambda n, i=i: _swap(n.args, i)
        for i, keyword in enumerate(node.keywords):
            if keyword.arg not in UNSEEN:
                yield lambda n, i=i: n.keywords.pop(i)
        if isinstance(node.func, ast.Attribute) and _is_value(node.func.value):
            yield lambda n: _become(n, n.func.value)  # the method is not called
    if isinstance(node, ast.Tuple | ast.List):
        for i in range(len(node.elts) - 1):
            yield lambda n, i=i: _swap(n.elts, i)
    if isinstance(node, ast.Slice):
        if node.lower:
            yield lambda n: setattr(n, "lower", None)
        if node.upper:
            yield lambda n: setattr(n, "upper", None)
    body = getattr(node, "body", None)
    if isinstance(body, list) and not isinstance(node, ast.Module | ast.ClassDef):
        for i, statement in enumerate(body):
            if not _is_docstring(statement):
                yield lambda n, i=i: n.body.__setitem__(i, ast.Pass())


def _called(call: ast.Call) -> str:
    """The name of what is called; that of a method or of a module's function after a dot."""
    function = call.func
    if isinstance(function, ast.Attribute):
        return f".{function.attr}"
    return getattr(function, "id", "")


def _is_value(node: ast.expr) -> bool:
    """Whether a method belongs to a value, not to a module such as torch or math."""
    return not (isinstance(node, ast.Name) and node.id in ("torch", "math", "F", "nn", "np"))


def _is_docstring(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _become(node: ast.AST, other: ast.AST) -> None:
    node.__class__ = other.__class__
    node.__dict__.clear()
    node.__dict__.update(other.__dict__)


def _swap(items: list[Any], i: int) -> None:
    items[i], items[i + 1] = items[i + 1], items[i]


def _name(before: str, after: str) -> str:
    """The changed line of a program, before and after."""
    old, new = before.splitlines(), after.splitlines()
    if len(old) == len(new):
        ((a, b),) = [(a, b) for a, b in zip(old, new, strict=True) if a != b][:1]
        return f"{a.strip()} -> {b.strip()}"
    first = next(a for a, b in zip(old, [*new, ""], strict=False) if a != b)
    return f"{first.strip()} -> (left out)"
