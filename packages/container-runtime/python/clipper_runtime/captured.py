"""What a function captures, with sizes, and the way to what cannot be pickled."""

from __future__ import annotations

import types
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from clipper_runtime.failure import describe_exception
from clipper_runtime.pickling import closure_values, names_of_code, pickled_bytes

_LARGEST = 20
_MOST_STEPS = 2_000
_MOST_ELEMENTS = 10_000

#: Tells whether a function or class travels by reference, so that what it holds does not matter.
ByReference = Callable[[Any], bool]


def list_captured(function: Any, by_reference: ByReference) -> list[dict[str, Any]]:
    """The largest 20 captured objects, helpers' own included: `{name, type, bytes}`, largest first."""
    found: list[dict[str, Any]] = []
    seen = {id(function)}
    waiting = [(_name_of(function), function)]
    while waiting:
        path, holder = waiting.pop(0)
        for step, value in children(holder, by_reference):
            if id(value) in seen:
                continue
            seen.add(id(value))
            name = f"{path} → {step}"
            if isinstance(value, (types.FunctionType, types.MethodType)):
                if not by_reference(value):
                    waiting.append((name, value))
            elif not isinstance(value, (types.ModuleType, types.BuiltinFunctionType, type)):
                found.append({"name": name, "type": type_name(value), "bytes": pickled_bytes(value)})
    found.sort(key=lambda one: (-one["bytes"], one["name"]))
    return found[:_LARGEST]


def find_unpicklable(function: Any, by_reference: ByReference) -> tuple[str, str, str] | None:
    """The way to the innermost thing that cannot be pickled: its path, its type, and what pickling it says.

    None when no part of the function fails alone.
    """
    if _failure(function) is None:
        return None
    path, value = [_name_of(function)], function
    seen: set[int] = set()
    steps = 0
    while True:
        seen.add(id(value))
        for step, child in children(value, by_reference):
            steps += 1
            if id(child) not in seen and steps < _MOST_STEPS and _failure(child) is not None:
                path.append(step)
                value = child
                break
        else:
            return (
                " → ".join(path),
                type_name(value),
                describe_exception(_failure(value) or ValueError(), 500),
            )


def children(value: Any, by_reference: ByReference) -> Iterator[tuple[str, Any]]:
    """What pickling `value` would pickle next, each with the step that leads to it."""
    if isinstance(value, types.FunctionType):
        if not by_reference(value):
            yield from _of_function(value)
    elif isinstance(value, types.MethodType):
        yield "self", value.__self__
        yield from children(value.__func__, by_reference)
    elif isinstance(value, type):
        if not by_reference(value):
            yield from ((name, one) for name, one in vars(value).items() if not name.startswith("__"))
    elif isinstance(value, Mapping):
        for index, (key, one) in enumerate(list(value.items())[:_MOST_ELEMENTS]):
            yield f"[{_short(key)}]", one
            yield f"key {index}", key
    elif isinstance(value, (list, tuple, set, frozenset)):
        yield from ((f"[{index}]", one) for index, one in enumerate(list(value)[:_MOST_ELEMENTS]))
    elif not isinstance(value, (types.ModuleType, str, bytes, int, float)) and not is_sparks(value):
        yield from _of_instance(value)


def is_sparks(value: Any) -> bool:
    """Whether it is an object of PySpark's, whose insides, locks and sockets to Java, tell a user nothing."""
    return type(value).__module__.startswith(("pyspark.", "py4j."))


def type_name(value: Any) -> str:
    kind = type(value)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _of_function(function: types.FunctionType) -> Iterator[tuple[str, Any]]:
    yield from closure_values(function)
    names = sorted(names_of_code(function.__code__))
    yield from ((name, function.__globals__[name]) for name in names if name in function.__globals__)
    yield from ((f"default {index}", one) for index, one in enumerate(function.__defaults__ or ()))
    yield from ((f"default {name}", one) for name, one in (function.__kwdefaults__ or {}).items())
    yield from vars(function).items()


def _of_instance(value: Any) -> Iterator[tuple[str, Any]]:
    try:
        state = value.__getstate__() if hasattr(value, "__getstate__") else vars(value)
    except Exception:
        state = getattr(value, "__dict__", None)
    if isinstance(state, tuple) and len(state) == 2 and isinstance(state[1], Mapping):
        state = {**(state[0] or {}), **state[1]}  # an instance with slots
    if isinstance(state, Mapping):
        yield from ((str(name), one) for name, one in list(state.items())[:_MOST_ELEMENTS])
    elif state is not None and state is not value:
        yield "state", state


def _failure(value: Any) -> BaseException | None:
    try:
        pickled_bytes(value)
    except Exception as error:
        return error
    return None


def _name_of(function: Any) -> str:
    return getattr(function, "__qualname__", None) or type(function).__qualname__


def _short(key: Any) -> str:
    text = repr(key) if isinstance(key, (str, int, float, bool, bytes)) else type_name(key)
    return text if len(text) <= 60 else text[:59] + "…"
