"""Packages that only some features need: imported when used, with the extra to install named when missing."""

import importlib


def require(module, extra, feature):
    """The imported `module`, or an ImportError that says which extra of keras_vae brings it.

    Args:
        module: str, as in an import statement ("matplotlib.pyplot").
        extra: str, the extra of keras_vae that installs it ("viz").
        feature: str, what the user was doing ("Drawing an image grid").
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        root = module.split(".")[0]
        if error.name and error.name.split(".")[0] != root:
            raise
        raise ImportError(
            f'{feature} needs `{root}`, which is not installed: pip install "keras_vae[{extra}]"'
        ) from error
