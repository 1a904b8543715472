"""The model card of a preset, written from its metadata so that the two cannot disagree."""

from keras_vae.presets.layout import PREVIEW, WEIGHTS

SPDX = ("apache-2.0", "mit", "cc0-1.0", "cc-by-4.0", "cc-by-sa-3.0", "cc-by-sa-4.0", "cc-by-nc-4.0", "bsd-3-clause")


def model_card(metadata, has_preview, samples):
    """The text of `README.md` for a preset.

    Args:
        metadata: dict, the content of `metadata.json`.
        has_preview: bool, whether there is a `preview.png` to show.
        samples: bool, whether the model has a prior to sample from.
    """
    name, kind = metadata["name"], metadata["model"]
    summary = metadata["description"] or f"A `{kind}` trained on {metadata['dataset']} by `{metadata['recipe']}`."
    parts = [
        _front_matter(kind, metadata["licence"], "prior" if _is_prior(metadata) else "autoencoder"),
        f"# {name}",
        summary,
        f"![Preview of {name}]({PREVIEW})" if has_preview else "",
        "## Use",
        _usage(name, metadata, samples),
        "## Model",
        _model_table(metadata),
        "## Data and licence",
        f"Trained on {metadata['dataset']}. The weights carry the terms of that data: **{metadata['licence']}**. "
        "The code that loads them is Apache-2.0.",
        "## Measured",
        _metrics_table(metadata["metrics"]),
        "## Limits",
        metadata["limits"] or "Meant for study and as a starting point. It models the data named above, nothing else.",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _is_prior(metadata):
    """Whether it is of a prior alone, which scores data and draws it."""
    return metadata["latent_shape"] is None and "num_classes" not in metadata


def _front_matter(kind, licence, tag):
    known = licence.lower() if licence.lower() in SPDX else "other"
    return f"---\nlibrary_name: keras\nlicense: {known}\ntags: [keras_vae, {kind.lower()}, {tag}]\n---"


def _usage(name, metadata, samples):
    data = _by_level(metadata["data_shape"])
    lines = [
        "import keras_vae",
        "",
        f'model = keras_vae.load_pretrained("{name}")  # or the path of this folder; on TensorFlow, JAX or torch',
    ]
    latent = metadata["latent_shape"]
    condition = metadata.get("condition")
    told = "labels" if condition == "ClassCondition" else "condition"
    given = f", condition={told}" if condition else ""
    if _is_prior(metadata):
        x = f'{{"x": x, "condition": {told}}}' if condition else "x"
        lines.append(f'log_prob = model({x})["log_prob"]  # nats; x: {data}')
    elif latent is None:
        lines.append(f"answers = model.predict(x)  # x: float32, {data}")
        lines.append("features = model.features(x)  # float32, what the last layer reads")
    else:
        latent = _by_level(latent)
        lines += [
            f"z = model.encode(images{given})  # images: float32 in [0, 1], {data}",
            f"images = model.decode(z{given})  # z: {latent}",
        ]
    if samples:
        one = ", condition=3" if condition == "ClassCondition" else given
        lines.append(f"samples = model.sample(16, seed=0{one})")
    code = "\n".join(lines)
    return f"```python\n{code}\n```"


def _by_level(shape):
    if isinstance(shape, dict):
        return "a dict of " + ", ".join(f"{level} (batch, {_shape(sizes)})" for level, sizes in shape.items())
    return f"shape (batch, {_shape(shape)})"


def _shape(sizes):
    return ", ".join("any" if size is None else str(size) for size in sizes)


def _model_table(metadata):
    rows = {
        "class": f"`keras_vae.{metadata['model']}`",
        "parameters": f"{metadata['parameter_count']:,}",
        "weights": f"{metadata['files'][WEIGHTS]['bytes'] / 1e6:.2f} MB",
        "recipe": f"`{metadata['recipe']}`",
        "seed": metadata["seed"],
        "trained with": f"keras {metadata['keras_version']} on {metadata['trained_on_backend']}, "
        f"keras_vae {metadata['keras_vae_version']}",
    }
    return _table(("", ""), rows.items())


def _metrics_table(metrics):
    if not metrics:
        return "Nothing was measured."
    return _table(("metric", "value"), [(f"`{key}`", _text(value)) for key, value in metrics.items()])


def _table(head, rows):
    lines = [head, ("---", "---"), *rows]
    return "\n".join("| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |" for line in lines)


def _text(value):
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, dict):
        return ", ".join(f"{key} {_text(item)}" for key, item in value.items())
    if isinstance(value, list):
        return ", ".join(_text(item) for item in value)
    return str(value)
