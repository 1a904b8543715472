"""The two halves of the bound on log p(x), of what `call` returned: distortion and rate."""

from keras import ops


class Bound:
    """Mixin: `terms` of every autoencoder, and what they are made of."""

    def terms(self, x, y, outputs, training):
        """{"distortion"}, with a prior "rate", and for a density "elbo": nats, (batch,). "loss" is the variant's."""
        _check_target(y.shape, outputs["reconstruction"].shape)
        terms = {"distortion": self.distortion(y, outputs)}
        if self.has_rate:
            terms["rate"] = self.rate(outputs)
        if self.has_density:
            terms["elbo"] = -(terms["distortion"] + terms["rate"])
        return terms

    def distortion(self, y, outputs):
        """-log p(y|z) of what `call` returned, (batch,)."""
        masked = {"mask": outputs["mask"]} if self.masked else {}
        y = ops.cast(y, self.input_dtype)
        distortion = -self.likelihood.log_prob(outputs["params"], y, **masked)

        def at(z):
            seen = self.net_inputs({name: outputs[name] for name in self.extra_inputs})
            params = self.decode_params(z, training=True, **seen)
            return -self.likelihood.log_prob(params, y, **masked)

        return self.estimated("distortion", distortion, outputs, at)

    def rate(self, outputs):
        """KL(q(z|x) || p(z)) of what `call` returned, nats, (batch,); of codes, -log p(codes)."""
        if self.masked and self.latents_in_time:
            return self.estimated("rate", ops.sum(self._shares(outputs), axis=-1), outputs)
        rate = self.prior.rate(self.bottleneck.posterior(outputs), outputs["z"], **self.prior_sees(outputs))
        return self.estimated("rate", rate, outputs)

    def elementwise_rate(self, outputs):
        """The share of each latent in `rate`, (batch, values), zero behind the end of a sequence; see `Prior`."""
        return self.estimated("shares", self._shares(outputs), outputs)

    def _shares(self, outputs):
        posterior, z = self.bottleneck.posterior(outputs), outputs["z"]
        each = self.prior.elementwise_rate(posterior, z, **self.prior_sees(outputs))
        return self.up_to_the_end(each, outputs)

    def estimated(self, name, value, outputs, at=None):
        """Hook: `value`, of the draw in `outputs`, with the gradient that the draw itself does not carry.

        Args:
            name: "distortion", "rate", or "shares" of the rate.
            value: float tensor (batch, ...).
            outputs: dict, what `call` returned.
            at: function of other latents, the value they would have, or None. Default: None.
        """
        return value

    def log_prob_of_latents(self, posterior, outputs):
        """log q(z|x) of latents in `outputs`, nats, (batch,): of a sequence without those behind its end."""
        if self.masked and self.latents_in_time:
            return ops.sum(self.up_to_the_end(posterior.elementwise_log_prob(outputs["z"]), outputs), axis=-1)
        return posterior.log_prob(outputs["z"])

    def log_prior_of_latents(self, outputs):
        """log p(z) of latents in `outputs`, nats, (batch,): of a sequence without those behind its end."""
        seen = self.prior_sees(outputs)
        if not (self.masked and self.latents_in_time):
            return self.prior.log_prob(outputs["z"], **seen)
        p = self.prior.distribution(outputs["z"], **seen)
        if p is None:
            raise TypeError(
                "`prior` must factorise over the moments of a masked sequence, as StandardNormal and FamilyPrior do. "
                f"Received: a {type(self.prior).__name__}."
            )
        return self.log_prob_of_latents(p, outputs)

    def up_to_the_end(self, each, outputs):
        """Numbers of each latent, (batch, values), with zeros for those behind the end of a sequence."""
        if not (self.masked and self.latents_in_time):
            return each
        mask = ops.cast(outputs["mask"], "bool")  # of each moment, which may have fewer shares than latents
        by_moment = ops.reshape(each, (*ops.shape(mask), -1))
        return ops.reshape(ops.where(mask[..., None], by_moment, 0.0), ops.shape(each))

    def prior_sees(self, outputs):
        """What the prior is given beside z, of what `call` returned: features of the condition, where there is one."""
        return {} if self.condition is None else {"condition": self.embed(outputs["condition"])}

    @property
    def latents_in_time(self):
        """Whether there are latents for each moment of a sequence."""
        shape = self.latent_shape
        follows = self.bottleneck.follows_time and isinstance(shape, tuple) and len(shape) > 1
        return follows and shape[0] == self.data_shape[0]


def _check_target(got, wanted):
    """Raises where a target is not shaped as the data: broadcast against it, it would give a wrong loss in silence."""
    if not fits(got[1:], wanted[1:]):
        accepted = ", ".join(str(size) for size in wanted[1:])
        raise ValueError(f"`y` must have shape (batch, {accepted}), that of x. Received: shape={tuple(got)}.")


def fits(got, wanted):
    """Whether two shapes agree, sizes that are not known left aside."""
    return len(got) == len(wanted) and all(None in pair or pair[0] == pair[1] for pair in zip(got, wanted, strict=True))
