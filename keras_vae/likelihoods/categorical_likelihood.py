"""Categorical likelihood, for class numbers."""

from keras import ops

from keras_vae.core.checks import integer
from keras_vae.core.registration import registered
from keras_vae.distributions import Categorical
from keras_vae.likelihoods.likelihood import Likelihood


@registered
class CategoricalLikelihood(Likelihood):
    """Independent categorical values: p(x|z) = prod_d softmax(l_d)[x_d], K logits for each channel from the decoder.

    For codes, labels and the grey levels of a PixelCNN (van den Oord et al. 2016, section 2.2), where any shape of the
    density can be learned, at K numbers for each channel. x holds class numbers; `mean` is their expectation, which
    says something where classes are ordered.

    Args:
        num_classes: int >= 2, K.
        **kwargs: of keras.layers.Layer.

    Input shape:
        params: (batch, ..., channels * K), the K logits of the first channel first. x: (batch, ..., channels), whole
        numbers from 0 to K - 1, of an integer or a floating dtype.

    Output shape:
        `log_prob`: (batch,), nats. `mean`: the shape of x, in [0, K - 1].

    Raises:
        ValueError: if `num_classes` is not >= 2; for params whose last axis is not a multiple of it.

    Reference:
        van den Oord, Kalchbrenner & Kavukcuoglu 2016, arXiv:1601.06759.

    Example:

    >>> import numpy as np, keras_vae
    >>> likelihood = keras_vae.CategoricalLikelihood(num_classes=4)
    >>> round(float(likelihood.log_prob(np.zeros((1, 2, 4), "float32"), np.array([[[0], [3]]]))[0]), 4)  # 2 log(1/4)
    -2.7726
    """

    whole = True

    def __init__(self, num_classes, **kwargs):
        super().__init__(**kwargs)
        self.num_classes = self.params_per_channel = integer("num_classes", num_classes, low=2)
        self.interval = (0.0, self.num_classes - 1.0)

    def distribution(self, params):
        channels, rest = divmod(params.shape[-1], self.num_classes)
        if rest:
            raise ValueError(
                f"`decoder` must return {self.num_classes} numbers for each channel of x, the logits of its classes. "
                f"Received: params of shape {tuple(params.shape)}."
            )
        params = ops.convert_to_tensor(params)
        return Categorical(ops.reshape(params, (-1, *ops.shape(params)[1:-1], channels, self.num_classes)))
