"""The command ``in9``: the program of the same name, written in Rust."""

from __future__ import annotations

import os
import shutil
import sys

from ._in9 import run_command


def main() -> None:
    """Runs the program on the arguments of this process."""
    started = sys.argv[0]
    # Stages of `in9 reproduce` run as processes of their own, started as this one was.
    program = started if os.access(started, os.X_OK) and not started.endswith(".py") else shutil.which("in9")
    sys.stdout.flush()
    sys.exit(run_command(["in9", *sys.argv[1:]], None if program is None else os.path.abspath(program)))


if __name__ == "__main__":
    main()
