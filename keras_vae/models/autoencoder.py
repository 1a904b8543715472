"""The abstract autoencoder: encoder -> bottleneck -> decoder -> likelihood, with a prior over the latents."""

import warnings

import keras
from keras import ops

from keras_vae.bottlenecks import Bottleneck, IdentityBottleneck
from keras_vae.core.checks import instance
from keras_vae.likelihoods import Likelihood, SquaredError
from keras_vae.models.classifier import Classifier
from keras_vae.models.host_methods import HostMethods
from keras_vae.priors import Prior
from keras_vae.training import TermsModel, check_values


class Autoencoder(HostMethods, TermsModel):
    """Abstract: x -> encoder -> h -> bottleneck -> z -> decoder -> params -> likelihood; a prior scores the posterior.

    A variant overrides `terms`, and only where it must a constructor or `call`. Methods named `*_tensors` are pure and
    can be traced into other graphs; those of `HostMethods` (`encode`, `decode`, `sample`, ...) take and return numpy.

    Args:
        encoder: keras layer or model, x -> features.
        decoder: keras layer or model, z -> raw parameters of the likelihood, linear at the end; None for tied weights,
            which an encoder that has a `tied_decoder()` makes, as MLPEncoder does.
        bottleneck: Bottleneck, features -> z. Default: IdentityBottleneck().
        likelihood: Likelihood. Default: SquaredError().
        prior: Prior over the latents, or None. Default: None.
        **kwargs: of keras.Model.
    """

    def __init__(self, encoder, decoder, bottleneck=None, likelihood=None, prior=None, **kwargs):
        super().__init__(**kwargs)
        self.autocast = False  # x reaches the encoder as it is, whatever the dtype policy
        self.encoder = instance("encoder", encoder, keras.layers.Layer)
        decoder = _tied_decoder(encoder) if decoder is None else decoder
        self.decoder = instance("decoder", decoder, keras.layers.Layer)
        self.bottleneck = IdentityBottleneck() if bottleneck is None else instance("bottleneck", bottleneck, Bottleneck)
        self.likelihood = SquaredError() if likelihood is None else instance("likelihood", likelihood, Likelihood)
        self.prior = None if prior is None else instance("prior", prior, Prior)
        self.image_shape = None
        self.latent_shape = None
        self.track("distortion")
        if self.prior is not None:
            self.track("rate", *(["elbo"] if self.has_density else []))

    @property
    def is_discrete(self):
        """Whether the latents are integer codes."""
        return self.bottleneck.is_discrete

    @property
    def has_density(self):
        """Whether log p(x) has a bound: a likelihood that is a density, and a prior."""
        return self.likelihood.has_density and self.prior is not None

    def build(self, input_shape):
        input_shape = tuple(input_shape)
        if len(input_shape) < 2 or any(size is None for size in input_shape[1:]):
            raise ValueError(
                f"`input_shape` must be (None, ...) with known sizes. Received: input_shape={input_shape}."
            )
        outputs = self.trace(input_shape)
        per_channel = self.likelihood.params_per_channel
        wanted = (*input_shape[1:-1], input_shape[-1] * per_channel)
        got = tuple(outputs["params"].shape[1:])
        if got != wanted:
            reason = f" ({per_channel} numbers for each channel)" if per_channel > 1 else ""
            raise ValueError(
                f"`decoder` must return {wanted} for {type(self.likelihood).__name__}{reason} on data of shape "
                f"{input_shape[1:]}. Received: {got}."
            )
        self.image_shape = input_shape[1:]
        self.latent_shape = tuple(outputs["indices" if self.is_discrete else "z"].shape[1:])
        # Used through their methods only. Keras would take them for unbuilt, and trace the model again in every `fit`.
        for part, shape in ((self.likelihood, got), (self.prior, self.latent_shape)):
            if part is not None and not part.built:
                part.build((None, *shape))

    def features(self, x, training):
        """Hook: x -> (h, dict of further outputs that `terms` asks for); all of it pure, and per example."""
        return self.encoder(x, training=training), {}

    def call(self, x, training=False):
        # `training` is handed on by name: JAX's `fit` runs this function outside of Keras's call context.
        x = ops.cast(x, "float32")  # what the encoder computes in is its own affair: it may take off a mean first
        h, outputs = self.features(x, training)
        outputs = {**outputs, **self.bottleneck(h, training=training)}
        outputs["params"] = self.decoder(outputs["z"], training=training)
        outputs["reconstruction"] = self.likelihood.mean(outputs["params"])
        return outputs

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        x, y = (None if t is None else ops.cast(t, "float32") for t in (x, y))  # integer and boolean images too
        return super().compute_loss(x, y, y_pred, sample_weight, training)

    def terms(self, x, y, outputs, training):
        """{"distortion"}, with a prior "rate", and for a density "elbo": nats, (batch,). "loss" is the variant's."""
        _check_target(y.shape, outputs["reconstruction"].shape)
        terms = {"distortion": -self.likelihood.log_prob(outputs["params"], ops.cast(y, "float32"))}
        if self.prior is not None:
            terms["rate"] = self.prior.rate(self.bottleneck.posterior(outputs), outputs["z"])
        if self.has_density:
            terms["elbo"] = -(terms["distortion"] + terms["rate"])
        return terms

    def update_state(self, outputs):
        if self.bottleneck.trainable:  # frozen: its moving averages stay too
            self.bottleneck.update(outputs)

    def posterior(self, x):
        """q(z|x) as a distribution of tensors; over indices for a discrete model."""
        return self.bottleneck.posterior(self.bottleneck.parameters(self.encoder(ops.cast(x, "float32"))))

    def encode_tensors(self, x, noise=None):
        """Latents of x, tensors: the draw that belongs to `noise`, or the mode without. Integer codes if discrete."""
        posterior = self.posterior(x)
        return posterior.mode if noise is None else posterior.sample_from(noise)

    def decode_tensors(self, z):
        """E[x|z], float32 tensor, from latents or integer codes."""
        return self.likelihood.mean(self.decoder(self.bottleneck.lookup(z)))

    def log_weights_tensors(self, x, noise):
        """log p(x, z) - log q(z|x) at the draws of `noise` (batch, samples, *latent_shape): (batch, samples)."""
        samples = ops.shape(noise)[1]  # TensorFlow relaxes it to an unknown size when a second one comes
        posterior = self.posterior(x).repeat(samples)
        z = posterior.sample_from(ops.reshape(noise, (-1, *self.latent_shape)))
        log_joint = self.likelihood.log_prob(self.decoder(z), ops.repeat(ops.cast(x, "float32"), samples, axis=0))
        log_weights = log_joint + self.prior.log_prob(z) - posterior.log_prob(z)
        return ops.reshape(log_weights, (-1, samples))

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
                f"`as_classifier` needs continuous latents: integer codes are names and not magnitudes. "
                f"Received: a {type(self).__name__} with a {type(self.bottleneck).__name__}."
            )
        classifier = Classifier(self.encoder, self.bottleneck, num_classes, **kwargs)
        classifier.build((None, *self.image_shape))
        return classifier

    def get_config(self):
        config = super().get_config()
        if hasattr(self.decoder, "tied_to") and self.decoder.tied_to() is self.encoder:
            config["decoder"] = None  # made anew, and tied to the encoder that is made anew
        return config

    def check_data(self, x, name="x"):
        values = check_values(
            name,
            x,
            shape=self.image_shape,
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

    def export(self, filepath, format="tf_saved_model", **kwargs):
        """Writes the model for serving; a SavedModel has the signatures serving_default, encode, decode and sample.

        Args:
            filepath: str or path. A SavedModel goes to a version folder in TF-Serving's layout ("serving/faces/1").
            format: str. "tf_saved_model" is ours; other formats are Keras's own. Default: "tf_saved_model".
            **kwargs: of `keras_vae.export.export_saved_model`, or of `keras.Model.export`.

        Returns:
            The folder written.
        """
        if format != "tf_saved_model":
            return super().export(filepath, format=format, **kwargs)
        # The one import against the layering: users expect this method here.
        from keras_vae.export import export_saved_model

        return export_saved_model(self, filepath, **kwargs)


def _tied_decoder(encoder):
    if not hasattr(encoder, "tied_decoder"):
        raise TypeError(
            f"`decoder` may be None where the encoder has tied weights to offer, as an MLPEncoder has. "
            f"Received: encoder={type(encoder).__name__}, decoder=None."
        )
    return encoder.tied_decoder()


def _check_target(got, wanted):
    """Raises where a target is not shaped as the data: broadcast against it, it would give a wrong loss in silence."""
    sizes = zip(got[1:], wanted[1:], strict=False)
    if len(got) != len(wanted) or any(None not in pair and pair[0] != pair[1] for pair in sizes):
        accepted = ", ".join(str(size) for size in wanted[1:])
        raise ValueError(f"`y` must have shape (batch, {accepted}), that of x. Received: shape={tuple(got)}.")
