"""The very few functions that differ by backend: one file per backend, the same names in each."""

from keras_vae._backend.quiet import quiet_tensorflow
from keras_vae._backend.select import choose_backend

choose_backend()  # before anything imports Keras
quiet_tensorflow()

import keras  # noqa: E402, I001

if keras.backend.backend() == "tensorflow":
    from keras_vae._backend.tensorflow import (
        JVP_COMPILES,
        SymbolicOnly,
        by_row,
        code_statistics,
        compiled,
        compiled_gradients,
        conv_transpose_same,
        counted_loop,
        cross_replica_sum,
        devices,
        digamma,
        fed,
        gamma_slope,
        jvp,
        kth_largest,
        lgamma,
        nearest_codes,
        replica,
        step_unless_skipped,
        write_slice,
    )
elif keras.backend.backend() == "jax":
    from keras_vae._backend.jax import (
        JVP_COMPILES,
        SymbolicOnly,
        by_row,
        code_statistics,
        compiled,
        compiled_gradients,
        conv_transpose_same,
        counted_loop,
        cross_replica_sum,
        devices,
        digamma,
        fed,
        gamma_slope,
        jvp,
        kth_largest,
        lgamma,
        nearest_codes,
        replica,
        step_unless_skipped,
        write_slice,
    )
elif keras.backend.backend() == "torch":
    from keras_vae._backend.torch import (
        JVP_COMPILES,
        SymbolicOnly,
        by_row,
        code_statistics,
        compiled,
        compiled_gradients,
        conv_transpose_same,
        counted_loop,
        cross_replica_sum,
        devices,
        digamma,
        fed,
        gamma_slope,
        jvp,
        kth_largest,
        lgamma,
        nearest_codes,
        replica,
        step_unless_skipped,
        write_slice,
    )
else:
    raise ImportError(
        f"keras_vae runs on tensorflow, jax and torch. Received: KERAS_BACKEND={keras.backend.backend()!r}."
    )

__all__ = [
    "JVP_COMPILES",
    "SymbolicOnly",
    "by_row",
    "code_statistics",
    "compiled",
    "compiled_gradients",
    "conv_transpose_same",
    "counted_loop",
    "cross_replica_sum",
    "devices",
    "digamma",
    "fed",
    "gamma_slope",
    "jvp",
    "kth_largest",
    "lgamma",
    "nearest_codes",
    "replica",
    "step_unless_skipped",
    "write_slice",
]
