"""The version, in a file that imports nothing: the build reads it where torch cannot be imported."""

__version__ = "0.1.0"
