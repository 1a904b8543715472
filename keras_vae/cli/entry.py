"""From the command line to one command: its errors in one line, its warnings as notes."""

import importlib
import sys
import warnings

from keras_vae.cli.messages import note
from keras_vae.cli.parser import parse


def main(argv=None):
    """Runs one command of `keras-vae`; `keras-vae --help` lists them.

    Args:
        argv: list of str, the arguments after the command's name, or None for the command line. Default: None.

    Returns:
        int, the exit status: 0; 2 where an argument or a file is wrong, told in one line on stderr; 130 after Ctrl-C.

    Example:

    >>> from keras_vae.cli import main
    >>> main(["list", "--json"]) == 0
    {...
    True
    """
    try:
        args = parse(sys.argv[1:] if argv is None else argv)
    except SystemExit as stop:  # argparse has printed help or an error
        return int(stop.code or 0)
    with warnings.catch_warnings():
        if not args.debug:
            warnings.simplefilter("ignore")
            warnings.filterwarnings("always", category=UserWarning, module="keras_vae")
            warnings.showwarning = _as_note
        try:
            module, function = args.run.split(":")
            getattr(importlib.import_module(module), function)(args)
        except KeyboardInterrupt:
            return 130
        except Exception as error:
            if args.debug or not _is_expected(error):
                raise
            print(f"keras-vae: error: {_first_line(error)}", file=sys.stderr)
            return 2
    return 0


def _is_expected(error):
    """Whether `error` is about what the user gave; anything else is a bug and keeps its traceback."""
    from keras_vae.export import ExportError

    return isinstance(error, (ValueError, TypeError, OSError, ImportError, ExportError))


def _first_line(error):
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    return lines[0] + (" (--debug shows the rest)" if len(lines) > 1 else "")


def _as_note(message, *_, **__):
    note(str(message))
