"""Variants as a user would write them, each of a kind that the zoo's own are not (yet): what the base must carry."""

import keras
from keras import layers, ops

import keras_vae
from keras_vae.bottlenecks import Quantizer
from keras_vae.ops import Noise

registered = keras.saving.register_keras_serializable(package="keras_vae")


@registered
class CausalPrior(keras_vae.LearnedPrior):
    """p(codes) = prod_t p(code_t | sum of the embeddings of the codes before, and the condition)."""

    input_dtype = "int32"

    def __init__(self, codebook_size, units=8, **kwargs):
        super().__init__(**kwargs)
        self.codebook_size, self.units = codebook_size, units
        self.data_interval = (0, codebook_size - 1)
        self.table = layers.Embedding(codebook_size, units)
        self.hidden = layers.Dense(units)
        self.given = layers.Dense(units, use_bias=False) if self.condition is not None else None
        self.head = layers.Dense(codebook_size)

    def build(self, input_shape, condition_shape=None):
        shape = self.input_shapes(input_shape)
        self.shape = tuple((shape["x"] if self.extra_inputs else shape)[1:])
        self.length = 1
        for size in self.shape:
            self.length *= size
        self.positions = self.add_weight(shape=(self.length, self.units), name="positions")
        super().build(input_shape)

    def logits(self, before, positions, condition):
        h = self.hidden(before) + positions
        if self.given is not None:
            offset = self.given(condition)
            h = h + (offset[:, None] if len(before.shape) == 3 else offset)
        return self.head(ops.tanh(h))

    def log_prob(self, z, condition=None):
        codes = ops.reshape(ops.cast(z, "int32"), (-1, self.length))
        embedded = self.table(codes)
        before = ops.cumsum(embedded, axis=1) - embedded
        log_probs = ops.log_softmax(self.logits(before, ops.convert_to_tensor(self.positions), condition), axis=-1)
        chosen = ops.sum(ops.one_hot(codes, self.codebook_size) * log_probs, axis=-1)
        return ops.sum(chosen, axis=-1)

    def sample_from(self, noise, condition=None):
        uniform = ops.reshape(noise, (-1, self.length))
        positions = ops.convert_to_tensor(self.positions)
        batch = ops.shape(uniform)[0]

        def step(t, state):
            before, codes = state
            probabilities = ops.softmax(self.logits(before, ops.take(positions, t, axis=0), condition), axis=-1)
            below = ops.cumsum(probabilities, axis=-1) < ops.take(uniform, t, axis=1)[:, None]
            code = ops.minimum(ops.sum(ops.cast(below, "int32"), axis=-1), self.codebook_size - 1)
            here = ops.cast(ops.equal(ops.arange(self.length), t), "int32")
            return before + self.table(code), codes + here * code[:, None]

        start = ops.zeros((batch, self.units)), ops.zeros((batch, self.length), dtype="int32")
        return ops.reshape(ops.fori_loop(0, self.length, step, start)[1], (-1, *self.shape))


@registered
class TwoLevels(Quantizer):
    """Codes of the first and of the last features at each position, as a dict."""

    def __init__(self, codebook_size, embedding_dim, **kwargs):
        super().__init__(codebook_size, **kwargs)
        self.embedding_dim = embedding_dim
        self.levels = {
            name: keras_vae.VectorQuantizerEMA(size, embedding_dim, seed=i)
            for i, (name, size) in enumerate(self.codebook_size.items())
        }

    def build(self, input_shape):
        for level in self.levels.values():
            level.build((*input_shape[:-1], self.embedding_dim))

    def call(self, h, training=False):
        parts = zip(self.levels, ops.split(h, len(self.levels), axis=-1), strict=True)
        outputs = {name: self.levels[name](part, training=training) for name, part in parts}
        return {
            "z": ops.concatenate([outputs[name]["z"] for name in self.levels], axis=-1),
            "indices": {name: outputs[name]["indices"] for name in self.levels},
            "commitment": sum(outputs[name]["commitment"] for name in self.levels),
            "levels": outputs,
        }

    def update(self, outputs):
        weight = {name: outputs[name] for name in ("sample_weight",) if name in outputs}
        for name, level in self.levels.items():
            level.update({**outputs["levels"][name], **weight})

    def lookup(self, latents):
        return ops.concatenate([self.levels[name].lookup(latents[name]) for name in self.levels], axis=-1)


@registered
class SequenceVAE(keras_vae.VAE):
    """VAE of sequences of several lengths, with latents for each moment."""

    masked = True


@registered
class SequenceAutoencoder(keras_vae.PlainAutoencoder):
    masked = True


@registered
class AutoregressiveDecoder(layers.Layer):
    """logits_t = a(z) + b x_(t-1) on vectors x of zeros and ones."""

    def __init__(self, size, **kwargs):
        super().__init__(**kwargs)
        self.size = size
        self.offsets = layers.Dense(size)

    def build(self, z_shape, target_shape=None):
        self.offsets.build(z_shape)
        self.carry = self.add_weight(shape=(), initializer=keras.initializers.Constant(2.0), name="carry")

    def call(self, z, target=None):
        before = ops.pad(target[:, :-1], ((0, 0), (1, 0)))
        return self.offsets(z) + ops.convert_to_tensor(self.carry) * before

    def noise_spec(self, data_shape):
        return Noise("uniform", data_shape)

    def sample_from(self, noise, z):
        offsets, carry = self.offsets(z), ops.convert_to_tensor(self.carry)
        x, before = [], ops.zeros_like(offsets[:, 0])
        for t in range(self.size):
            before = ops.cast(noise[:, t] < ops.sigmoid(offsets[:, t] + carry * before), "float32")
            x.append(before)
        return ops.stack(x, axis=1)

    def get_config(self):
        return {**super().get_config(), "size": self.size}


def code_vqvae(quantizer=None, size=4):
    """A VQVAE of 8x8 images in four codes, by dense nets."""
    quantizer = keras_vae.VectorQuantizerEMA(8, size, seed=1) if quantizer is None else quantizer
    encoder = keras.Sequential([layers.Flatten(), layers.Dense(4 * size), layers.Reshape((4, size))])
    decoder = keras.Sequential([layers.Flatten(), layers.Dense(64), layers.Reshape((8, 8, 1))])
    return keras_vae.VQVAE(encoder, decoder, quantizer)


def trained_code_vqvae(x, epochs, batch_size):
    """The same, trained on 8x8 images."""
    keras.utils.set_random_seed(0)
    model = code_vqvae()
    model.compile("adam")
    model.fit(x, epochs=epochs, batch_size=batch_size, verbose=0)
    return model
