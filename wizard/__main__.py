"""Where the process starts: nothing but the way to the command line, quiet also when Ctrl+C comes while it loads."""

from __future__ import annotations

import gc
import os
import sys

from wizard.errors import ExitCode


def main() -> None:
    """The entry point of `rag-wizard` and of `python -m wizard`."""
    # Loading makes many objects that stay: collecting in between costs a tenth of a short command's time. Whatever
    # runs for long turns collection on again. Plugins of pydantic are looked for in every installed package.
    gc.disable()
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    try:
        from wizard.cli import main as run

        code = run()
    except KeyboardInterrupt:
        code = ExitCode.INTERRUPTED
    sys.exit(code)


if __name__ == "__main__":
    main()
