"""The abstract variational autoencoder."""

from keras import ops, tree

from keras_vae import _backend
from keras_vae.bottlenecks import GaussianBottleneck
from keras_vae.core.checks import integer
from keras_vae.estimators.estimator import Draw
from keras_vae.likelihoods import BernoulliLikelihood
from keras_vae.models.autoencoder import Autoencoder
from keras_vae.models.parts import takes
from keras_vae.priors import StandardNormal
from keras_vae.training import held


class Variational(Autoencoder):
    """Abstract: a posterior that is drawn from, a prior, and loss = distortion + the terms in `loss_weights`.

    A sibling of the VAE says by `loss_weights` what its loss is made of, and by `loss_terms` what is new in it.

    With `num_samples` draws of z per example, in training and evaluation alike, each term is the mean of its draws:
    the encoder runs once, the decoder on a batch that is so many times as large. The bound is the same and its estimate
    less noisy; the tighter bound of several draws is that of `IWAE`.

    Args:
        encoder: keras layer or model, x -> features; the head of the posterior is the bottleneck's.
        decoder: keras layer or model, z -> raw parameters of the likelihood, linear at the end.
        latent_dim: int >= 1, latents of a Gaussian bottleneck; may be left out if `bottleneck` is given. Default: None.
        bottleneck: Bottleneck with a posterior. Default: GaussianBottleneck(latent_dim).
        likelihood: Likelihood. Default: BernoulliLikelihood().
        prior: Prior. Default: StandardNormal().
        num_samples: int >= 1, draws of z per example. Default: 1.
        **kwargs: `condition` of Autoencoder, and of keras.Model.
    """

    of_bound = False  # whether its loss is the bound of several draws
    through_z = False  # but for what the estimator of a bottleneck adds

    def __init__(
        self, encoder, decoder, latent_dim=None, bottleneck=None, likelihood=None, prior=None, num_samples=1, **kwargs
    ):
        bottleneck = _gaussian_or(bottleneck, latent_dim)
        likelihood = BernoulliLikelihood() if likelihood is None else likelihood
        prior = StandardNormal() if prior is None else prior
        super().__init__(encoder, decoder, bottleneck=bottleneck, likelihood=likelihood, prior=prior, **kwargs)
        self.latent_dim = latent_dim
        self.num_samples = integer("num_samples", num_samples)
        own = self.bottleneck.estimator
        if own is not None and own.takes_jvp:
            self.supports_jit = _backend.JVP_COMPILES
            _refuse_target(self.decoder, own)
        if not self.of_bound and own is not None and own.has_bound:
            raise ValueError(
                f"`bottleneck` must have an estimator for single draws: {type(own).__name__} is for `IWAE`. "
                f"Received: a {type(self).__name__}."
            )
        _check_supports(self.bottleneck, self.prior)

    @property
    def loss_weights(self):
        """What the loss adds to the distortion: name of a term -> its weight, a number or a scalar weight."""
        return {"rate": 1.0}

    def decoded(self, outputs, x, training, **seen):
        if self.num_samples == 1:
            return super().decoded(outputs, x, training, **seen)
        drawn = self.bottleneck.draws(outputs, self.num_samples, training)
        params = self.decode_params(drawn["z"], target=self.repeated(x), training=training, **self.repeated(seen))
        draws = self.by_draw({**drawn, "params": params})
        return {**_each_once(lambda part: part[:, 0], draws), "draws": draws}

    def terms(self, x, y, outputs, training):
        return self.total(self.loss_terms(x, y, outputs, training), **self.loss_weights)

    def loss_terms(self, x, y, outputs, training):
        """Hook: the terms that `loss_weights` names, and those that are only logged, (batch,) each."""
        return self.mean_of_draws(self.terms_of_rows(x, y, self.rows(outputs), training))

    def rows(self, outputs):
        """`outputs` with a row for each draw, (batch * num_samples, ...): its own z and params, the rest repeated."""
        if self.num_samples == 1:
            return outputs
        kept = {name: part for name, part in outputs.items() if name not in ("draws", "reconstruction")}
        draws = _each_once(lambda part: ops.reshape(part, (-1, *ops.shape(part)[2:])), outputs["draws"])
        # The reconstruction is looked at for its shape alone.
        return {**self.repeated(kept), **draws, "reconstruction": outputs["reconstruction"]}

    def terms_of_rows(self, x, y, rows, training):
        """The terms of every Autoencoder, of each draw: (batch * num_samples,)."""
        return super().terms(self.repeated(x), self.repeated(y), rows, training)

    def estimated(self, name, value, outputs, at=None):
        if self.bottleneck.estimator is None:
            return value
        posterior, z, sees = self.bottleneck.posterior(outputs), outputs["z"], self.prior_sees(outputs)
        if name != "distortion" and self.prior.has_closed_rate(posterior, z, **sees):
            return value  # which is the same for every draw

        def held_at(z):
            with held(self):  # tied weights and those of a condition too
                return at(z)

        draw = Draw(z, posterior, outputs.get("beside", {}), lambda: self.log_posterior(outputs), held_at)
        return self.bottleneck.estimator.through(name, value, draw)

    def log_posterior(self, outputs):
        """log q(z|x) of the draw in `outputs`, nats, (batch,)."""
        return self.log_prob_of_latents(self.bottleneck.posterior(outputs), outputs)

    def side_loss(self, outputs, terms):
        own = self.bottleneck.estimator
        return None if own is None else own.side_loss(terms, outputs.get("beside", {}))

    def update_state(self, outputs, terms):
        super().update_state(outputs, terms)
        if self.bottleneck.estimator is not None and self.bottleneck.trainable:
            self.bottleneck.estimator.update(terms, outputs.get("beside", {}), outputs.get("sample_weight"))

    def repeated(self, parts):
        """A nest of (batch, ...), each example repeated for its draws: (batch * num_samples, ...)."""
        if self.num_samples == 1:
            return parts
        return tree.map_structure(lambda part: ops.repeat(part, self.num_samples, axis=0), parts)

    def by_draw(self, rows):
        """A nest of (batch * num_samples, ...) with an axis for the draws: (batch, num_samples, ...)."""
        return _each_once(lambda part: ops.reshape(part, (-1, self.num_samples, *ops.shape(part)[1:])), rows)

    def mean_of_draws(self, rows):
        """A nest of (batch * num_samples, ...), averaged over the draws of each example: (batch, ...)."""
        if self.num_samples == 1:
            return rows
        return tree.map_structure(lambda part: ops.mean(part, axis=1), self.by_draw(rows))


def _refuse_target(decoder, estimator):
    """Raises for a decoder that sees the data, which an estimator that decodes other latents cannot give it."""
    if takes(decoder.call, "target"):
        raise ValueError(
            f"`decoder` must not see the data, as one with an argument `target` does, for {type(estimator).__name__}. "
            f"Received: decoder={type(decoder).__name__}."
        )


def _each_once(function, parts):
    """`function` of each tensor of a nest; one that is there twice stays one: a flow knows its own draw by that."""
    found = {}

    def once(part):
        if id(part) not in found:
            found[id(part)] = function(part)
        return found[id(part)]

    return tree.map_structure(once, parts)


def _check_supports(bottleneck, prior):
    """Raises where the posterior draws what the prior takes for impossible: the rate would be infinite."""
    if bottleneck.values != prior.values:
        raise ValueError(
            f"`prior` must be over {bottleneck.values or 'continuous'} latents, for a {type(bottleneck).__name__}. "
            f"Received: a {type(prior).__name__}, over {prior.values or 'continuous'} ones."
        )
    if bottleneck.support is None or prior.support is None:
        return
    (low, high), (least, most) = bottleneck.support, prior.support
    if low < least or high > most:
        raise ValueError(
            f"`prior` must be a density wherever the posterior draws, in ({low:g}, {high:g}). Received: a "
            f"{type(prior).__name__} on ({least:g}, {most:g})."
        )


def _gaussian_or(bottleneck, latent_dim):
    """`bottleneck`, or a GaussianBottleneck(latent_dim) where none is given; raises where the two contradict."""
    if bottleneck is None:
        if latent_dim is None:
            raise ValueError(
                "`latent_dim` must be an integer >= 1 where no `bottleneck` is given. Received: latent_dim=None."
            )
        return GaussianBottleneck(latent_dim)
    if not getattr(bottleneck, "is_random", True):
        raise ValueError(
            "`bottleneck` must draw z from a density, as GaussianBottleneck does. "
            f"Received: bottleneck={type(bottleneck).__name__}."
        )
    own = getattr(bottleneck, "latent_dim", None)
    if latent_dim is not None and own != latent_dim:
        raise ValueError(
            f"`latent_dim` must be that of the `bottleneck`, {own}, or be left out. Received: latent_dim={latent_dim}."
        )
    return bottleneck
