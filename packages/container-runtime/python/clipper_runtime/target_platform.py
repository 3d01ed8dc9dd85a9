"""Another platform than this machine's, in the words of uv and pip."""

from __future__ import annotations

from clipper_runtime.failure import Failure

#: glibc 2.28 is older than that of any distribution that still gets updates.
_MACHINES = {"linux/amd64": "x86_64", "linux/arm64": "aarch64"}
_NEWEST_MINOR = 28
_OLDEST_MINOR = 5


class TargetPlatform:
    """`linux/arm64`, with glibc."""

    def __init__(self, name: str) -> None:
        if name not in _MACHINES:
            raise Failure(
                "WHEEL_MISSING",
                f"environments can be made for {' and '.join(_MACHINES)}, not for {name}",
                facts={"platform": name},
            )
        self.name = name
        self._machine = _MACHINES[name]

    @property
    def uv_arguments(self) -> tuple[str, ...]:
        return ("--python-platform", f"{self._machine}-manylinux_2_{_NEWEST_MINOR}")

    @property
    def pip_arguments(self) -> tuple[str, ...]:
        """Unlike uv, pip takes no tag to mean the older ones too."""
        minors = range(_NEWEST_MINOR, _OLDEST_MINOR - 1, -1)
        tags = [f"manylinux_2_{minor}_{self._machine}" for minor in minors]
        legacy = [f"manylinux{year}_{self._machine}" for year in ("2014", "2010", "1")]
        return tuple(word for tag in (*tags, *legacy) for word in ("--platform", tag))
