"""list, info and the version: what there is, and what is known of it."""

import json

import keras

from keras_vae.cli.handles import load, resolved
from keras_vae.presets import list_pretrained, pretrained_metadata
from keras_vae.presets.layout import shipped_folder
from keras_vae.reports import table

HEADLINES = ("nll", "psnr")  # what a preset is known by; otherwise the first figure of its recipe
PLACES = ("schema", "name", "metrics", "files")


def version(args):
    """`keras-vae --version`.

    Args:
        args: namespace of the parser's.
    """
    from keras_vae import __version__  # the package's top, which no room imports while it is being imported

    print(f"keras_vae {__version__}, keras {keras.__version__} on {keras.backend.backend()}")


def list_presets(args):
    """`keras-vae list`.

    Args:
        args: namespace of the parser's.
    """
    presets = list_pretrained()
    if args.json:
        print(json.dumps(presets, indent=2))
        return
    if not presets:
        print(f"no presets are installed in {shipped_folder()}")
        return
    rows = [_summary(name, {**pretrained_metadata(name), **summary}) for name, summary in presets.items()]
    table(rows, "presets")


def info(args):
    """`keras-vae info NAME`: the hashes are verified and the model is loaded, so that what is told has been checked.

    Args:
        args: namespace of the parser's.
    """
    metadata = pretrained_metadata(resolved(args.name))
    model = load(args.name)
    metadata = {**metadata, **model.preset_facts()}
    if args.json:
        print(json.dumps(metadata, indent=2))
        return
    table(
        {key.replace("_", " "): _text(value) for key, value in metadata.items() if key not in PLACES and value != ""},
        metadata["name"],
    )
    figures = dict(_flat(metadata["metrics"]))
    table({key: _text(value) for key, value in figures.items()} or {"nothing was measured": None}, "measured")
    files = [
        {"file": name, "bytes": entry["bytes"], "SHA-256, verified": entry["sha256"]}
        for name, entry in metadata["files"].items()
    ]
    table(files, "files")


def _summary(name, metadata):
    return {
        "preset": name,
        "class": metadata["model"],
        "image": _text(metadata["data_shape"]),
        "latent": _text(metadata["latent_shape"]),
        "headline": _headline(metadata["metrics"]),
        "size": f"{metadata['bytes'] / 1e6:.1f} MB",
        "licence": metadata["licence"],
    }


def _headline(metrics):
    figures = {
        key: value for key, value in _flat(metrics) if isinstance(value, (int, float)) and not isinstance(value, bool)
    }
    by_name = {key.split(".")[-1]: key for key in reversed(figures)}
    key = next((by_name[name] for name in HEADLINES if name in by_name), next(iter(figures), None))
    return "-" if key is None else f"{key} {figures[key]:.4g}"


def _flat(metrics, prefix=""):
    for key, value in metrics.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value


def _text(value):
    """Shapes as 28x28x1, long lists by their first entries; what a table can write is left to it."""
    if not isinstance(value, list):
        return value
    if len(value) <= 4 and all(isinstance(item, int) for item in value):
        return "x".join(map(str, value))
    told = ", ".join(f"{item:.4g}" if isinstance(item, float) else str(item) for item in value[:8])
    return told if len(value) <= 8 else f"{told}, ... ({len(value)} values)"
