"""Greys as probabilities, drawn anew each epoch."""

import numpy as np

from keras_vae.datasets.binarize import as_greys, draw
from keras_vae.datasets.seeded_batches import SeededBatches, beside, with_condition


class DynamicBinarization(SeededBatches):
    """Batches of binary images, each pixel drawn anew each epoch with its grey as the probability of a one.

    x_i ~ Bernoulli(grey_i), independently, every time an image is used: the "dynamic" or "stochastic" binarisation of
    the importance-weighted autoencoder's experiments. It is training data that never repeats, which regularises.
    Figures on dynamically binarised data (Burda et al.) and on one fixed draw (Larochelle and Murray's files, or
    `static_binarize`) are of different tasks, nats apart: never mix them in a comparison. For a test set, or validation
    that is the same in every epoch, make one draw with `static_binarize`.

    The draw of a batch depends on the seed, the epoch and the number of the batch only.

    Args:
        images: array (n, ...), uint8 greys 0 to 255 or floats in [0, 1]. Kept as it is: greys cost a byte a pixel.
        batch_size: int, images in a batch, >= 1. Default 100.
        seed: int, >= 0, of the order and of the draws. Default 0.
        shuffle: bool, a new order each epoch. Default True.
        drop_remainder: bool, leave out the last batch where it is smaller than the others. Default False.
        initial_epoch: int, the number of the first epoch, >= 0: a resumed run goes on with the draws it would have
            seen. Default 0.
        condition: array (n, ...), what goes with each image, for a conditional model: batches are then dicts of "x" and
            "condition". Default None.

    Returns:
        A `keras.utils.PyDataset`, to `fit` on, of float32 arrays (batch, ...) of zeros and ones.

    Raises:
        TypeError: `images` is neither uint8 nor floating point.
        ValueError: `images` is empty or has values outside [0, 1], or a number is out of range.

    Reference:
        Burda, Grosse, Salakhutdinov 2016, "Importance Weighted Autoencoders", section 5. For the fixed draw: Larochelle
        and Murray 2011, "The Neural Autoregressive Distribution Estimator"; Salakhutdinov and Murray 2008.

    Example:

    >>> import numpy as np
    >>> from keras_vae.datasets import DynamicBinarization
    >>> greys = np.tile(np.array([0, 255], "uint8"), (4, 3))
    >>> batches = DynamicBinarization(greys, batch_size=2)
    >>> len(batches), batches[0].tolist()[0]
    (2, [0.0, 1.0, 0.0, 1.0, 0.0, 1.0])
    """

    def __init__(
        self, images, batch_size=100, seed=0, shuffle=True, drop_remainder=False, initial_epoch=0, condition=None
    ):
        self.images = as_greys("images", images)
        super().__init__(len(self.images), batch_size, shuffle, seed, drop_remainder, initial_epoch)
        self.condition = beside("condition", condition, self.count)

    def make_batch(self, rows, rng):
        """A fresh draw of the images `rows`."""
        return with_condition(draw(np.take(self.images, rows, axis=0), rng), self.condition, rows)
