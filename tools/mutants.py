"""Harm the codec and the rules, one place at a time, and count what the tests notice.

    python -m tools.mutants [COUNT|all] [SEED]

A place is a comparison, a sum, a connective, a condition or a constant. Each harmed module is put
in the place of the true one in a process of its own, where its tests run until one fails; nothing
is written to the disk. Prints the score by module and what survived. Some survivors harm nothing.
"""

from __future__ import annotations

import ast
import copy
import os
import resource
import sys
from collections import Counter
from collections.abc import Iterator
from importlib.machinery import SourceFileLoader
from pathlib import Path
from random import Random
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
PRELOADED = (
    "asn1crypto.x509 cbor2 jsonschema PIL.Image playwright.sync_api qrcode sqlalchemy.orm zxingcpp"
)
SLOW = (
    "test_fuzz.py",
    "test_certlogic_fuzz.py",
)  # they try much and are rarely the first to notice
MOST_SECONDS = 120
SWAPS: dict[type[Any], type[Any]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq, ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv, ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv, ast.LShift: ast.RShift, ast.RShift: ast.LShift, ast.BitAnd: ast.BitOr,
    ast.BitXor: ast.BitAnd, ast.And: ast.Or, ast.Or: ast.And,
}  # fmt: skip


def places(tree: ast.AST) -> Iterator[ast.AST]:
    """Give every node that can be harmed; types, docstrings and messages of refusals stay."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Raise | ast.JoinedStr | ast.Import | ast.ImportFrom):
            continue
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            continue
        if harmed(node) is not None:
            yield node
        for name, value in ast.iter_fields(node):
            if name not in ("annotation", "returns", "decorator_list"):
                inner = value if isinstance(value, list) else [value]
                yield from places(
                    ast.Module([one for one in inner if isinstance(one, ast.AST)], [])
                )


def harmed(node: ast.AST) -> ast.AST | None:
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


def harmed_source(path: Path, number: int) -> tuple[str, str]:
    """Return a module harmed in one place, and where that is."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    wanted = _unique(tree)[number]
    worse = harmed(wanted)
    for parent in ast.walk(tree):
        for name, value in ast.iter_fields(parent):
            if value is wanted:
                setattr(parent, name, worse)
            elif isinstance(value, list):
                setattr(parent, name, [worse if one is wanted else one for one in value])
    where = f"{path.relative_to(ROOT)}:{wanted.lineno}: {ast.unparse(wanted)[:50]!r}"
    return ast.unparse(ast.fix_missing_locations(tree)), where.replace("\n", " ")


def _unique(tree: ast.AST) -> list[Any]:
    return list({id(node): node for node in places(tree)}.values())


def started(path: Path, source: str) -> int:
    """Return the process that runs a module's tests with this source in its place.

    It ends with 0 where none of them notices.
    """
    if child := os.fork():
        return child
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_SECONDS, MOST_SECONDS))
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    true = SourceFileLoader.get_code
    SourceFileLoader.get_code = lambda self, name: (  # type: ignore[method-assign]
        compile(source, self.path, "exec") if Path(self.path) == path else true(self, name)
    )
    folder = ROOT / "tests" / path.parent.name
    own = folder / f"test_{path.stem}.py"
    quiet = ["-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:cov"]
    slow = [f"--ignore={folder / name}" for name in SLOW]
    status = 1
    try:
        status = int(pytest.main([*quiet, str(own)])) if own.is_file() else 0
        status = status or int(pytest.main([*quiet, *slow, str(folder)]))
    finally:
        os._exit(status)


def main(count: str = "200", seed: str = "1") -> int:
    """Print the score by module, and the survivors."""
    for name in PRELOADED.split():
        __import__(name)
    modules = [
        path for part in ("hcert", "policy") for path in (ROOT / "healthcert" / part).glob("*.py")
    ]
    every = [
        (path, number)
        for path in sorted(modules)
        for number in range(len(_unique(ast.parse(path.read_text(encoding="utf-8")))))
    ]
    taken = every if count == "all" else Random(int(seed)).sample(every, int(count))

    for part in ("hcert/cose.py", "policy/values.py"):
        path = ROOT / "healthcert" / part
        if os.waitpid(started(path, path.read_text(encoding="utf-8")), 0)[1]:
            print(f"The tests fail with nothing harmed: {part}")
            return 1
    noticed, tried = counted(taken)
    for name in sorted(tried):
        print(f"{name:24} {noticed[name]:4} of {tried[name]:4}")
    score = noticed.total() / tried.total()
    print(
        f"{noticed.total()} of {tried.total()} noticed ({score:.1%}) of {len(every)}, seed {seed}"
    )
    return 0


def counted(taken: list[tuple[Path, int]]) -> tuple[Counter[str], Counter[str]]:
    """Return how many harms were noticed and tried, by module; print those that were not."""
    noticed, tried = Counter[str](), Counter[str]()
    running: dict[int, tuple[str, str]] = {}
    for place in [*taken, None, None]:  # two at a time
        if len(running) > 1 or (place is None and running):
            child, status = os.wait()
            name, where = running.pop(child)
            tried[name] += 1
            noticed[name] += status != 0
            if status == 0:
                print(f"survived: {where}", flush=True)
        if place is not None:
            source, where = harmed_source(*place)
            name = f"{place[0].parent.name}/{place[0].name}"
            running[started(place[0], source)] = name, where
    return noticed, tried


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
