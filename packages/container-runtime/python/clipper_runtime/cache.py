"""Where this package keeps what it fetched, and doing things there once however many processes want them."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path


def cache_directory() -> Path:
    """`$CLIPPER_CACHE`, else `clipper` below the user's cache directory."""
    if configured := os.environ.get("CLIPPER_CACHE"):
        return Path(configured)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "clipper"


@contextlib.contextmanager
def held_lock(path: Path) -> Iterator[None]:
    """Waits until no other process holds `path`.

    The kernel lets go of it when its holder ends, in whatever way.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "a+b") as file:
        try:
            import fcntl
        except (
            ImportError
        ):  # not on this platform: two makers then do the work twice, and the later rename wins
            yield
            return
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def make_directory(target: Path, fill: Callable[[Path], None]) -> None:
    """`fill`s a temporary directory beside `target` and renames it there: wholly there or not at all."""
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        os.chmod(temporary, 0o755)
        fill(temporary)
        if target.exists():
            old = temporary.with_name(temporary.name + "-old")
            os.rename(target, old)
            os.rename(temporary, target)
            shutil.rmtree(old, ignore_errors=True)
        else:
            os.rename(temporary, target)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
