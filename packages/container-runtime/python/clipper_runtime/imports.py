"""Imports a piece of code may run, read without running it: from source and from compiled code."""

from __future__ import annotations

import ast
import dis
import pickletools
import types
from collections.abc import Iterator

#: Calls that cloudpickle writes with a module's name as their argument.
_SUBIMPORTS = frozenset({"cloudpickle.cloudpickle subimport", "cloudpickle.cloudpickle_fast subimport"})


def imports_of_source(source: bytes, module: str, is_package: bool, path: str) -> Iterator[tuple[str, bool]]:
    """Dotted names the module imports anywhere, and whether each is optional (its ImportError is caught).

    `from a import b` gives `a` and, as optional, `a.b`: b may be a module. Imports for type checkers are left
    out. Raises SyntaxError.
    """
    package = module if is_package else module.rpartition(".")[0]
    yield from _walk(ast.parse(source, path).body, package, False)


def imports_of_code(code: types.CodeType, package: str) -> Iterator[tuple[str, bool]]:
    """As `imports_of_source`, for a function's own code and all that is nested in it."""
    level, names = 0, ()
    constants: list = []
    for instruction in dis.get_instructions(code):
        if instruction.opname in ("LOAD_CONST", "LOAD_SMALL_INT"):
            constants.append(instruction.argval)
        elif instruction.opname == "IMPORT_NAME":
            level, names = (constants[-2], constants[-1] or ()) if len(constants) >= 2 else (0, ())
            yield from _imported(instruction.argval, names, level, package, False)
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from imports_of_code(constant, package)


def modules_of_pickle(raw: bytes) -> Iterator[str]:
    """Modules that loading the pickle imports. Nothing is loaded: only its opcodes are read."""
    memo: dict[int, str] = {}
    texts: list[str] = []  # the last strings and globals pushed, the newest last
    wants_name = False  # a module's name follows: subimport's argument
    for opcode, argument, _ in pickletools.genops(raw):
        name = opcode.name
        pushed: str | None = None
        if name in ("SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8", "UNICODE"):
            pushed = argument
        elif name in ("BINGET", "LONG_BINGET", "GET"):
            pushed = memo.get(int(argument))
        elif name == "MEMOIZE":
            memo[len(memo)] = texts[-1] if texts else ""
        elif name in ("PUT", "BINPUT", "LONG_BINPUT"):
            memo[int(argument)] = texts[-1] if texts else ""
        elif name == "GLOBAL":
            pushed = argument
            yield argument.partition(" ")[0]
        elif name == "STACK_GLOBAL" and len(texts) >= 2:
            pushed = f"{texts[-2]} {texts[-1]}"
            yield texts[-2]
        elif name not in ("FRAME", "PROTO"):
            texts.append("")  # anything else that may be memoized next
        if pushed is not None:
            if wants_name and " " not in pushed:
                yield pushed
            wants_name = pushed in _SUBIMPORTS
            texts.append(pushed)
        del texts[:-4]


def _walk(nodes: list[ast.stmt], package: str, is_optional: bool) -> Iterator[tuple[str, bool]]:
    for node in nodes:
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield from _imported(alias.name, (), 0, package, is_optional)
        elif isinstance(node, ast.ImportFrom):
            names = tuple(alias.name for alias in node.names)
            yield from _imported(node.module or "", names, node.level, package, is_optional)
        elif isinstance(node, ast.If) and _is_for_type_checkers(node.test):
            yield from _walk(node.orelse, package, is_optional)
        elif isinstance(node, ast.Try):
            forgiving = is_optional or any(_catches_import_error(handler) for handler in node.handlers)
            yield from _walk(node.body, package, forgiving)
            for handler in node.handlers:
                yield from _walk(handler.body, package, forgiving)
            yield from _walk(node.orelse + node.finalbody, package, is_optional)
        else:
            for field in ("body", "orelse", "finalbody"):
                inner = getattr(node, field, None)
                if isinstance(inner, list):
                    yield from _walk(inner, package, is_optional)
            for case in getattr(node, "cases", ()):
                yield from _walk(case.body, package, is_optional)


def _imported(
    name: str, names: tuple[str, ...], level: int, package: str, is_optional: bool
) -> Iterator[tuple[str, bool]]:
    if level:
        parts = package.split(".") if package else []
        base = parts[: len(parts) - level + 1]
        name = ".".join(base + ([name] if name else []))
    if not name:
        return
    yield name, is_optional
    for inner in names:
        if inner != "*":
            yield f"{name}.{inner}", True


def _is_for_type_checkers(test: ast.expr) -> bool:
    return (isinstance(test, ast.Name) and test.id == "TYPE_CHECKING") or (
        isinstance(test, ast.Attribute) and test.attr == "TYPE_CHECKING"
    )


def _catches_import_error(handler: ast.ExceptHandler) -> bool:
    if handler.type is None:
        return True
    caught = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    names = {node.id for node in caught if isinstance(node, ast.Name)}
    return bool(names & {"ImportError", "ModuleNotFoundError", "Exception", "BaseException"})
