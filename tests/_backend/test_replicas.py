"""Sums over replicas: the identity where there is one, right where there are two, and never in place."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_vae import _backend
from processes import finish, start

BACKEND = keras.backend.backend()


def test_one_replica():
    value = ops.convert_to_tensor([1.0, 2.0])
    np.testing.assert_array_equal(ops.convert_to_numpy(_backend.cross_replica_sum(value)), [1, 2])
    assert _backend.replica() == (0, 1)


@pytest.mark.slow
@pytest.mark.skipif(BACKEND != "tensorflow", reason="tf.distribute")
def test_two_replicas_of_tensorflow():
    script = """
        import tensorflow as tf

        cpu = tf.config.list_physical_devices("CPU")[0]
        tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
        strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
        from keras_vae import _backend

        @tf.function
        def step():
            index, count = _backend.replica()
            return _backend.cross_replica_sum(tf.stack([1.0, tf.cast(index, "float32"), tf.cast(count, "float32")]))

        for total in strategy.experimental_local_results(strategy.run(step)):
            assert total.numpy().tolist() == [2.0, 1.0, 4.0], total  # 1 + 1; indices 0 + 1; each is one of two: 2 + 2
    """
    finish(start(script))


@pytest.mark.slow
@pytest.mark.skipif(BACKEND != "tensorflow", reason="tf.distribute")
def test_two_replicas_draw_different_noise_for_equal_examples():
    script = """
        import tensorflow as tf

        cpu = tf.config.list_physical_devices("CPU")[0]
        tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
        strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
        import keras_vae

        with strategy.scope():
            layer = keras_vae.GaussianBottleneck(64, seed=1)
            layer.build((None, 3))

        @tf.function
        def step():
            return strategy.run(lambda: layer(tf.ones((2, 3)))["z"])

        draws = [z.numpy() for _ in range(2) for z in strategy.experimental_local_results(step())]
        for i, one in enumerate(draws):
            for other in draws[:i]:
                assert abs(one - other).mean() > 0.5, (one, other)
    """
    finish(start(script))


@pytest.mark.slow
@pytest.mark.skipif(BACKEND != "torch", reason="torch.distributed")
def test_two_processes_of_torch(tmp_path):
    script = """
        import sys
        import torch
        from keras_vae import _backend

        rank = int(sys.argv[1])
        torch.distributed.init_process_group("gloo", init_method="file://" + sys.argv[2], rank=rank, world_size=2)
        assert _backend.replica() == (rank, 2)
        import keras
        from keras_vae.layers import ReplicaSeedGenerator

        draw = keras.random.normal((64,), seed=ReplicaSeedGenerator(1))
        assert (draw - _backend.cross_replica_sum(draw) / 2).abs().mean() > 0.2  # half the distance of two draws
        value = torch.tensor([1.0, rank], requires_grad=True)
        total = _backend.cross_replica_sum(value)
        assert total.tolist() == [2.0, 1.0] and value.tolist() == [1.0, rank] and not total.requires_grad

        # Codebooks would be summed, and nets would drift apart: `fit` refuses.
        import harness
        from small_models import small

        model = small("vqvae")
        model.compile("adam")
        try:
            model.fit(harness.images(8), verbose=0)
        except RuntimeError as error:
            assert "`fit` must run in one process on torch" in str(error) and "with 2 processes." in str(error)
        else:
            raise AssertionError("it trained")
        torch.distributed.barrier()
        torch.distributed.destroy_process_group()  # or its threads may abort the process on its way out
    """
    for process in [start(script, rank, tmp_path / "group") for rank in (0, 1)]:
        finish(process)


@pytest.mark.slow
@pytest.mark.skipif(BACKEND != "jax", reason="one program over several devices")
def test_the_search_of_a_batch_split_over_two_jax_devices_moves_no_vector():
    script = """
        import jax
        import numpy as np
        from jax.sharding import NamedSharding, PartitionSpec
        from keras_vae import _backend

        mesh = jax.make_mesh((2,), ("batch",))
        rng = np.random.default_rng(0)
        vectors, codebook = (rng.normal(size=s).astype("float32") for s in ((1024, 8), (100, 8)))
        split = jax.device_put(vectors, NamedSharding(mesh, PartitionSpec("batch", None)))
        search = jax.jit(_backend.nearest_codes)
        assert "f32[1024,8]" not in search.lower(split, codebook).compile().as_text()
        assert (np.asarray(search(split, codebook)) == np.asarray(search(vectors, codebook))).all()
    """
    finish(start(script, XLA_FLAGS="--xla_force_host_platform_device_count=2"))
