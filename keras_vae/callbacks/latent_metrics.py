"""Metrics of codes and reconstructions in the epoch logs."""

import keras
import numpy as np

from keras_vae.metrics import CodebookUsage, Perplexity, active_units, psnr


class LatentMetrics(keras.callbacks.Callback):
    """Puts what held-out images say about the latent into the epoch logs, for checkpoints, tuners and curves.

    - every model: `psnr`, of the reconstruction (decibels, mean over images);
    - a continuous latent: `active_units`, dimensions whose posterior mean varies over the images;
    - discrete codes: `perplexity` and `codebook_usage` of the codes of the images.

    Callbacks run in the order of the list: put this one before those that read its values (`ModelCheckpoint`,
    `EarlyStopping`, `TensorBoardScalars`).

    Args:
        x: array (batch, height, width, channels) in [0, 1], at least two held-out images.
        prefix: str before the names, default "val_": held-out images.
        condition: array (batch, ...), of each image, for a conditional model. Default None.

    Raises:
        ValueError: for fewer than two images.

    Example:
        >>> import numpy as np
        >>> callback = LatentMetrics(np.zeros((8, 28, 28, 1)))
    """

    def __init__(self, x, prefix="val_", condition=None):
        super().__init__()
        self.x = np.asarray(x)
        if self.x.ndim < 2 or len(self.x) < 2:
            raise ValueError(f"`x` must hold at least two images. Received: shape {self.x.shape}.")
        self.prefix = prefix
        self.given = {} if condition is None else {"condition": condition}

    def on_epoch_end(self, epoch, logs=None):
        if logs is not None:
            logs.update({f"{self.prefix}{name}": value for name, value in self.measure().items()})

    def measure(self):
        """The metrics now, dict name -> float, without the prefix."""
        model = self.model
        found = {"psnr": float(psnr(self.x, model.reconstruct(self.x, **self.given)).mean())}
        if not model.has_codes:
            return found | {"active_units": float(active_units(model.encode(self.x, output="mean", **self.given)))}
        codes = model.encode(self.x, **self.given)
        sizes, codebooks = model.bottleneck.codebook_size, model.bottleneck.codebooks
        levels = [("", sizes, codes, codebooks)]
        if isinstance(sizes, dict):
            levels = [(f"_{level}", sizes[level], codes[level], codebooks[level]) for level in sizes]
        for suffix, size, part, count in levels:
            for metric in (kind(size, codebooks=count) for kind in (Perplexity, CodebookUsage)):
                metric.update_state(part)
                found[metric.name + suffix] = float(metric.result())
        return found
