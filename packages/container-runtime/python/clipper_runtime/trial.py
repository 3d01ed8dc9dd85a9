"""Running the bundle's sample, as warm-up of a replica and as preflight."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable

from clipper_runtime.failure import Failure, describe_exception
from clipper_runtime.inputs import sample_item
from clipper_runtime.model import Model, module_missing
from clipper_runtime.outputs import BadOutputError, OutputWriter, WrongShapeError, check_outputs

_LAST_LINES = 20


def try_sample(model: Model, batch_size: int, warn: Callable[[str], None]) -> tuple[list[str], int]:
    """Calls the function with `batch_size` times the sample. Returns the outputs and µs inside the function.

    Raises Failure: MODULE_MISSING, PREFLIGHT_FAILED (it raised), BAD_OUTPUT (both counts), INVALID_SAMPLE.
    """
    bundle = model.bundle
    item = sample_item(bundle.input_type, bundle.sample)
    values = [model.inputs.read(item) for _ in range(batch_size)]
    writer = OutputWriter(warn)
    started = time.monotonic_ns()
    try:
        result = model.call(values)
        micros = (time.monotonic_ns() - started) // 1000
        outputs = [writer.write(output).decode() for output in check_outputs(result, batch_size)]
    except (WrongShapeError, BadOutputError) as error:
        raise Failure(
            "BAD_OUTPUT",
            f"run on the sample, {error}",
            hint="return a list with one string per input, in the inputs' order",
            facts={"inputs": batch_size, "outputs": getattr(error, "returned", None)},
        ) from error
    except ImportError as error:
        raise module_missing(error) from error
    except BaseException as error:  # whatever the user's function raises, SystemExit too
        lines = "".join(traceback.format_exception(type(error), error, error.__traceback__)).splitlines()
        raise Failure(
            "PREFLIGHT_FAILED",
            f"the function raised {describe_exception(error, 1024)} on the sample (batch of {batch_size})",
            facts={
                "exception": type(error).__name__,
                "message": describe_exception(error, 1024),
                "batchSize": batch_size,
                "traceback": lines[-_LAST_LINES:],
            },
        ) from error
    return outputs, micros
