"""Tracing on torch without memory for activations, for models that nobody vouches for."""

import torch
from keras.src.backend.common.symbolic_scope import in_symbolic_scope
from keras.src.backend.torch.core import get_device
from torch._subclasses.fake_tensor import FakeTensor, FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

STEPS = 100_000  # of all traces of one model, some seconds: loops over time are unrolled in a trace
FAKE = 10  # how many of them a step on fake tensors counts for
SMALL = 2**16  # numbers that a tensor may really have while a model is traced
BY_VALUE = (torch.ops.aten._local_scalar_dense.default,)  # which has no shape to find out


class SymbolicOnly(TorchDispatchMode):
    """Context in which tracing a model takes no memory, whatever the model is.

    Keras traces on torch's "meta" device. Where that fails, as it does for `UpSampling2D`, it goes on with ones, 83
    examples at a time. Here those are fake, too: all tensors are but small ones, on whose values a shape may depend.
    """

    def __init__(self):
        super().__init__()
        self.steps = 0
        self.fake = FakeTensorMode(allow_non_fake_inputs=True)

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        as_ever = not in_symbolic_scope() or get_device() == "meta"
        self.steps += 1 if as_ever else FAKE
        if self.steps > STEPS:
            raise RuntimeError(f"its symbolic trace has more than {STEPS:,} steps")
        if as_ever:
            return function(*args, **kwargs)
        real = not any(isinstance(leaf, FakeTensor) for leaf in tree_leaves((args, kwargs)))
        if real and function in BY_VALUE:
            return function(*args, **kwargs)
        with self.fake:
            result = function(*args, **kwargs)
        small = all(leaf.numel() <= SMALL for leaf in tree_leaves(result) if isinstance(leaf, torch.Tensor))
        return function(*args, **kwargs) if real and small else result
