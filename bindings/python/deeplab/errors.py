"""Exceptions. Each is an `Error` and also the built-in exception that Python programs expect, and its text is the
library's own sentence."""

from __future__ import annotations

from typing import Dict, Type


class Error(Exception):
    """Base of all exceptions of this package. `status` is the library's name of the error."""

    status = "UNKNOWN"


class InvalidArgument(Error, ValueError):
    """An argument is out of range or contradicts another one."""

    status = "INVALID_ARGUMENT"


class InvalidModel(Error, ValueError):
    """The model file is damaged or contradicts itself."""

    status = "INVALID_MODEL"


class Unsupported(Error, NotImplementedError):
    """An op, type, format or option that the library does not handle."""

    status = "UNSUPPORTED"


class IoError(Error, OSError):
    """The system refused to open or read a file. `errno` is not set: the reason is in the text."""

    status = "IO_ERROR"


class NoSuchFile(IoError, FileNotFoundError):
    """There is no file of that name."""


class InvalidImage(Error, ValueError):
    """An image file is damaged."""

    status = "INVALID_IMAGE"


class ResourceExhausted(Error, MemoryError):
    """Out of memory, or over a stated limit."""

    status = "RESOURCE_EXHAUSTED"


class InternalError(Error, RuntimeError):
    """A bug in the library."""

    status = "INTERNAL"


class WouldBlock(Error, TimeoutError):
    """A stream had no room, or no finished picture, in the time given."""

    status = "WOULD_BLOCK"


class StreamEnded(Error, EOFError):
    """A stream takes no more pictures, or all of them have come out."""

    status = "STREAM_ENDED"


class Cancelled(Error, RuntimeError):
    """The stream was flushed while the call waited."""

    status = "CANCELLED"


class DeadlineExceeded(Error, TimeoutError):
    """A picture took longer than `timeout`."""

    status = "DEADLINE_EXCEEDED"


class InvalidState(Error, RuntimeError):
    """A segmenter or stream was used after close() or in a forked process, or a result was asked for something that
    its segmenter no longer knows. Raised by this package; the library has no such status."""

    status = "INVALID_STATE"


#: From the library's status names to exceptions.
BY_STATUS: Dict[str, Type[Error]] = {
    error.status: error
    for error in (
        InvalidArgument,
        InvalidModel,
        Unsupported,
        IoError,
        InvalidImage,
        ResourceExhausted,
        InternalError,
        WouldBlock,
        StreamEnded,
        Cancelled,
        DeadlineExceeded,
    )
}
