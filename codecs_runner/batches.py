"""A stream of clips through one neural model on a GPU: bucketed by shape, one batch computed while the next is prepared."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from codecs_runner.codecs.base import CodecError, Coded, Condition, Signal
from codecs_runner.model_codec import ModelCodec, Pending

WAITING = 256  # clips held back until their bucket is full, at most

Tag = TypeVar("Tag")
Bucket = tuple[tuple[int, int], tuple[Condition, ...]]


@dataclass(frozen=True)
class Clip(Generic[Tag]):
    """``samples`` at the model's rate, the conditions it is wanted in, and what the caller knows it by."""

    samples: Signal
    conditions: tuple[Condition, ...]
    tag: Tag


def code_stream(
    codec: ModelCodec, clips: Iterable[Clip[Tag]], waiting: int = WAITING
) -> Iterator[tuple[Clip[Tag], Sequence[Coded] | CodecError]]:
    """Code clips in batches, in whatever order fills them; each comes back once, with a result for each of its conditions.

    A batch starts when its bucket is full; when ``waiting`` clips are held, the fullest bucket goes. The next batch is started
    before the last one's results are taken, so the device does not wait for the CPU. A batch that fails (memory, say) is coded
    again clip by clip, and a clip that fails alone comes back with its error.
    """
    buckets: dict[Bucket, list[Clip[Tag]]] = {}
    running: deque[tuple[list[Clip[Tag]], Pending | CodecError]] = deque()
    n_held = 0
    for clip in clips:
        shape = codec.shape(len(clip.samples))
        key = (shape, clip.conditions)
        buckets.setdefault(key, []).append(clip)
        n_held += 1
        full = key if len(buckets[key]) >= shape[0] else None
        if full is None and n_held >= waiting:
            full = max(buckets, key=lambda bucket: len(buckets[bucket]))
        if full is not None:
            batch = buckets.pop(full)
            n_held -= len(batch)
            running.append((batch, _launch(codec, batch)))
            if len(running) > 1:
                yield from _collect(codec, *running.popleft())
    for batch in buckets.values():
        running.append((batch, _launch(codec, batch)))
        if len(running) > 1:
            yield from _collect(codec, *running.popleft())
    while running:
        yield from _collect(codec, *running.popleft())


def _launch(codec: ModelCodec, batch: Sequence[Clip[Tag]]) -> Pending | CodecError:
    try:
        return codec.launch([clip.samples for clip in batch], batch[0].conditions)
    except CodecError as error:
        return error


def _collect(
    codec: ModelCodec, batch: Sequence[Clip[Tag]], pending: Pending | CodecError
) -> Iterator[tuple[Clip[Tag], Sequence[Coded] | CodecError]]:
    error = pending if isinstance(pending, CodecError) else None
    if isinstance(pending, Pending):
        try:
            yield from zip(batch, codec.collect(pending), strict=True)
            return
        except CodecError as failed:
            error = failed
    if error is not None and len(batch) == 1:
        yield batch[0], error
        return
    for clip in batch:
        try:
            [coded] = codec.code_many([clip.samples], clip.conditions)
        except CodecError as failed:
            yield clip, failed
        else:
            yield clip, coded
