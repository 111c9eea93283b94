"""Harms to a module's source, one place at a time.

A place is a comparison, a sum, a connective, a condition or a constant. Types, docstrings,
decorators, the words of refusals and other sentences for people stay as they are.
"""

from __future__ import annotations

import ast
import copy
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import CodeType
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
SWAPS: dict[type[Any], type[Any]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq, ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv, ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv, ast.LShift: ast.RShift, ast.RShift: ast.LShift, ast.BitAnd: ast.BitOr,
    ast.BitXor: ast.BitAnd, ast.And: ast.Or, ast.Or: ast.And,
}  # fmt: skip
_SENTENCE = re.compile(r"[\w',.;]+( [\w',.;]+){2,}")
HARMLESS: dict[str, str] = {
    row["harm"]: row["why"]
    for row in map(json.loads, (ROOT / "tools/harmless.jsonl").read_text("utf-8").splitlines())
}
"""Known harms that change nothing anybody could notice, by `Harm.name`, and why."""


@dataclass(frozen=True, slots=True)
class Harm:
    """One place of a module, harmed.

    Attributes:
        name: Module, the source line, and what became of the place; stable while the line is.
        lines: First and last line of the statement around the place.
        function: The same of the function around it; zeros where none is.
        code: The whole module, harmed.
    """

    path: Path
    name: str
    lines: tuple[int, int]
    function: tuple[int, int]
    code: CodeType


def harms_of(path: Path) -> list[Harm]:
    """Return every harm of a module, in the order of its source; equal names are numbered."""
    text = path.read_text(encoding="utf-8")
    found: list[Harm] = []
    names: set[str] = set()
    for number in range(len(_places(ast.parse(text)))):
        harm = _harm(path, text, number)
        base, again = harm.name, 1
        while harm.name in names:
            again += 1
            harm = Harm(path, f"{base} ({again})", harm.lines, harm.function, harm.code)
        names.add(harm.name)
        found.append(harm)
    return found


def _harm(path: Path, text: str, number: int) -> Harm:
    tree = ast.parse(text)
    wanted = _places(tree)[number]
    worse = _worse(wanted)
    around = _around(tree, wanted)
    functions = [one for one in around if isinstance(one, ast.FunctionDef)]
    statement = [one for one in (*around, wanted) if isinstance(one, ast.stmt)][-1]
    for field, value in ast.iter_fields(around[-1]):
        if value is wanted:
            setattr(around[-1], field, worse)
        elif isinstance(value, list):
            setattr(around[-1], field, [worse if one is wanted else one for one in value])
    line = text.splitlines()[wanted.lineno - 1].strip()
    became = f"{ast.unparse(wanted)[:60]} → {ast.unparse(ast.fix_missing_locations(worse))[:60]}"
    return Harm(
        path,
        f"{path.parent.name}/{path.name}: {line} | {became}".replace("\n", " "),
        (statement.lineno, statement.end_lineno),
        (functions[-1].body[0].lineno, functions[-1].end_lineno) if functions else (0, 0),
        compile(ast.fix_missing_locations(tree), str(path), "exec"),
    )


def _around(tree: ast.AST, wanted: ast.AST) -> list[Any]:
    """Return what stands around a node, the outermost first."""
    for node in ast.iter_child_nodes(tree):
        if node is wanted:
            return [tree]
        if inner := _around(node, wanted):
            return [tree, *inner]
    return []


def _places(tree: ast.AST) -> list[Any]:
    return list({id(node): node for node in _harmable(tree)}.values())


def _harmable(tree: ast.AST) -> Iterator[ast.AST]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Raise | ast.JoinedStr | ast.Import | ast.ImportFrom) or _typed(
            node
        ):
            continue
        if _worse(node) is not None:
            yield node
        for name, value in ast.iter_fields(node):
            if name not in ("annotation", "returns", "decorator_list"):
                inner = value if isinstance(value, list) else [value]
                yield from _harmable(
                    ast.Module([one for one in inner if isinstance(one, ast.AST)], [])
                )


def _typed(node: ast.AST) -> bool:
    """Whether this is a type or a docstring, or the names that a linter holds to be there."""
    match node:
        case ast.Constant(value=str() as text) if _SENTENCE.fullmatch(text):
            return True
        case ast.Call(func=ast.Name(id="TypeVar")):
            return True
        case ast.Expr(value=ast.Constant()) | ast.Subscript(value=ast.Name(id="Literal")):
            return True
        case ast.Assign(targets=[ast.Name(id="__all__")]):
            return True
    return False


def _worse(node: ast.AST) -> Any:  # noqa: ANN401 - a node with other members
    """Return what stands in a node's place; None where it is nothing that can be harmed."""
    worse: Any = copy.copy(node)
    match node:
        case ast.BinOp() | ast.BoolOp() | ast.AugAssign() if type(node.op) in SWAPS:
            worse.op = SWAPS[type(node.op)]()
        case ast.Compare():
            worse.ops = [SWAPS[type(node.ops[0])](), *node.ops[1:]]
        case ast.IfExp() | ast.If():
            worse.test = ast.UnaryOp(ast.Not(), node.test)
        case ast.Constant(value=bool()):
            worse.value = not node.value
        case ast.Constant(value=int() | float()):
            worse.value = node.value + 1
        case ast.Constant(value=str() | bytes()):
            worse.value = node.value + node.value[:1] if node.value else node.value
            return worse if node.value else None
        case _:
            return None
    return worse


def changed_code(harm: Harm) -> list[tuple[CodeType, CodeType]] | None:
    """Return the functions' code that a harm changes; None where it changes more than those."""
    true = compile(harm.path.read_text(encoding="utf-8"), str(harm.path), "exec")
    pairs = list(zip(_codes(true), _codes(harm.code), strict=False))
    changed = [(one, worse) for one, worse in pairs if _own(one) != _own(worse)]
    optimized = 0x1  # a function's, and not a module's or a class's
    if not changed or any(not one.co_flags & optimized for one, _ in changed):
        return None
    if len(list(_codes(true))) != len(list(_codes(harm.code))):
        return None
    return [(one, worse) for one, worse in pairs if one != worse and one.co_flags & optimized]


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from _codes(inner)


def _own(code: CodeType) -> tuple[object, ...]:
    consts = [repr(one) for one in code.co_consts if not isinstance(one, CodeType)]
    return code.co_code, consts, code.co_names, code.co_varnames
