"""Runs the function on one batch so that only the inputs that break it fail."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from clipper_runtime.failure import clip_text, describe_exception
from clipper_runtime.inputs import BadInputError
from clipper_runtime.items import MAX_ERROR_TEXT_BYTES, STATUS_ERROR, Item, Part
from clipper_runtime.model import Model
from clipper_runtime.outputs import BadOutputError, OutputWriter, WrongShapeError, check_outputs


class Cancelled(Protocol):
    """The item ids nobody waits for any more."""

    def __contains__(self, item_id: int) -> bool: ...

    def __len__(self) -> int: ...


@dataclass
class Answer:
    """Outcomes of some items of a batch, and the one call that made them (0 inputs when there was none)."""

    items: list[Item] = field(default_factory=list)
    queue_micros: int = 0
    service_micros: int = 0
    batch_size: int = 0


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

        A batch that raises is called again in halves, and one of the wrong length singly, each while its time lasts.
        """
        waiting: deque[Sequence[Item]] = deque([items])
        again = ""  # why an item that is expired now was not answered by its first call
        while waiting:
            chosen = waiting.popleft()
            now = time.monotonic_ns()
            dropped: list[Item] = []
            chosen, values = self._ready(chosen, now - arrived_nanos, cancelled, again, dropped)
            if dropped:
                yield Answer(dropped, queue_micros=(now - arrived_nanos) // 1000)
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
                again = str(wrong)
                if wrong.returned is not None and len(chosen) > 1:
                    waiting.extendleft([item] for item in reversed(chosen))
                    continue
                answer.items = [failed(item, "bad_output", again) for item in chosen]
            except (
                BaseException
            ) as raised:  # SystemExit and KeyboardInterrupt of the function are its errors, not ours
                error = raised
                answer.service_micros = answer.service_micros or (time.monotonic_ns() - started) // 1000
            else:
                answer.items = [self._outcome(item, output) for item, output in zip(chosen, outputs)]
            finally:
                self._on_call(0, 0)
                values = result = outputs = None  # views into the frame end here
            if error is not None:
                self._on_raised(error, chosen)
                again = describe_exception(error, 1024)
                error.__traceback__ = None  # its frames hold the inputs
                error = None
                if len(chosen) > 1:
                    middle = len(chosen) // 2
                    waiting.extendleft((chosen[middle:], chosen[:middle]))
                    continue
                answer.items = [failed(chosen[0], "model_error", again)]
            yield answer

    def _ready(
        self,
        items: Sequence[Item],
        elapsed_nanos: int,
        cancelled: Cancelled,
        again: str,
        dropped: list[Item],
    ) -> tuple[Sequence[Item], list]:
        """The items still worth calling, with their values; the others' outcomes go to `dropped`."""
        elapsed = elapsed_nanos // 1000
        kept: list[Item] = []
        values: list = []
        for item in items:
            if item.remaining_micros <= elapsed:
                text = (
                    f"no time was left to call it alone after {again}"
                    if again
                    else "its deadline passed first"
                )
                dropped.append(failed(item, "expired", text))
            elif cancelled and item.id in cancelled:
                dropped.append(failed(item, "cancelled", "nobody waits for it any more"))
            else:
                try:
                    values.append(self._model.inputs.read(item))
                    kept.append(item)
                except BadInputError as error:
                    dropped.append(failed(item, "bad_input", str(error)))
        return kept, values

    def _outcome(self, item: Item, output: object) -> Item:
        try:
            return Item(item.id, parts=(Part("output", "BYTES", (), self._outputs.write(output)),))
        except BadOutputError as error:
            return failed(item, "bad_output", str(error))


def failed(item: Item, kind: str, text: str) -> Item:
    """The outcome of an item that failed, with a text of at most 4,096 bytes."""
    return Item(item.id, status=STATUS_ERROR, kind=kind, error_text=clip_text(text, MAX_ERROR_TEXT_BYTES))
