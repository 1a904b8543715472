"""Pictures of a model in training."""

from pathlib import Path

import keras
import numpy as np

from keras_vae.callbacks.summaries import summary_writer
from keras_vae.core.checks import integer
from keras_vae.generation.traversal import latent_traversal, most_active_dimensions
from keras_vae.reports import comparison_grid, image_grid, traversal_grid


class ImageGrid(keras.callbacks.Callback):
    """Draws reconstructions, samples and latent traversals every few epochs, to PNG files and to TensorBoard.

    Files are `<folder>/reconstructions-0001.png`, `samples-0001.png`, `traversal-0001.png`, by epoch. Samples always
    use the same noise, and traversals start from the first image of `x`, so that two epochs can be compared. A model
    without a prior, or of codes whose prior is not learned, draws no samples; a model of codes, or a conditional one,
    no traversals. Needs the extra `viz`.

    Args:
        x: array (batch, height, width, channels) in [0, 1], images to reconstruct; the first 16 are shown, all serve to
            find the latent dimensions worth traversing.
        folder: str or Path of the PNG files.
        every: int >= 1, epochs between two pictures, default 1; the last epoch is always drawn.
        num_samples: int >= 0, samples to show, default 16; 0 for none.
        traversal: bool, whether to draw the traversal of the ten most active latent dimensions, default True.
        tensorboard: str or Path, a log folder of TensorBoard to write the pictures to as well, default none.
        condition: array (batch, ...), of each image, for a conditional model: samples are drawn for the first of them.
            Default None.

    Raises:
        ValueError: where `x` has no image in it, or a number is out of range.

    Example:
        >>> import numpy as np
        >>> callback = ImageGrid(np.zeros((8, 28, 28, 1)), "runs/vae_mnist/pictures", every=5)
    """

    def __init__(self, x, folder, every=1, num_samples=16, traversal=True, tensorboard=None, condition=None):
        super().__init__()
        self.x = np.asarray(x)
        if self.x.ndim != 4 or len(self.x) == 0:
            raise ValueError(f"`x` must have shape (batch, height, width, channels). Received: shape {self.x.shape}.")
        self.folder = Path(folder)
        self.every = integer("every", every)
        self.num_samples = integer("num_samples", num_samples, 0)
        self.traversal = bool(traversal)
        self.tensorboard = tensorboard
        self.writer = None
        self.condition = None if condition is None else np.asarray(condition)
        if condition is not None and len(self.condition) != len(self.x):
            raise ValueError(
                f"`condition` must have one entry for each of {len(self.x)} images. Received: {len(self.condition)}."
            )

    def on_epoch_end(self, epoch, logs=None):
        epoch += 1
        if epoch % self.every == 0 or epoch == self.params.get("epochs"):
            self.draw(epoch)

    def on_train_end(self, logs=None):
        if self.writer is not None:
            self.writer.close()
            self.writer = None

    def draw(self, epoch):
        """Draws the pictures now and saves them under the number of the epoch.

        Args:
            epoch: int, in the file names, and the step in TensorBoard.

        Returns:
            dict name -> uint8 array (height, width, 3).
        """
        pictures = self._pictures(epoch)
        if self.tensorboard is not None:
            self.writer = self.writer or summary_writer(self.tensorboard)
            for name, picture in pictures.items():
                self.writer.add_image(name, picture, epoch, dataformats="HWC")
            self.writer.flush()
        return pictures

    def _pictures(self, epoch):
        model, shown = self.model, self.x[:16]
        pictures = {
            "reconstructions": comparison_grid(
                shown, model.reconstruct(shown, **self._given(len(shown))), path=self._path("reconstructions", epoch)
            )
        }
        if self.num_samples and "samples" in model.previews:
            samples = model.sample(self.num_samples, seed=0, **self._given(self.num_samples))
            pictures["samples"] = image_grid(samples, path=self._path("samples", epoch), clip=True)
        if self.traversal and "traversal" in model.previews:
            dims = most_active_dimensions(model, self.x)
            rows = latent_traversal(model, self.x[0], dims)
            pictures["traversal"] = traversal_grid(
                rows,
                [f"z{dim}" for dim in dims],
                self._path("traversal", epoch),
                column_labels=np.linspace(-3, 3, rows.shape[1]),
            )
        return pictures

    def _given(self, count):
        """The conditions of the first `count` images, from the start again where there are fewer."""
        if self.condition is None:
            return {}
        return {"condition": np.resize(self.condition, (count, *self.condition.shape[1:]))}

    def _path(self, name, epoch):
        return self.folder / f"{name}-{epoch:04d}.png"
