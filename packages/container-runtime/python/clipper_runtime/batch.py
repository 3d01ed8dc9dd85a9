"""Runs the function on one batch so that only the inputs that break it fail."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from clipper_runtime.failure import describe_exception
from clipper_runtime.inputs import BadInputError
from clipper_runtime.items import Item, encode_failure, encode_output
from clipper_runtime.model import Model
from clipper_runtime.outputs import BadOutputError, OutputWriter, WrongShapeError, check_outputs


class Cancelled(Protocol):
    """The item ids nobody waits for any more."""

    def __contains__(self, item_id: int) -> bool: ...

    def __len__(self) -> int: ...


@dataclass
class Answer:
    """Encoded outcomes of some items, and the one call that made them (0 inputs without one)."""

    ids: list[int] = field(default_factory=list)
    outcomes: list[bytes] = field(default_factory=list)
    queue_micros: int = 0
    service_micros: int = 0
    batch_size: int = 0

    def fail(self, item: Item, kind: str, text: str) -> None:
        self.ids.append(item.id)
        self.outcomes.append(encode_failure(item.id, kind, text))


#: Told of each exception the function raises: the exception, and the items it was called with.
OnRaised = Callable[[BaseException, Sequence[Item]], None]
#: Told how many inputs the function is called with and how many wait, then 0, 0 when it came back.
OnCall = Callable[[int, int], None]


class BatchRunner:
    """Calls one model's function with batches. Not for two threads at once."""

    def __init__(self, model: Model, outputs: OutputWriter, on_raised: OnRaised, on_call: OnCall) -> None:
        self._model = model
        self._outputs = outputs
        self._on_raised = on_raised
        self._on_call = on_call

    def run(
        self, items: Sequence[Item], arrived_nanos: int, cancelled: Cancelled = frozenset()
    ) -> Iterator[Answer]:
        """Answers every item exactly once. `arrived_nanos`: `time.monotonic_ns()` when the batch was read.

        A batch that raises is called again in halves, and one of the wrong length singly, each while its time
        lasts, and the time that the model's runtime allows.
        """
        waiting: deque[Sequence[Item]] = deque([items])
        again, again_kind = "", ""  # why, and as what, an item failed that is to be called again
        retry_until = math.inf
        while waiting:
            chosen = waiting.popleft()
            now = time.monotonic_ns()
            dropped = Answer(queue_micros=(now - arrived_nanos) // 1000)
            chosen, values = self._ready(chosen, cancelled, again, dropped)
            if again and time.monotonic() >= retry_until:
                for item in chosen:
                    dropped.fail(item, again_kind, f"no time was left to call it alone after {again}")
                chosen = ()
            if dropped.ids:
                yield dropped
            if not chosen:
                continue
            self._on_call(len(chosen), sum(map(len, waiting)))
            started = time.monotonic_ns()
            answer = Answer(queue_micros=(started - arrived_nanos) // 1000, batch_size=len(chosen))
            error: BaseException | None = None
            try:
                result = self._model.call(values)
                answer.service_micros = (time.monotonic_ns() - started) // 1000
                outputs = check_outputs(result, len(chosen))
            except WrongShapeError as wrong:
                again, again_kind = str(wrong), "bad_output"
                retry_until = self._retry_until(retry_until)
                if wrong.returned is not None and len(chosen) > 1:
                    waiting.extendleft([item] for item in reversed(chosen))
                    continue
                for item in chosen:
                    answer.fail(item, "bad_output", again)
            except (
                BaseException
            ) as raised:  # SystemExit and KeyboardInterrupt of the function are its errors, not ours
                error = raised
                answer.service_micros = answer.service_micros or (time.monotonic_ns() - started) // 1000
            else:
                self._write(chosen, outputs, answer)
            finally:
                self._on_call(0, 0)
                values = result = outputs = None  # views into the frame end here
            if error is not None:
                self._on_raised(error, chosen)
                again, again_kind = describe_exception(error, 1024), "model_error"
                retry_until = self._retry_until(retry_until)
                error.__traceback__ = None  # its frames hold the inputs
                error = None
                if len(chosen) > 1:
                    middle = len(chosen) // 2
                    waiting.extendleft((chosen[middle:], chosen[:middle]))
                    continue
                answer.fail(chosen[0], "model_error", again)
            yield answer

    def _retry_until(self, so_far: float) -> float:
        """The first failure of a batch decides, seconds of the monotonic clock."""
        return min(so_far, time.monotonic() + self._model.loaded.retry_seconds)

    def _ready(
        self, items: Sequence[Item], cancelled: Cancelled, again: str, dropped: Answer
    ) -> tuple[Sequence[Item], list]:
        """The items still worth calling, with their values; the others are answered in `dropped`."""
        elapsed = dropped.queue_micros
        read = self._model.inputs.read
        kept: list[Item] = []
        values: list = []
        for item in items:
            if item.remaining_micros <= elapsed:
                text = (
                    f"no time was left to call it alone after {again}"
                    if again
                    else "its deadline passed first"
                )
                dropped.fail(item, "expired", text)
            elif cancelled and item.id in cancelled:
                dropped.fail(item, "cancelled", "nobody waits for it any more")
            else:
                try:
                    values.append(read(item))
                    kept.append(item)
                except BadInputError as error:
                    dropped.fail(item, "bad_input", str(error))
        return kept, values

    def _write(self, items: Sequence[Item], outputs: Sequence[object], answer: Answer) -> None:
        write = self._outputs.write
        for item, output in zip(items, outputs):
            try:
                encoded = encode_output(item.id, write(output))
            except BadOutputError as error:
                encoded = encode_failure(item.id, "bad_output", str(error))
            answer.ids.append(item.id)
            answer.outcomes.append(encoded)
