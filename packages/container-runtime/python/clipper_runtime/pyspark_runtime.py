"""Serving a PySpark model: one session and one model, up before the replica says that it is ready."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from clipper_runtime.bundle import MODEL, MODULES, Bundle
from clipper_runtime.model import Loaded, OnLost
from clipper_runtime.pyspark_saved_model import load_saved_model
from clipper_runtime.pyspark_session import Session, read_spark_settings, start_session
from clipper_runtime.pyspark_versions import Triple, check_triple, find_java, installed_pyspark, python_minor

#: A call costs hundreds of milliseconds whatever its size: a batch that fails is not looked into for longer.
RETRY_SECONDS = 5.0
#: The first call takes ten times as long as those after a few: it loads classes and compiles plans.
WARM_UP = (1, 8, 64, 1)


def load_pyspark(bundle: Bundle, load_function: Callable[[Bundle], Callable[..., Any]]) -> Loaded:
    """Starts the session and loads the model by its own class.

    Raises Failure: PYTHON_MISMATCH, PYSPARK_MISMATCH, JAVA_MISMATCH, JAVA_MISSING, MODULE_MISSING,
    SPARK_FAILED, BUNDLE_INVALID.
    """
    settings = read_spark_settings(os.environ)
    pyspark = installed_pyspark()
    java = find_java(pyspark)
    check_triple(Triple.of_manifest(bundle.manifest), Triple(python_minor(), pyspark, java.major))
    function = load_function(bundle)
    modules = str((bundle.directory / MODULES).absolute())
    session = start_session(f"clipper {bundle.model}:{bundle.version}", java, settings, modules=modules)
    try:
        name = bundle.manifest["pyspark"]["modelClass"]
        model = load_saved_model(session.spark, name, bundle.directory / MODEL)
    except BaseException:
        session.stop()
        raise
    served = _Served(session, model, function)
    return Loaded(served.call, session.stop, served.watch, RETRY_SECONDS, WARM_UP)


class _Served:
    def __init__(self, session: Session, model: Any, function: Callable[..., Any]) -> None:
        self._session = session
        self._model = model
        self._function = function
        self._on_lost: OnLost | None = None

    def watch(self, on_lost: OnLost) -> None:
        self._on_lost = on_lost
        self._session.watch(on_lost)

    def call(self, inputs: list) -> Any:
        try:
            return self._function(self._session.spark, self._model, inputs)
        except BaseException:
            if self._on_lost is not None:
                # before the batch is answered as the model's fault: another replica can still answer it
                reason = self._session.why_lost()
                if reason is not None:
                    self._on_lost(reason)
            raise
