"""From a handle to a verified model: hashes first, then the allow-list, then a budget, then the weights."""

import pathlib
import tempfile

from keras_vae.presets.allow_list import check_config, without_compile_config
from keras_vae.presets.building import build_model
from keras_vae.presets.handles import resolve
from keras_vae.presets.json_files import read_json
from keras_vae.presets.layout import CONFIG, WEIGHTS, copy_files, shipped_folder, shipped_names
from keras_vae.presets.metadata import read_metadata

SUMMARY = ("model", "recipe", "dataset", "licence", "data_shape", "latent_shape", "parameter_count", "metrics")


def load_pretrained(handle, *, metadata_sha256=None, cache_dir=None):
    """The trained model of a preset, on the running backend, after its files have been verified.

    Size and SHA-256 of `config.json` and `model.weights.h5` are compared with `metadata.json` before either is opened.
    Then every class that the config names must be one of keras_vae's or a plain Keras one; nothing is unpickled and no
    code comes from the files. What the config asks for is counted before it has memory, and must be what the weights
    file holds. A hash that lies beside its file finds damage, not malice: for a preset from the network that you must
    be sure of, pin it with `metadata_sha256`, and the chain of hashes covers the rest.

    Args:
        handle: str or path-like, one of
            a name that `list_pretrained()` knows ("vae_mnist"); a bare name means the shipped preset first, write
            "./vae_mnist" for a folder of the same name;
            the path of a folder;
            an address "https://host/path/of/the/folder" (plain http is taken from this machine only);
            "hf://owner/repository", "hf://owner/repository/folder" or "hf://owner/repository@revision", which needs the
            extra `hub`.
        metadata_sha256: str of 64 hexadecimal digits, the expected SHA-256 of `metadata.json`. Default: None.
        cache_dir: str or path-like, where downloads are kept. Default: None, `keras_vae` in the folder of Keras,
            KERAS_HOME or ~/.keras (for hf://, the cache of huggingface_hub).

    Returns:
        An uncompiled model of one of keras_vae's classes, with its trained weights.

    Raises:
        PresetError: if the handle is unknown, or anything about the files is missing, damaged, unsafe or too new.
        TypeError: if `handle` is neither a str nor a path.
        ImportError: if the handle is "hf://..." and huggingface_hub is not installed.

    Example:

    >>> import tempfile
    >>> import keras_vae
    >>> encoder, decoder = keras_vae.MLPEncoder((8,)), keras_vae.MLPDecoder((4, 4, 1), (8,))
    >>> model = keras_vae.VAE(encoder, decoder, latent_dim=2)
    >>> model.build((None, 4, 4, 1))
    >>> with tempfile.TemporaryDirectory() as home:
    ...     folder = keras_vae.save_pretrained(
    ...         model, f"{home}/tiny", recipe="none", dataset="none", licence="Apache-2.0", seed=0, metrics={})
    ...     copy = keras_vae.load_pretrained(folder)
    >>> copy.latent_shape
    (2,)
    """
    folder = resolve(handle, metadata_sha256=metadata_sha256, cache_dir=cache_dir)
    metadata = read_metadata(folder, metadata_sha256)
    with tempfile.TemporaryDirectory(prefix="keras_vae-") as private:
        files = pathlib.Path(private)
        copy_files(folder, metadata, files)  # what has been verified is what is opened
        config = without_compile_config(read_json(files / CONFIG, where=folder / CONFIG))
        check_config(config, folder / CONFIG)
        return build_model(config, folder, files, metadata)


def pretrained_metadata(handle, *, metadata_sha256=None, cache_dir=None):
    """The metadata of a preset (recipe, data, licence, seed, measured metrics, hashes), without loading the model.

    Args:
        handle: str or path-like, as for `load_pretrained`.
        metadata_sha256: str, as for `load_pretrained`. Default: None.
        cache_dir: str or path-like, as for `load_pretrained`. Default: None.

    Returns:
        Dict, the content of `metadata.json`, with the folder it was read from added under "folder" (str).

    Raises:
        PresetError: if the handle is unknown or its metadata is missing, damaged or too new.

    Example:

    >>> import keras_vae
    >>> for name in keras_vae.list_pretrained():
    ...     assert keras_vae.presets.pretrained_metadata(name)["schema"] in (1, 2)
    """
    folder = resolve(handle, metadata_sha256=metadata_sha256, cache_dir=cache_dir)
    return {**read_metadata(folder, metadata_sha256), "folder": str(folder)}


def list_pretrained():
    """The presets that came with the library: what each was trained on, its licence, size and measured metrics.

    Returns:
        Dict, sorted by name: name -> dict with "model" (class name), "recipe", "dataset", "licence", "data_shape",
        "parameter_count", "metrics" and "bytes" (size of the weights file).

    Raises:
        PresetError: if the metadata of one of them is damaged or too new.

    Example:

    >>> import keras_vae
    >>> sorted(keras_vae.list_pretrained()) == list(keras_vae.list_pretrained())
    True
    """
    summaries = {}
    for name in shipped_names():
        metadata = read_metadata(shipped_folder() / name)
        summaries[name] = {key: metadata.get(key) for key in SUMMARY}
        summaries[name]["image_shape"] = metadata["data_shape"]  # its old name, for one release more
        summaries[name]["bytes"] = metadata["files"][WEIGHTS]["bytes"]
    return summaries
