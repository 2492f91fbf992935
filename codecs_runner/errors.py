"""What may go wrong on purpose: every expected failure has a short code for programs and one sentence for people."""


class RunnerError(Exception):
    """An expected failure.

    Args:
        code: stable word a program can test, such as ``silent`` or ``disk_full``.
        sentence: what happened and, where it helps, what to do, for the person who reads it.
    """

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(code, sentence)
        self.code = code
        self.sentence = sentence

    def __str__(self) -> str:
        return self.sentence


class AudioError(RunnerError):
    """A recording that cannot be used; codes are listed in `codecs_runner.audio.inspect_audio`."""


class CodecError(RunnerError):
    """A condition that is unknown, cannot be opened here, or failed on a clip."""


class StoreError(RunnerError):
    """A stimulus that could not be written (``disk_full``, ``not_writable``) or read back (``damaged``)."""
