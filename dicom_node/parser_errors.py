"""What parsers and pixel decoders raise over a broken file: caught a file at a time, so that it harms no other."""

import struct
import zlib

from pydicom.errors import BytesLengthException, InvalidDicomError

PARSER_ERRORS: tuple[type[Exception], ...] = (
    InvalidDicomError,
    BytesLengthException,
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,  # NotImplementedError and RecursionError are two
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)
"""pydicom reads values when they are asked for, so that any of these may come from any attribute."""
