"""Models as Spark itself saves and loads them: which class reads a directory, writing one, and reading it again."""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clipper_runtime.failure import Failure, describe_exception
from clipper_runtime.markers import version_key

#: Names that Spark writes where PySpark has the class elsewhere.
_PYTHON_CLASSES = {
    "pyspark.mllib.clustering.LocalLDAModel": "pyspark.mllib.clustering.LDAModel",
    "pyspark.mllib.clustering.DistributedLDAModel": "pyspark.mllib.clustering.LDAModel",
}
_SPARKS = "org.apache.spark."
_METADATA_LIMIT_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True)
class SavedClass:
    """`spark_version` is that of the Spark that saved it, where it says so; RDD-based models do not.

    `foreign` are classes of the user's own that Spark will import to load a part of it.
    """

    name: str
    spark_version: str | None
    foreign: tuple[str, ...]


def read_saved_class(directory: Path, name: str | None = None) -> SavedClass:
    """What the files of a saved model say of it. `name` is a class to use whatever they say.

    Raises Failure CAPTURE_FAILED when the directory holds no model that Spark saved.
    """
    parts = list(_all_metadata(directory))
    root = next((metadata for path, metadata in parts if path.parent.parent == directory), None)
    if root is None:
        raise Failure(
            "CAPTURE_FAILED",
            f"{directory} is no model saved by Spark: it has no metadata that tells a class",
            hint="name the directory that model.save(…) wrote, on this machine",
            facts={"directory": str(directory)},
        )
    classes = [str(metadata["class"]) for _, metadata in parts]
    return SavedClass(
        name or _python_class(str(root["class"])),
        root.get("sparkVersion") if isinstance(root.get("sparkVersion"), str) else None,
        tuple(sorted({one for one in classes if not one.startswith((_SPARKS, "pyspark."))})),
    )


def check_saved_by(saved: SavedClass, pyspark: str) -> str | None:
    """Raises Failure PYSPARK_MISMATCH for a model of a newer Spark; returns a warning for an older one."""
    if saved.spark_version is None:
        return None
    theirs, ours = _line_of(saved.spark_version), _line_of(pyspark)
    told = f"the model was saved by Spark {saved.spark_version}, and PySpark {pyspark} is installed here"
    if theirs > ours:
        raise Failure(
            "PYSPARK_MISMATCH",
            f"{told}: an older Spark does not read what a newer one saved",
            hint=f"name an interpreter with pyspark=={saved.spark_version}, or save the model again",
            facts={"model": saved.spark_version, "here": pyspark},
        )
    return f"{told}; save it again by the one it is served by" if theirs < ours else None


def import_model_class(name: str) -> Any:
    """A class of PySpark's own that can be loaded. Raises Failure CAPTURE_FAILED."""
    module, _, attribute = name.rpartition(".")
    found = None
    if re.fullmatch(r"pyspark(\.[A-Za-z_]\w*)*", module):
        try:
            found = getattr(importlib.import_module(module), attribute, None)
        except ModuleNotFoundError as error:
            if not module.startswith(error.name or "?"):
                raise Failure(
                    "MODULE_MISSING",
                    f"{name} cannot be imported: {describe_exception(error)}",
                    hint=f"install {error.name} beside pyspark",
                    facts={"module": error.name},
                ) from error
    if isinstance(found, type) and found.__module__.startswith("pyspark.") and hasattr(found, "load"):
        return found
    raise Failure(
        "CAPTURE_FAILED",
        f"{name} is no model class of PySpark's that can load what Spark saved",
        hint="name the class by modelClass (--model-class): pyspark.ml.PipelineModel, for one",
        facts={"modelClass": name},
    )


def class_of_model(model: Any) -> str:
    """The dotted name of a live model's class. Raises Failure CAPTURE_FAILED for what cannot be saved."""
    kind = type(model)
    name = f"{kind.__module__}.{kind.__qualname__}"
    if not kind.__module__.startswith("pyspark."):
        raise _not_a_model(f"{name} is no model of PySpark's", "return the model that fit(…) gave")
    if kind.__module__.startswith("pyspark.sql.connect."):
        raise _not_a_model(f"{name} belongs to Spark Connect", "train it in a session on this machine")
    if hasattr(model, "fit"):
        raise _not_a_model(f"{name} is not fitted", "call fit(…), and hand over the model it returns")
    if not hasattr(model, "save") or not hasattr(kind, "load"):
        raise _not_a_model(
            f"{name} has no save and load",
            "PySpark cannot save every model of the RDD-based API; spark.ml has one of its kind that it can",
        )
    return name


def save_model(spark: Any, model: Any, directory: Path) -> None:
    """Writes the model by Spark's own writer. Raises Failure CAPTURE_FAILED."""
    try:
        if _is_rdd_based(class_of_model(model)):
            model.save(spark.sparkContext, _url(directory))
        else:
            model.save(_url(directory))
    except Failure:
        raise
    except Exception as error:
        raise Failure(
            "CAPTURE_FAILED",
            f"Spark could not save the {type(model).__name__}: {describe_exception(error, 2048)}",
        ) from error
    if not (directory / "metadata").is_dir():
        raise Failure(
            "CAPTURE_FAILED",
            f"Spark saved the {type(model).__name__} on another machine than this one",
            hint="save it to storage that both see, copy it here, and deploy it by its path",
        )


def load_saved_model(spark: Any, name: str, directory: Path) -> Any:
    """Raises Failure BUNDLE_INVALID with what Spark said."""
    try:
        model_class = import_model_class(name)
        if _is_rdd_based(name):
            return model_class.load(spark.sparkContext, _url(directory))
        return model_class.load(_url(directory))
    except BaseException as error:  # a stage of the user's own may raise anything, SystemExit too
        raise Failure(
            "BUNDLE_INVALID", f"Spark could not load the {name}: {describe_exception(error, 2048)}"
        ) from error


def _line_of(version: str) -> tuple[int, ...]:
    """`(4, 0)` of 4.0.5: within a line of releases each reads what another saved."""
    return (*version_key(version), 0, 0)[:2]


def _is_rdd_based(name: str) -> bool:
    return name.startswith("pyspark.mllib.")


def _url(directory: Path) -> str:
    # said in full, because a plain path means Spark's default file system; not quoted, because Spark does not unquote
    return f"file://{directory.absolute()}"


def _python_class(name: str) -> str:
    python = name.replace(_SPARKS, "pyspark.", 1) if name.startswith(_SPARKS) else name
    python = python.replace("pyspark.mllib.tree.model.", "pyspark.mllib.tree.")
    return _PYTHON_CLASSES.get(python, python)


def _all_metadata(directory: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Each `metadata/part-…` below, the first line of which is JSON with a class."""
    for path in sorted(directory.rglob("metadata/part-*")):
        if path.is_file() and path.stat().st_size <= _METADATA_LIMIT_BYTES:
            try:
                metadata = json.loads(path.read_text("utf-8").partition("\n")[0])
            except ValueError:
                continue  # an empty part, or a file of somebody else's
            if isinstance(metadata, dict) and isinstance(metadata.get("class"), str):
                yield path, metadata


def _not_a_model(message: str, hint: str) -> Failure:
    return Failure("CAPTURE_FAILED", message, hint=hint)
