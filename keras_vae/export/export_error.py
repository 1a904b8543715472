"""The one error of the export room."""


class ExportError(RuntimeError):
    """An export that failed or came out different from the live model. Nothing of it is left on the disk.

    Example:

    >>> from keras_vae.export import ExportError
    >>> issubclass(ExportError, RuntimeError)
    True
    """
