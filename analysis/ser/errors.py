"""What can be wrong with a model, its weights or what it is asked to judge, in a sentence for people."""


class SerError(ValueError):
    """The message is one sentence or two: what is wrong and what to do."""
