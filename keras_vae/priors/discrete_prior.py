"""The abstract prior of independent discrete variables."""

from keras import ops

from keras_vae.core.checks import one_of
from keras_vae.priors.prior import Prior


class DiscretePrior(Prior):
    """Abstract: p(z) of independent discrete variables, uniform, or with logits that are learnt beside the model.

    A variant says by `family` what distribution has its logits, and by `values` what z is made of.

    Args:
        learned: bool, whether the logits are trainable weights, zero at the start. Default: False.
        **kwargs: of keras.layers.Layer.
    """

    values = None  # "binary" or "one-hot", as a bottleneck of discrete latents says it
    family = None  # class of distributions

    def __init__(self, learned=False, **kwargs):
        super().__init__(**kwargs)
        self.learned = one_of("learned", learned, (False, True))

    def attach(self, model):
        if getattr(model.bottleneck, "values", None) != self.values:
            raise ValueError(
                f"`bottleneck` must draw {self.values} latents for a {type(self).__name__}. "
                f"Received: bottleneck={type(model.bottleneck).__name__}."
            )

    def build(self, input_shape):
        options = {"trainable": self.learned, "dtype": "float32", "autocast": False}
        self.logits = self.add_weight(shape=tuple(input_shape[1:]), initializer="zeros", name="logits", **options)

    def noise_spec(self, shape):
        return self.family(ops.zeros((1, *shape))).noise_spec(shape)

    def distribution(self, like, condition=None):
        return self.family(ops.zeros_like(like) + ops.convert_to_tensor(self.logits))

    def sample_from(self, noise, condition=None):
        rows = ops.shape(noise)[0]
        return self.family(ops.repeat(ops.convert_to_tensor(self.logits)[None], rows, axis=0)).sample_from(noise)
