"""The abstract quantizer of several codebooks: an index of each on the last axis."""

from keras_vae.bottlenecks.codebook import Codebook
from keras_vae.bottlenecks.quantizer import Quantizer
from keras_vae.core.checks import instance


class SeveralCodebooks(Quantizer):
    """Abstract: features -> codes of several codebooks of the same K, (batch, ..., codebooks).

    The codebooks are layers of their own, which learn as they do alone: by gradient, by moving averages.

    Args:
        parts: sequence of Codebook, each a layer of its own, of one `codebook_size`; a subclass has a name for them.
        **kwargs: of keras.layers.Layer; the dtype is float32 always.
    """

    fixed = ("codebook_size",)
    adapts = True
    argument = "parts"  # what a user knows the codebooks by

    def __init__(self, parts, **kwargs):
        instance(self.argument, parts, (list, tuple))
        parts = [instance(f"{self.argument}[{i}]", part, Codebook) for i, part in enumerate(parts)]
        different = len({id(part) for part in parts})
        if not parts or different < len(parts):
            raise ValueError(
                f"`{self.argument}` must be one or more codebooks, each a layer of its own. "
                f"Received: {len(parts)} codebooks, {different} of them different."
            )
        sizes = [part.codebook_size for part in parts]
        if len(set(sizes)) > 1:
            raise ValueError(
                f"`{self.argument}` must have one codebook_size. Received: {self.argument} of codebook_size={sizes}."
            )
        super().__init__(sizes[0], **kwargs)
        self.parts = parts

    @property
    def codebooks(self):
        """How many codebooks there are, all of K codes: the last axis of the indices."""
        return len(self.parts)

    @property
    def learned_by_gradient(self):
        """Whether the loss of a codebook is a term of the model's."""
        return any(part.learned_by_gradient for part in self.parts)

    def update(self, outputs):
        for i, (part, found) in enumerate(zip(self.parts, outputs["parts"], strict=True)):
            if part.trainable:
                part.update({**found, **self.weights_of(i, outputs)})

    def weights_of(self, i, outputs):
        """{"sample_weight"} for the update of codebook i, (batch,), or nothing where all examples count alike."""
        return {name: outputs[name] for name in ("sample_weight",) if name in outputs}


def learned_from(outputs):
    """Of what the `call` of a codebook returned, what its `update` takes."""
    return {name: outputs[name] for name in ("indices", "z_e") if name in outputs}
