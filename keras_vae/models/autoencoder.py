"""The abstract autoencoder: encoder -> bottleneck -> decoder -> likelihood, with a prior over the latents."""

import warnings

import keras
from keras import ops

from keras_vae.bottlenecks import Bottleneck, IdentityBottleneck
from keras_vae.core.checks import instance
from keras_vae.layers import Condition
from keras_vae.likelihoods import Likelihood, SquaredError
from keras_vae.models.bound import Bound, fits
from keras_vae.models.classifier import Classifier
from keras_vae.models.host_methods import HostMethods
from keras_vae.models.parts import call_part, takes
from keras_vae.models.prior_stage import PriorStage
from keras_vae.models.served_model import ServedModel
from keras_vae.models.tensor_methods import TensorMethods
from keras_vae.ops.levels import by_level
from keras_vae.priors import Prior
from keras_vae.training import TermsModel, check_values


class Autoencoder(ServedModel, PriorStage, HostMethods, TensorMethods, Bound, TermsModel):
    """Abstract: x -> encoder -> h -> bottleneck -> z -> decoder -> params -> likelihood; a prior scores the posterior.

    A variant overrides `terms`, and only where it must a constructor or `call`. Methods named `*_tensors` are pure and
    can be traced into other graphs; those of `HostMethods` (`encode`, `decode`, `sample`, ...) take and return numpy.

    Encoder and decoder see the condition, or the mask, where their `call` has an argument of that name; a decoder with
    an argument `target` sees the data (an autoregressive one, which draws by `sample_from(noise, z, condition=None)`).

    Args:
        encoder: keras layer or model, x -> features.
        decoder: keras layer or model, z -> raw parameters of the likelihood, linear at the end; None for tied weights,
            which an encoder that has a `tied_decoder()` makes, as MLPEncoder does.
        bottleneck: Bottleneck, features -> z. Default: IdentityBottleneck().
        likelihood: Likelihood. Default: SquaredError().
        prior: Prior over the latents, or None. Default: None.
        condition: Condition, such as `ClassCondition(10)`, for a conditional model, or None. Default: None, or that of
            the prior.
        **kwargs: of keras.Model.
    """

    through_z = True  # whether all of the gradient for the encoder has to come through z

    def __init__(self, encoder, decoder, bottleneck=None, likelihood=None, prior=None, condition=None, **kwargs):
        super().__init__(**kwargs)
        self.autocast = False  # x reaches the encoder as it is, whatever the dtype policy
        self.encoder = instance("encoder", encoder, keras.layers.Layer)
        decoder = _tied_decoder(encoder) if decoder is None else decoder
        self.decoder = instance("decoder", decoder, keras.layers.Layer)
        self.bottleneck = IdentityBottleneck() if bottleneck is None else instance("bottleneck", bottleneck, Bottleneck)
        if self.through_z and not self.bottleneck.carries_gradient:
            raise ValueError(
                f"`bottleneck` must draw z that carries the gradient: {type(self).__name__} computes more of it than "
                f"distortion and rate. Received: a {type(bottleneck).__name__} with "
                f"estimator={type(bottleneck.estimator).__name__}."
            )
        self.likelihood = SquaredError() if likelihood is None else instance("likelihood", likelihood, Likelihood)
        self.prior = None if prior is None else instance("prior", prior, Prior)
        condition = getattr(prior, "condition", None) if condition is None else condition
        self.condition = None if condition is None else instance("condition", condition, Condition)
        self.latent_shape = None
        self.track("distortion", *(["rate"] if self.has_rate else []), *(["elbo"] if self.has_density else []))

    @property
    def has_codes(self):
        """Whether the latents are integer codes."""
        return self.bottleneck.has_codes

    @property
    def is_discrete(self):
        """Whether the latents are discrete: codes, or binary and categorical variables."""
        return self.bottleneck.is_discrete

    @property
    def has_rate(self):
        """Whether a prior scores the latents: codes, or draws. A point mass under a density has no finite rate."""
        return self.prior is not None and (self.has_codes or self.bottleneck.is_random)

    @property
    def has_density(self):
        """Whether log p(x) has a bound: a likelihood that is a density, and a prior that scores the latents."""
        return self.likelihood.has_density and self.has_rate

    def build(self, input_shape):
        shapes = self.input_shapes(input_shape)
        shape = shapes["x"] if self.extra_inputs else shapes
        unknown = [size is None for size in shape[1:]]
        if len(shape) < 2 or any(unknown[1:]) or (unknown[0] and not self.masked):
            raise ValueError(f"`input_shape` must be (None, ...) with known sizes. Received: input_shape={shape}.")
        outputs = self.trace(input_shape)
        got, wanted = tuple(outputs["params"].shape[1:]), tuple(self.likelihood.params_shape(shape[1:]))
        if not fits(got, wanted):
            per_channel = self.likelihood.params_per_channel
            reason = f" ({per_channel} numbers for each channel)" if per_channel > 1 else ""
            raise ValueError(
                f"`decoder` must return {wanted} for {type(self.likelihood).__name__}{reason} on data of shape "
                f"{shape[1:]}. Received: {got}."
            )
        self.data_shape = self.image_shape = shape[1:]  # the latter is its old name, for one release more
        latents = outputs["indices" if self.has_codes else "z"]
        self.latent_shape = by_level(lambda part: tuple(part.shape[1:]), latents)
        # Used through their methods only. Keras would take them for unbuilt, and trace the model again in every `fit`.
        if not self.likelihood.built:
            self.likelihood.build((None, *got))
        learned_on = getattr(self.prior, "data_shape", None)
        if learned_on not in (None, self.latent_shape):
            raise ValueError(
                f"`prior` must be over latents of shape {self.latent_shape}. Received: a {type(self.prior).__name__} "
                f"of {learned_on}."
            )
        if self.prior is not None:
            self.prior.attach(self)
        if self.prior is not None and not self.prior.built:
            self._build_prior()
        if self.prior is not None and not self.prior.trainable:
            # Of a file: the weights that were made since are not frozen yet, and TensorFlow skips setting what is set.
            self.prior.trainable = True
            self.prior.trainable = False

    def _build_prior(self):
        shape, options = by_level(lambda part: (None, *part), self.latent_shape), {}
        if self.condition is not None and takes(self.prior.build, "condition_shape"):
            raw = keras.KerasTensor((None, *self.condition.input_shape_of_one), self.condition.input_dtype)
            options["condition_shape"] = tuple(self.condition.compute_output_spec(raw).shape)
        self.prior.build(shape, **options)

    def features(self, x, training, **seen):
        """Hook: x -> (h, dict of further outputs that `terms` asks for); all of it pure, and per example."""
        return call_part(self.encoder, x, training=training, **seen), {}

    def call(self, x, training=False):
        # `training` is handed on by name: JAX's `fit` runs this function outside of Keras's call context.
        x, extras = self.split(x)
        seen = self.net_inputs(extras)
        h, outputs = self.features(x, training, **seen)
        outputs = {**outputs, **self.bottleneck(h, training=training), **extras}
        outputs.update(self.decoded(outputs, x, training, **seen))
        outputs["reconstruction"] = self.likelihood.mean(outputs["params"])
        return outputs

    def decoded(self, outputs, x, training, **seen):
        """Hook: {"params"} of the latents in `outputs`, and what else is decoded; `seen` is what the nets may see."""
        return {"params": self.decode_params(outputs["z"], target=x, training=training, **seen)}

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        y = self.target(x) if y is None else y
        x, y = (ops.cast(t, self.input_dtype) for t in (self.target(x), y))  # integer and boolean images too
        return super().compute_loss(x, y, y_pred, sample_weight, training)

    def update_state(self, outputs, terms):
        if self.bottleneck.trainable:  # frozen: its moving averages stay too
            self.bottleneck.update(outputs)
        if self.prior is not None and self.prior.trainable:
            self.prior.update(outputs)

    def as_classifier(self, num_classes, **kwargs):
        """A classifier on the encoder: codes as `encode` gives them, then a softmax layer. The weights are shared.

        Args:
            num_classes: int >= 2.
            **kwargs: of `Classifier`, such as `dropout` and `corruption`.

        Returns:
            `Classifier`, built, to `compile` and `fit` on (x, integer labels); training it fine-tunes this encoder.

        Raises:
            ValueError: if this model has not been built, its latents are integer codes, or `num_classes` is not >= 2.
        """
        self._require_built()
        if self.is_discrete:
            raise ValueError(
                f"`as_classifier` needs continuous latents: codes are names, and modes let no gradient through. "
                f"Received: a {type(self).__name__} with a {type(self.bottleneck).__name__}."
            )
        classifier = Classifier(self.encoder, self.bottleneck, num_classes, **kwargs)
        classifier.build((None, *self.data_shape))
        return classifier

    def get_config(self):
        config = super().get_config()
        if hasattr(self.decoder, "tied_to") and self.decoder.tied_to() is self.encoder:
            config["decoder"] = None  # made anew, and tied to the encoder that is made anew
        if self.condition is not None and getattr(self.prior, "condition", None) is self.condition:
            config["condition"] = None  # the prior brings it
        return config

    def check_data(self, x, name="x"):
        values = check_values(
            name,
            x,
            shape=self.data_shape,
            interval=self.likelihood.interval,
            reason=type(self.likelihood).__name__,
            whole=self.likelihood.whole,
        )
        if values.ndim < 2:
            raise ValueError(f"`{name}` must have two axes or more, (batch, ...). Received: shape={values.shape}.")
        if self.likelihood.interval is None:
            self._warn_of_bytes(name, values)
        return values

    def _warn_of_bytes(self, name, values):
        """One warning for what looks like 8-bit images: no likelihood refuses them here, and no default fits them."""
        some = values[:: max(1, len(values) // 256)]
        low, high = float(some.min()), float(some.max())
        if low >= 0 and 100 <= high <= 255 and not vars(self).get("_warned_of_bytes"):
            vars(self)["_warned_of_bytes"] = True
            warnings.warn(
                f"`{name}` has values from {low:g} to {high:g}. {type(self.likelihood).__name__} takes any range, but "
                "learning rates, standard deviations and the weights of losses are meant for values of about one: "
                "divide 8-bit images by 255.",
                stacklevel=2,
            )


def _tied_decoder(encoder):
    if not hasattr(encoder, "tied_decoder"):
        raise TypeError(
            f"`decoder` may be None where the encoder has tied weights to offer, as an MLPEncoder has. "
            f"Received: encoder={type(encoder).__name__}, decoder=None."
        )
    return encoder.tied_decoder()
