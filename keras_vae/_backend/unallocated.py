"""Building a model that nobody vouches for: its weights are counted as they are declared, and get memory afterwards."""

import collections
import contextlib
import io
import math

import keras
from keras.src.backend.common import global_state
from keras.src.saving import saving_lib

VARIABLES, NAMES = "uninitialized_variables", "object_name_uids"  # where Keras keeps both, for each thread


class OverBudgetError(Exception):
    """More weights or more objects than were granted."""


@contextlib.contextmanager
def unallocated(numbers, variables, objects):
    """Inside, weights are declared and have no memory; they get it when the block ends well, and never otherwise.

    Keras itself builds layers so, while it traces a model: in a stateless scope, which keeps a list of the variables
    that are to be initialized when it ends. Here that list counts. So does the table from which Keras names layers and
    symbolic tensors, for a layer without weights takes time too.

    Args:
        numbers: int, how many numbers all weights together may hold.
        variables: int, how many weights there may be.
        objects: int, how many unnamed layers and symbolic tensors may be made.

    Raises:
        OverBudgetError: from inside the block, as soon as either is exceeded.
    """
    before = global_state.get_global_attribute(VARIABLES)
    names = _Names(global_state.get_global_attribute(NAMES) or {}, objects)
    weights = _Weights(numbers, variables)
    global_state.set_global_attribute(VARIABLES, weights)
    global_state.set_global_attribute(NAMES, names)
    try:
        with keras.StatelessScope():
            try:
                try:
                    yield
                finally:
                    names.check()  # Keras goes on after some errors, and what comes then hides this one
                    weights.check()
            except BaseException:
                global_state.set_global_attribute(VARIABLES, [])  # which the scope would initialize
                raise
    finally:
        global_state.set_global_attribute(VARIABLES, before)
        global_state.set_global_attribute(NAMES, collections.defaultdict(int, names))


class _Names(collections.defaultdict):
    def __init__(self, names, limit):
        super().__init__(int, names)
        self.limit, self.made = limit, 0

    def __setitem__(self, name, count):
        self.made += 1
        self.check()
        super().__setitem__(name, count)

    def check(self):
        if self.made > self.limit:
            raise OverBudgetError(f"it is made of more than {self.limit:,} layers and symbolic tensors")


class _Weights(list):
    def __init__(self, numbers, variables):
        super().__init__()
        self.limits = numbers, variables
        self.numbers = 0

    def append(self, variable):
        super().append(variable)
        self.numbers += math.prod(variable.shape)
        self.check()

    def check(self):
        numbers, variables = self.limits
        if self.numbers > numbers or len(self) > variables:
            raise OverBudgetError(f"it has more than {variables:,} weights, or more than {numbers:,} numbers in them")


def saved_weights(model):
    """name in the weights file -> the variable, or the array, that `model.save_weights` would write there.

    Nothing is written, and a variable need not have its memory.
    """
    store = _Store()
    saving_lib._save_state(model, store, None, "", set())
    return store.found


class _Store(saving_lib.H5IOStore):
    """Keras's store of weights, which keeps what it is handed."""

    def __init__(self):
        super().__init__(io.BytesIO(), mode="w")  # an empty file in memory
        self.found, self.place = {}, ""

    def make(self, path, metadata=None):
        self.place = f"{path}/vars" if path else "vars"
        return self

    def __setitem__(self, key, value):
        self.found[f"{self.place}/{key}"] = value


def start_at_zero(variables):
    """Spares `variables` that have no memory yet their own start, which costs time and is about to be overwritten.

    Args:
        variables: iterable of `keras.Variable`; others, and those that have their memory, are left as they are.
    """
    for variable in variables:
        if isinstance(variable, keras.Variable) and variable._initializer is not None:
            variable._initializer = keras.initializers.Zeros()
