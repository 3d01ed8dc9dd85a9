"""Environment markers of requirements (PEP 508), evaluated for the running interpreter."""

from __future__ import annotations

import os
import platform
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass

_TOKEN = re.compile(
    r"""\s*(?:(\(|\))|(<=|>=|==|!=|~=|<|>|\bnot\s+in\b|\bin\b)|'([^']*)'|"([^"]*)"|([a-z_.A-Z]+))"""
)
_REQUIREMENT = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[([^\]]*)\])?")


@dataclass(frozen=True)
class Requirement:
    """What a distribution needs: a name as written, extras asked of it, a marker or ""."""

    name: str
    extras: tuple[str, ...]
    marker: str


def parse_requirement(text: str) -> Requirement | None:
    """A line of `Requires-Dist`; None when it has no name we can read."""
    found = _REQUIREMENT.match(text)
    if found is None:
        return None
    extras = tuple(extra.strip() for extra in (found[2] or "").split(",") if extra.strip())
    return Requirement(found[1], extras, text.partition(";")[2].strip())


def marker_holds(marker: str, extra: str = "") -> bool:
    """Whether `marker` is true here with that extra.

    One we cannot read counts as true: better a pin too many.
    """
    if not marker:
        return True
    try:
        tokens = _tokens(marker)
        value = _Parser(tokens, {**_environment(), "extra": extra}).either()
        return value if not tokens else True
    except (ValueError, IndexError):
        return True


def _environment() -> Mapping[str, str]:
    version = platform.python_version()
    return {
        "python_version": "%d.%d" % sys.version_info[:2],
        "python_full_version": version,
        "os_name": os.name,
        "sys_platform": sys.platform,
        "platform_machine": platform.machine(),
        "platform_system": platform.system(),
        "platform_release": platform.release(),
        "platform_version": platform.version(),
        "platform_python_implementation": platform.python_implementation(),
        "implementation_name": sys.implementation.name,
        "implementation_version": version,
    }


def _tokens(marker: str) -> list[tuple[str, str]]:
    """Tokens last first, so that the next one is popped."""
    tokens = []
    at = 0
    marker = marker.rstrip()
    while at < len(marker):
        found = _TOKEN.match(marker, at)
        if found is None:
            raise ValueError(marker)
        bracket, operator, single, double, word = found.groups()
        if bracket:
            tokens.append(("bracket", bracket))
        elif operator:
            tokens.append(("operator", re.sub(r"\s+", " ", operator)))
        elif word in ("and", "or"):
            tokens.append(("joint", word))
        elif word:
            tokens.append(("name", word))
        else:
            tokens.append(("text", single if single is not None else double))
        at = found.end()
    return tokens[::-1]


class _Parser:
    """`either`: `both` (or `both`)* · `both`: `one` (and `one`)* · `one`: (`either`) | a operator b."""

    def __init__(self, tokens: list[tuple[str, str]], environment: Mapping[str, str]) -> None:
        self._tokens = tokens
        self._environment = environment

    def either(self) -> bool:
        value = self._both()
        while self._tokens and self._tokens[-1] == ("joint", "or"):
            self._tokens.pop()
            other = self._both()
            value = value or other
        return value

    def _both(self) -> bool:
        value = self._one()
        while self._tokens and self._tokens[-1] == ("joint", "and"):
            self._tokens.pop()
            other = self._one()
            value = value and other
        return value

    def _one(self) -> bool:
        if self._tokens[-1] == ("bracket", "("):
            self._tokens.pop()
            value = self.either()
            if self._tokens.pop() != ("bracket", ")"):
                raise ValueError("bracket")
            return value
        left, is_version = self._operand()
        kind, operator = self._tokens.pop()
        if kind != "operator":
            raise ValueError(operator)
        right, is_version_too = self._operand()
        return _compare(left, operator, right, is_version or is_version_too)

    def _operand(self) -> tuple[str, bool]:
        kind, text = self._tokens.pop()
        if kind == "text":
            return text, False
        if kind != "name" or text not in self._environment:
            raise ValueError(text)
        return self._environment[text], text.endswith("version") and text != "platform_version"


def _compare(left: str, operator: str, right: str, is_version: bool) -> bool:
    if operator == "in":
        return left in right
    if operator == "not in":
        return left not in right
    if is_version:
        if operator == "~=":
            return version_key(left) >= version_key(right) and _starts(left, right.rsplit(".", 1)[0])
        if right.endswith(".*"):
            return _starts(left, right[:-2]) == (operator == "==")
        one, other = version_key(left), version_key(right)
    else:
        one, other = left, right
    return {
        "==": one == other,
        "!=": one != other,
        "<": one < other,
        "<=": one <= other,
        ">": one > other,
        ">=": one >= other,
    }[operator]


def version_key(version: str) -> tuple[int, ...]:
    """A release as comparable numbers, without trailing zeros and what follows them."""
    found = re.match(r"\d+(\.\d+)*", version)
    if found is None:
        raise ValueError(version)
    numbers = [int(part) for part in found[0].split(".")]
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)


def _starts(version: str, prefix: str) -> bool:
    return (version + ".").startswith(prefix + ".")
