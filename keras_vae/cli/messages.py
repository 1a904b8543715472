"""What a command says beside its result: notes, on stderr, so that stdout stays what was asked for."""

import sys


def note(text):
    """Prints a remark on stderr.

    Args:
        text: str, one line.
    """
    print(f"note: {text}", file=sys.stderr)


def counted(number, what, plural=None):
    """ "1 image", "12 images".

    Args:
        number: int.
        what: str, the singular.
        plural: str, by default the singular and an s.
    """
    return f"{number:,} {what if number == 1 else plural or what + 's'}"
