"""The version. This file imports nothing, because the build reads it where torch cannot be imported."""

__version__ = "0.1.0"
