"""The user's own index, wheelhouse and certificate settings, so that uv finds what pip would find."""

from __future__ import annotations

import configparser
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

#: pip's option to the variable by which uv is told the same.
_UV_VARIABLES = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "no-index": "UV_NO_INDEX",
    "trusted-host": "UV_INSECURE_HOST",
    "cert": "SSL_CERT_FILE",
}
_OLDER_NAMES = {"UV_DEFAULT_INDEX": "UV_INDEX_URL", "UV_INDEX": "UV_EXTRA_INDEX_URL"}


def uv_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """`environ`, with what pip was told wherever uv was told nothing itself."""
    result = dict(environ)
    options = pip_options(environ)
    for option, variable in _UV_VARIABLES.items():
        value = options.get(option, "").strip()
        if not value or variable in environ or _OLDER_NAMES.get(variable, variable) in environ:
            continue
        if option == "find-links":
            # uv ends at a directory that is not there, where pip goes on
            places = [one for one in value.split() if "://" in one or os.path.isdir(one)]
            value = ",".join(places)
        elif option == "no-index":
            value = "1" if value.lower() in ("1", "true", "yes", "on") else ""
        elif option == "extra-index-url":
            value = " ".join(value.split())
        if value:
            result[variable] = value
    return result


def pip_options(environ: Mapping[str, str]) -> dict[str, str]:
    """pip's options of interest: configuration files in pip's own order, then its `PIP_…` variables."""
    found: dict[str, str] = {}
    for path in _configuration_files(environ):
        parser = configparser.RawConfigParser()
        try:
            parser.read(path, encoding="utf-8")
        except (configparser.Error, UnicodeDecodeError):
            continue  # pip will say so itself when it is asked
        for section in ("global", "install"):
            if parser.has_section(section):
                found.update((key.replace("_", "-"), value) for key, value in parser.items(section))
    for option in _UV_VARIABLES:
        variable = "PIP_" + option.upper().replace("-", "_")
        if variable in environ:
            found[option] = environ[variable]
    return found


def _configuration_files(environ: Mapping[str, str]) -> Iterator[Path]:
    named = environ.get("PIP_CONFIG_FILE")
    if named == os.devnull:
        return
    yield Path("/etc/pip.conf")
    home = Path.home()
    yield home / ".pip" / "pip.conf"
    if sys.platform == "darwin":
        yield home / "Library" / "Application Support" / "pip" / "pip.conf"
    yield Path(environ.get("XDG_CONFIG_HOME") or home / ".config") / "pip" / "pip.conf"
    yield Path(sys.prefix) / "pip.conf"
    if named:
        yield Path(named)
