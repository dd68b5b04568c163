"""How the build ends where it cannot go on: with one line that says what to do."""

from __future__ import annotations


class BuildError(SystemExit):
    """One line for the person who installs."""

    def __init__(self, message: str) -> None:
        super().__init__(f"ebgan-kernels: {message}")


def reason_of(output: str) -> str:
    """What to do about a failed CMake run, in one line."""
    missing = ("No CMAKE_CXX_COMPILER could be found", "compiler specified in the environment variable CXX")
    if any(mark in output for mark in missing) or (
        "C++ compiler" in output and "is not able to compile" in output
    ):
        return "no working C++ compiler; install one (apt-get install g++), or set CXX to one"
    marker = "ebgan-kernels: "
    if marker in output:
        after = output[output.rindex(marker) + len(marker) :]
        # CMake wraps the message, and ends it by an empty line or by the places that it came through.
        return " ".join(after.split("\n\n")[0].split("\nCall Stack")[0].split())
    return "the native build failed; the compiler's message is above"
