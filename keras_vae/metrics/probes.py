"""How much a linear model can read from codes, and what the best linear code would do: scikit-learn's models."""

import numpy as np

from keras_vae.core.checks import integer, integers
from keras_vae.core.optional import require
from keras_vae.metrics.arrays import finite_array

SHAPE = "(batch, ...units)"
GRID = (0.01, 0.1, 1.0, 10.0)  # inverse strengths of the L2 penalty
MAX_ITER = 300  # of L-BFGS; scikit-learn warns where they were not enough


def linear_probe(codes, labels, test_codes, test_labels, seed=0):
    """Test error of a logistic regression on codes, by one fixed protocol.

    Codes are divided by one number, their root mean square. A tenth of the training examples, drawn by `seed`, chooses
    the strength of the L2 penalty out of four; then all of them are fitted again (multinomial, L-BFGS).

    Args:
        codes: array (n, ...), codes of training examples; what is not the first axis is flattened.
        labels: int array (n,).
        test_codes: array (m, ...).
        test_labels: int array (m,).
        seed: int >= 0, of the held-out tenth. Default: 0.

    Returns:
        float in [0, 1], the share of test examples that are wrong.

    Raises:
        ValueError: for shapes that do not fit, one class only, NaN or infinite values.
        ImportError: if scikit-learn is not installed.

    Example:
        >>> import numpy as np
        >>> x = np.random.default_rng(0).normal(size=(200, 3))
        >>> linear_probe(x[:100], x[:100, 0] > 0, x[100:], x[100:, 0] > 0) < 0.1
        True
    """
    codes, labels = _checked("codes", codes, "labels", labels)
    test_codes, test_labels = _checked("test_codes", test_codes, "test_labels", test_labels)
    _same_width("test_codes", test_codes, codes)
    seed = integer("seed", seed, low=0)
    if len(np.unique(labels)) < 2:
        raise ValueError(f"`labels` must hold two classes or more. Received: {np.unique(labels).tolist()}.")
    linear = require("sklearn.linear_model", "viz", "A linear probe")
    scale = float(np.sqrt(np.mean(np.square(codes), dtype="float64"))) or 1.0  # of numpy's own it would make float64
    codes, test_codes = codes / scale, test_codes / scale

    order = np.random.default_rng(seed).permutation(len(codes))
    codes, labels, rows = codes[order], labels[order], np.arange(len(codes))
    held, kept = np.split(rows, [max(1, len(rows) // 10)])
    if len(np.unique(labels[kept])) < 2:
        kept = rows  # so few labels that none can be spared
    search = require("sklearn.model_selection", "viz", "A linear probe").GridSearchCV(
        linear.LogisticRegression(max_iter=MAX_ITER, tol=1e-3), {"C": GRID}, cv=[(kept, held)], error_score="raise"
    )
    return float(1.0 - search.fit(codes, labels).score(test_codes, test_labels))


def few_label_errors(codes, labels, test_codes, test_labels, counts=(100, 1000), repeats=3, seed=0):
    """`linear_probe` on a few labelled examples, as many of each class: what a code is worth where labels are dear.

    Args:
        codes: array (n, ...), codes of training examples.
        labels: int array (n,).
        test_codes: array (m, ...).
        test_labels: int array (m,).
        counts: ints, numbers of labelled examples; each is shared evenly among the classes. Default: (100, 1000).
        repeats: int >= 1, draws of the examples, whose errors are averaged. Default: 3.
        seed: int >= 0. Default: 0.

    Returns:
        dict count -> mean test error in [0, 1].

    Raises:
        ValueError: as `linear_probe`, for a count that the classes do not divide, or for more than a class has.

    Example:
        >>> import numpy as np
        >>> x = np.random.default_rng(0).normal(size=(400, 2))
        >>> errors = few_label_errors(x, x[:, 0] > 0, x, x[:, 0] > 0, counts=(10, 200))
        >>> errors[10] > errors[200]
        True
    """
    codes, labels = _checked("codes", codes, "labels", labels)
    counts, repeats = integers("counts", counts, low=2), integer("repeats", repeats)
    classes = np.unique(labels)
    errors = {}
    for count in counts:
        each = count // len(classes)
        fewest = min(int((labels == c).sum()) for c in classes)
        if not 1 <= each <= fewest or each * len(classes) != count:
            raise ValueError(
                f"`counts` must be multiples of the {len(classes)} classes, at most {fewest * len(classes)} for these "
                f"labels. Received: {count}."
            )
        draws = []
        for repeat in range(repeats):
            rng = np.random.default_rng([integer("seed", seed, low=0), count, repeat])
            rows = np.concatenate([rng.choice(np.flatnonzero(labels == c), each, replace=False) for c in classes])
            draws.append(linear_probe(codes[rows], labels[rows], test_codes, test_labels, seed=repeat))
        errors[count] = float(np.mean(draws))
    return errors


def pca_error(x, test_x, latent_dim):
    """Squared error of PCA, summed over each test example and averaged: the best a linear code of that width can do.

    Args:
        x: array (n, ...), training data.
        test_x: array (m, ...).
        latent_dim: int >= 1, components kept.

    Returns:
        float >= 0, in squared units of x.

    Raises:
        ValueError: for shapes that do not fit, NaN or infinite values.
        ImportError: if scikit-learn is not installed.

    Example:
        >>> import numpy as np
        >>> x = np.random.default_rng(0).normal(size=(50, 1)) * np.ones((1, 4))
        >>> round(pca_error(x, x, 1), 6)
        0.0
    """
    x, test_x = (finite_array(n, v, SHAPE).reshape(len(v), -1) for n, v in (("x", x), ("test_x", test_x)))
    _same_width("test_x", test_x, x)
    if integer("latent_dim", latent_dim) > min(x.shape):
        raise ValueError(
            f"`latent_dim` must be at most {min(x.shape)} for {len(x)} examples of {x.shape[1]} values. "
            f"Received: latent_dim={latent_dim}."
        )
    model = require("sklearn.decomposition", "viz", "PCA").PCA(latent_dim, svd_solver="full")
    if len(x) > x.shape[1]:
        model.set_params(svd_solver="covariance_eigh")
    model.fit(x)
    return float(np.square(test_x - model.inverse_transform(model.transform(test_x))).sum(axis=1).mean())


def _same_width(name, values, wanted):
    if values.shape[1] != wanted.shape[1]:
        raise ValueError(f"`{name}` must have {wanted.shape[1]} values an example. Received: {values.shape[1]}.")


def _checked(name, codes, labels_name, labels):
    codes, labels = np.asarray(codes, "float32"), np.asarray(labels)
    finite_array(name, codes[:1], SHAPE)
    if not np.isfinite(codes).all():
        raise ValueError(f"`{name}` must be finite. Received: NaN or infinite values.")
    if labels.shape != (len(codes),):
        raise ValueError(f"`{labels_name}` must have shape ({len(codes)},). Received: shape {labels.shape}.")
    return codes.reshape(len(codes), -1), labels
