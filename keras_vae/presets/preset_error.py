"""The one error of the presets room."""


class PresetError(ValueError):
    """A preset that cannot be had: unknown, missing, damaged, unsafe, or made by a newer release.

    Every refusal of `load_pretrained`, `list_pretrained`, `pretrained_metadata` and `save_pretrained` that concerns the
    files or the handle is this class, so one `except` is enough. Its message names the file or the handle, what is
    accepted and what was found.

    Example:

    >>> import keras_vae
    >>> try:
    ...     keras_vae.load_pretrained("vae_mnist_of_another_world")
    ... except keras_vae.PresetError as error:
    ...     print(str(error)[:8])
    `handle`
    """
