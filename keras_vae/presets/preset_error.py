"""The one error of the presets room."""

import re

LENGTH = 2000  # of a message, in characters
STYLES = re.compile(r"\x1b\[[0-9;]*m")  # Keras prints part of its own messages in bold


class PresetError(ValueError):
    """A preset that cannot be had: unknown, missing, damaged, unsafe, or made by a newer release.

    Every refusal of `load_pretrained`, `list_pretrained`, `pretrained_metadata` and `save_pretrained` that concerns the
    files or the handle is this class, so one `except` is enough. Its message names the file or the handle, what is
    accepted and what was found. It has at most 2,000 characters and none that a terminal would obey: part of it may
    come from a hostile file.

    Args:
        message: str.

    Example:

    >>> import keras_vae
    >>> try:
    ...     keras_vae.load_pretrained("vae_mnist_of_another_world")
    ... except keras_vae.PresetError as error:
    ...     print(str(error)[:8])
    `handle`
    """

    def __init__(self, message):
        super().__init__(_harmless(message))


def _harmless(message):
    text = STYLES.sub("", str(message)[: 2 * LENGTH])
    text = "".join(char if char.isprintable() or char in "\n\t" else ascii(char)[1:-1] for char in text)
    return text if len(text) <= LENGTH else f"{text[: LENGTH - 4]} ..."
