"""What services raise when a person asked for something that cannot be done."""


class ServiceError(Exception):
    """A request that cannot be fulfilled; the message is a sentence for the person who asked."""
