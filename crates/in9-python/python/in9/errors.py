"""What can go wrong, by who is at fault. Each error is one line: what, what was expected, what was found."""

from __future__ import annotations


class In9Error(Exception):
    """Any error of this package."""


class FileError(In9Error, OSError):
    """A file or folder cannot be read or written, or belongs to somebody else; or the machine has no more to give."""


class DataError(In9Error):
    """What stands in a file is damaged, of another kind or version, or does not belong."""


class ArgumentError(In9Error, ValueError):
    """An argument that nothing can be done with."""


class ModelError(In9Error, RuntimeError):
    """A model that cannot be asked, or whose answers are not what they should be."""
