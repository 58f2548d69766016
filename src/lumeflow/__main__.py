"""Entry point of the command line: `lumeflow …` and `python -m lumeflow …`."""

import sys

VERSION_WORDS = (["--version"], ["-V"], ["version"])
INTERRUPTED = 130
"""128 + SIGINT, as shells have it."""


def main() -> int:
    """Run the command that `sys.argv` names; returns the exit code.

    The version is told before anything heavy is imported: scripts ask for it in a loop.
    """
    if sys.argv[1:] in VERSION_WORDS:
        from lumeflow.cli.installed import version

        sys.stdout.write(f"lumeflow {version()}\n")
        return 0
    try:
        from lumeflow.cli.main import run

        return run(sys.argv[1:])
    except KeyboardInterrupt:  # before there was anything to stop
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
