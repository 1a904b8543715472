"""Which datasets tensorflow-datasets has prepared on this machine, found from the files alone, and the way to one."""

import difflib
import os
import re

from keras_vae.core.optional import require

VARIABLE = "TFDS_DATA_DIR"
_VERSION = re.compile(r"\d+\.\d+\.\d+")
_NAME = re.compile(r"(?P<name>\w+)(?:/(?P<config>[\w.\-+]+))?(?::(?P<version>\d+\.\d+\.\d+))?")


class DatasetNotFoundError(FileNotFoundError):
    """A dataset is not on this machine, and was not to be downloaded or could not be."""


def tensorflow_datasets():
    """The `tensorflow_datasets` module, imported when first used: it loads no TensorFlow by itself."""
    require("PIL", "data", "Reading images")
    return require("tensorflow_datasets", "data", "Reading a dataset")


def data_directory(data_dir=None):
    """The folder that holds prepared datasets: `data_dir`, else `TFDS_DATA_DIR`, else `~/tensorflow_datasets`."""
    if data_dir is not None and not isinstance(data_dir, (str, os.PathLike)):
        raise TypeError(f"`data_dir` must be a path or None. Received: data_dir={data_dir!r}.")
    # Always given to tensorflow-datasets: with the variable alone it insists on one file format and fails on others.
    return os.path.expanduser(data_dir or os.environ.get(VARIABLE) or os.path.join("~", "tensorflow_datasets"))


def prepared_datasets(data_dir=None):
    """The sorted names of the datasets that are prepared in a folder, from its files: nothing is imported or loaded.

    Args:
        data_dir: path or None, a tensorflow-datasets folder; None stands for the environment variable `TFDS_DATA_DIR`,
            or `~/tensorflow_datasets` where that is unset.

    Returns:
        A list of str, empty where the folder does not exist.

    Example:

    >>> from keras_vae.datasets import prepared_datasets
    >>> prepared_datasets("a/folder/that/is/not/there")
    []
    """
    root = data_directory(data_dir)
    return [name for name in _folders(root) if _versions(os.path.join(root, name))]


def has_dataset(name, data_dir=None):
    """Whether a dataset is prepared on this machine, so that `load_images` and `stream` read it with no download.

    Recipes and tests ask before they load, to choose another dataset or to skip.

    Args:
        name: str, as tensorflow-datasets spells it: `"mnist"`, `"name/config"`, `"name:1.0.0"`, `"name/config:1.0.0"`.
        data_dir: path or None, where to look; see `prepared_datasets`. Default None.

    Returns:
        A bool. Only files are looked at: True does not say that `tensorflow-datasets` itself is installed.

    Raises:
        ValueError: `name` is not of the form above.

    Example:

    >>> from keras_vae.datasets import has_dataset
    >>> has_dataset("mnist", data_dir="a/folder/that/is/not/there")
    False
    """
    return _prepared_folder(name, data_dir) is not None


def open_builder(name, data_dir=None, download=False):
    """The tensorflow-datasets builder of a prepared dataset, downloaded and prepared first if that is allowed.

    The builder is made from the folder, not from the catalogue: a dataset that the catalogue does not know, or that was
    prepared at another version than the catalogue's present one, is read like any other.

    Args:
        name: str, the dataset; see `has_dataset`.
        data_dir: path or None, where to look; see `prepared_datasets`. Default None.
        download: bool, download and prepare what is missing, which needs a network and TensorFlow. Default False.

    Returns:
        A `tfds.core.DatasetBuilder`, prepared.

    Raises:
        DatasetNotFoundError: not on this machine, and `download` is False or failed.
        ImportError: `tensorflow-datasets` or Pillow is not installed.
    """
    folder = _prepared_folder(name, data_dir)
    if folder is None:
        _check_download(name, data_dir, download)
        folder = _download(name, data_dir)
    return tensorflow_datasets().builder_from_directory(folder)


def _check_download(name, data_dir, download):
    if not download:
        raise DatasetNotFoundError(
            f"{_not_found(name, data_dir)} To download it, pass download=True, or run once, with TensorFlow installed: "
            f'python -c "import tensorflow_datasets as t; t.load({name!r}, data_dir={data_directory(data_dir)!r})".'
        )


def _download(name, data_dir):
    tfds = tensorflow_datasets()
    try:
        builder = tfds.builder(name, data_dir=data_directory(data_dir))
        builder.download_and_prepare()  # to a folder of another name, which it renames when it is whole
    except Exception as error:  # no network, no TensorFlow, an unknown name, a full disk: each has a class of its own
        reason = str(error).strip().split("\n")[0] or type(error).__name__
        raise DatasetNotFoundError(
            f"{_not_found(name, data_dir)} Downloading and preparing it failed: {type(error).__name__}: {reason} "
            "(Preparing needs a network and TensorFlow; reading what is prepared needs neither.)"
        ) from error
    return str(builder.data_path)


def _not_found(name, data_dir):
    root, variable = data_directory(data_dir), os.environ.get(VARIABLE)
    origin = f"{VARIABLE}={variable}" if variable else f"{VARIABLE} is unset"
    names = prepared_datasets(data_dir)
    close = difflib.get_close_matches(name.split("/")[0].split(":")[0], names, n=3, cutoff=0.4)
    if close:
        there = "Close names prepared there: " + ", ".join(close) + "."
    else:
        there = "Prepared there: " + (", ".join(names) or "nothing") + "."
    return f"The dataset {name!r} is not on this machine: looked in {root} ({origin}). {there}"


def _prepared_folder(name, data_dir):
    match = _NAME.fullmatch(name) if isinstance(name, str) else None
    if match is None:
        raise ValueError(f'`name` must be a dataset such as "mnist" or "name/config:1.0.0". Received: name={name!r}.')
    folder = os.path.join(data_directory(data_dir), match["name"])
    versions = _versions(folder)
    if match["config"]:
        versions = [v for v in versions if os.path.dirname(v) == match["config"]]
    if match["version"]:
        versions = [v for v in versions if os.path.basename(v) == match["version"]]
    return os.path.join(folder, versions[-1]) if versions else None


def _versions(folder):
    """The prepared `version` and `config/version` folders of a dataset, oldest first; a plain version goes first."""
    plain = _folders(folder)
    nested = [os.path.join(c, v) for c in _folders(folder) for v in _folders(os.path.join(folder, c))]
    versions = [v for v in plain + nested if _VERSION.fullmatch(os.path.basename(v))]
    whole = [v for v in versions if os.path.isfile(os.path.join(folder, v, "dataset_info.json"))]
    return sorted(whole, key=lambda v: [int(number) for number in os.path.basename(v).split(".")])


def _folders(path):
    if not os.path.isdir(path):
        return []
    return sorted(entry.name for entry in os.scandir(path) if entry.is_dir())
