"""The nearest code: exact, ties to the lowest index, any number of vectors, no gradient, bounded memory."""

import subprocess
import sys
import textwrap

import keras
import numpy as np
import pytest
from keras import ops

from keras_vae import _backend

BACKEND = keras.backend.backend()


def arrays(n, k, d, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, d)).astype("float32"), rng.normal(size=(k, d)).astype("float32")


def brute_force(vectors, codebook):
    vectors, codebook = vectors.astype("float64"), codebook.astype("float64")
    return np.array([np.square(v - codebook).sum(-1).argmin() for v in vectors])


def nearest(vectors, codebook):
    indices = _backend.nearest_codes(ops.convert_to_tensor(vectors), ops.convert_to_tensor(codebook))
    return ops.convert_to_numpy(indices)


def compiled(function):
    """`function` of tensors as `fit` would run it: traced once for any number of rows, where the backend can."""
    if BACKEND == "tensorflow":
        import tensorflow as tf

        return tf.function(function, reduce_retracing=True)
    if BACKEND == "jax":
        import jax

        return jax.jit(function)
    return function


# One vector; fewer than a block of vectors; one more than a block; codes that do not fill a block; K > n; D = 1.
@pytest.mark.parametrize(
    "n, k, d", [(1, 2, 1), (1, 512, 64), (100, 64, 8), (129, 65, 3), (2051, 700, 16), (4097, 3, 2), (50, 5000, 4)]
)
def test_equals_brute_force_in_float64(n, k, d):
    vectors, codebook = arrays(n, k, d)
    indices = nearest(vectors, codebook)
    assert indices.dtype == "int32" and indices.shape == (n,)
    np.testing.assert_array_equal(indices, brute_force(vectors, codebook))


@pytest.mark.parametrize("n, k, d", [(7, 513, 64), (129, 515, 63), (300, 1000, 5)])
def test_equal_codes_tie_to_the_lowest_index(n, k, d):
    vectors, codebook = arrays(n, k, d)
    codebook = np.concatenate([codebook, codebook[::-1]])[np.random.default_rng(1).permutation(2 * k)]
    lowest = {}
    for index, code in enumerate(codebook):
        lowest.setdefault(code.tobytes(), index)
    indices = nearest(vectors, codebook)
    np.testing.assert_array_equal(indices, [lowest[codebook[i].tobytes()] for i in indices])
    np.testing.assert_array_equal(indices, brute_force(vectors, codebook))


def test_a_codebook_of_equal_rows_gives_code_zero():
    np.testing.assert_array_equal(nearest(arrays(200, 1, 6)[0], np.ones((97, 6), "float32")), np.zeros(200))


def test_codes_are_their_own_nearest():
    _, codebook = arrays(1, 600, 32)
    np.testing.assert_array_equal(nearest(codebook, codebook), np.arange(600))


def test_a_vector_that_is_not_a_number_still_gets_a_valid_index():
    vectors, codebook = arrays(300, 100, 4)
    vectors[::3], vectors[1::3] = np.nan, np.inf
    indices = nearest(vectors, codebook)
    assert indices.min() >= 0 and indices.max() < 100
    np.testing.assert_array_equal(indices[2::3], brute_force(vectors[2::3], codebook))


def test_compiled_with_any_number_of_vectors():
    _, codebook = arrays(1, 200, 8)
    function = compiled(_backend.nearest_codes)
    for n in (1, 5, 128, 129, 1000):
        vectors, _ = arrays(n, 1, 8, seed=n)
        got = ops.convert_to_numpy(function(ops.convert_to_tensor(vectors), ops.convert_to_tensor(codebook)))
        np.testing.assert_array_equal(got, brute_force(vectors, codebook))


def test_symbolic_batch():
    vectors, codebook = arrays(60, 70, 8)

    class Search(keras.layers.Layer):
        def call(self, x):
            indices = _backend.nearest_codes(ops.reshape(x, (-1, 8)), ops.convert_to_tensor(codebook))
            return ops.reshape(indices, (-1, 5))

    inputs = keras.Input((5, 8))
    model = keras.Model(inputs, Search()(inputs))
    assert model.output_shape == (None, 5)
    got = model.predict(vectors.reshape(12, 5, 8), batch_size=5, verbose=0)
    np.testing.assert_array_equal(got.reshape(-1), brute_force(vectors, codebook))


def test_passes_no_gradient():
    vectors, codebook = map(ops.convert_to_tensor, arrays(20, 9, 3))

    def function(x):  # the tangent of an index is zero, so that only the plain sum is left
        return ops.sum(x, -1) + ops.cast(_backend.nearest_codes(x, codebook), "float32")

    _, tangent = ops.jvp(function, (vectors,), (ops.ones_like(vectors),))
    np.testing.assert_allclose(ops.convert_to_numpy(tangent), np.full(20, 3.0), rtol=1e-6)


@pytest.mark.skipif(BACKEND == "torch", reason="SavedModels are written by TensorFlow and JAX")
def test_exports_with_a_dynamic_batch(tmp_path):
    tf = pytest.importorskip("tensorflow")
    _, codebook = arrays(1, 130, 8)

    def function(vectors):
        return _backend.nearest_codes(vectors, ops.convert_to_tensor(codebook))

    if BACKEND == "jax":
        from jax.experimental import jax2tf

        function = jax2tf.convert(function, polymorphic_shapes=["(n, 8)"], with_gradient=False)
    module = tf.Module()
    module.search = tf.function(function, input_signature=[tf.TensorSpec((None, 8))], autograph=False)
    tf.saved_model.save(module, str(tmp_path))
    loaded = tf.saved_model.load(str(tmp_path))
    for n in (1, 129, 300):
        vectors, _ = arrays(n, 1, 8, seed=n)
        np.testing.assert_array_equal(loaded.search(tf.constant(vectors)).numpy(), brute_force(vectors, codebook))


@pytest.mark.slow
def test_memory_of_a_large_codebook_is_bounded():
    # The distances of all 32768 vectors to all 8192 codes would be 1024 MB; the call may take a tenth of it.
    script = """
        import resource, numpy as np
        from keras_vae import _backend
        from keras import ops
        rng = np.random.default_rng(0)
        draw = lambda n: ops.convert_to_tensor(rng.normal(size=(n, 4)).astype("float32"))
        vectors, codebook = draw(32768), draw(8192)
        peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        ops.convert_to_numpy(_backend.nearest_codes(vectors[:1], codebook[:2]))  # loads what a first call loads
        before = peak()  # KiB
        ops.convert_to_numpy(_backend.nearest_codes(vectors, codebook))
        print((peak() - before) // 1024)
    """
    run = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, check=True)
    assert int(run.stdout.split()[-1]) < 100


@pytest.mark.skipif(BACKEND != "tensorflow", reason="the other backends multiply in float32 by default")
def test_three_products_of_tf32_are_one_of_float32(monkeypatch):
    """What a GPU would do is emulated: both factors of a product lose all but 11 bits."""
    import tensorflow as tf

    from keras_vae._backend import tensorflow as backend

    def cut(x):
        bits = np.asarray(x).view("int32")
        return ((bits + 0x1000) & ~0x1FFF).view("float32")

    exact = tf.matmul
    monkeypatch.setattr(backend.tf, "matmul", lambda a, b, **kwargs: exact(cut(a), cut(b), **kwargs))
    a, b = arrays(64, 32, 65)
    reference = a.astype("float64") @ b.T
    scale = np.abs(a).astype("float64") @ np.abs(b).T
    got = backend.product_in_three(tf.constant(a), tf.constant(b), transpose_b=True).numpy()
    assert (np.abs(got - reference) / scale).max() < 1e-6
    rounded = backend.tf.matmul(a, b, transpose_b=True).numpy()
    assert (np.abs(rounded - reference) / scale).max() > 1e-5  # the emulation does round
