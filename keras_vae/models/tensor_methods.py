"""The paths through a trained autoencoder as pure functions of tensors, to be compiled, served and composed."""

from keras import ops, tree

from keras_vae.models.parts import call_part


class TensorMethods:
    """Mixin: posterior, latents, data and importance weights of tensors; no random state is touched."""

    def net_inputs(self, extras):
        """What the nets may see beside their input, from the further inputs of `call`: features of the condition."""
        if "condition" not in extras:
            return extras
        return {**extras, "condition": self.embed(extras["condition"])}

    def decode_params(self, z, condition=None, target=None, mask=None, training=False):
        """The decoder's output for `z`: the one place that calls it, with what its `call` has arguments for.

        Args:
            z: latents as the decoder takes them: codes looked up.
            condition: features of the condition, or None. Default: None.
            target: the data, for an autoregressive decoder. Default: None.
            mask: (batch, time), or None. Default: None.
            training: bool. Default: False.
        """
        return call_part(self.decoder, z, training=training, condition=condition, target=target, mask=mask)

    def encode_parameters(self, x):
        """What the bottleneck makes a posterior of, for x as `call` takes it; no draw."""
        return self.bottleneck.parameters(self.encode_features(x))

    def encode_features(self, x):
        """The encoder's features of x as `call` takes it."""
        x, extras = self.split(x)
        return call_part(self.encoder, x, **self.net_inputs(extras))

    def posterior(self, x):
        """q(z|x) as a distribution of tensors; over indices for a model with codes."""
        return self.bottleneck.posterior(self.encode_parameters(x))

    def encode_tensors(self, x, noise=None):
        """Latents of x, tensors: the draw that belongs to `noise`, or the mode without. Integers of a quantizer."""
        posterior = self.posterior(x)
        return posterior.mode if noise is None else posterior.sample_from(noise)

    def decode_tensors(self, z, condition=None, noise=None, **seen):
        """E[x|z], float32 tensor, from latents or integer codes; from an autoregressive decoder the draw of `noise`."""
        z = self.bottleneck.lookup(z)
        if condition is not None:
            seen["condition"] = self.embed(condition)
        if noise is not None:
            return call_part(self.decoder, noise, z, method="sample_from", **seen)
        return self.likelihood.mean(self.decode_params(z, **seen))

    def prior_tensors(self, noise, condition=None, **controls):
        """Latents drawn from the prior, tensors."""
        given = {} if condition is None else {"condition": self.embed(condition)}
        return self.prior.sample_from(noise, **given, **controls)

    def log_weights_tensors(self, x, noise):
        """log p(x, z) - log q(z|x) at the draws of `noise`, (batch, samples, ...) each: (batch, samples)."""
        samples = ops.shape(tree.flatten(noise)[0])[1]  # TensorFlow relaxes it to an unknown size
        posterior = self.posterior(x).repeat(samples)
        z = posterior.sample_from(tree.map_structure(_joined, noise))
        x, extras = self.split(tree.map_structure(lambda part: ops.repeat(part, samples, axis=0), x))
        seen = self.net_inputs(extras)
        params = self.decode_params(z, target=x, **seen)
        masked = {name: seen[name] for name in ("mask",) if name in seen}
        outputs = {"z": z, **extras}
        log_joint = self.likelihood.log_prob(params, x, **masked) + self.log_prior_of_latents(outputs)
        log_weights = log_joint - self.log_prob_of_latents(posterior, outputs)
        return ops.reshape(log_weights, (-1, samples))


def _joined(noise):
    """(batch, samples, ...) -> (batch x samples, ...)."""
    return ops.reshape(noise, (-1, *noise.shape[2:]))
