"""Probes and counts on codes: a perfect code, a useless one, and numbers worked out by hand."""

import numpy as np
import pytest

import harness
from keras_vae.metrics import dead_units, few_label_errors, linear_probe, pca_error, saturation

pytest.importorskip("sklearn")
RNG = np.random.default_rng(0)
LABELS = RNG.integers(0, 3, 300)
CLEAN = np.eye(3)[LABELS] + 0.05 * RNG.normal(size=(300, 3))
NOISE = RNG.normal(size=(300, 3))


def test_a_perfect_and_a_useless_code():
    assert linear_probe(CLEAN[:200], LABELS[:200], CLEAN[200:], LABELS[200:]) == 0.0
    assert 0.5 < linear_probe(NOISE[:200], LABELS[:200], NOISE[200:], LABELS[200:]) < 0.85  # of three classes


def test_the_scale_of_a_code_and_its_shape_do_not_matter():
    mixed = CLEAN + 0.5 * NOISE
    errors = [
        linear_probe(code[:200], LABELS[:200], code[200:], LABELS[200:])
        for code in (mixed, 1000.0 * mixed, mixed.reshape(300, 1, 3))
    ]
    assert 0.0 < errors[0] < 0.3 and errors[1] == errors[0] == errors[2]


def test_few_labels_are_shared_evenly_and_repeatable():
    mixed = CLEAN + 0.5 * NOISE
    arguments = (mixed[:200], LABELS[:200], mixed[200:], LABELS[200:])
    errors = few_label_errors(*arguments, counts=(6, 120), repeats=2)
    assert list(errors) == [6, 120] and errors[6] > errors[120]
    assert errors == few_label_errors(*arguments, counts=(6, 120), repeats=2)


def test_pca_is_the_truncated_svd():
    x, other = (RNG.normal(size=(n, 6)) @ RNG.normal(size=(6, 6)) + 2.0 for n in (50, 20))
    mean = x.mean(axis=0)
    _, _, rows = np.linalg.svd(x - mean, full_matrices=False)
    left_over = (other - mean) @ rows[2:].T
    assert pca_error(x, other, 2) == pytest.approx(np.square(left_over).sum(axis=1).mean(), rel=1e-6)
    assert pca_error(x.reshape(50, 2, 3), other.reshape(20, 2, 3), 2) == pytest.approx(pca_error(x, other, 2))


def test_saturated_and_dead_units_by_hand():
    h = [[0.0, 0.04, 0.5], [0.0, 0.96, 0.2]]
    assert saturation(h) == pytest.approx(4 / 6)
    assert saturation(h, edge=0.25) == pytest.approx(5 / 6)
    assert dead_units(h) == pytest.approx(1 / 3)
    assert dead_units(h, threshold=0.5) == pytest.approx(2 / 3)


def test_bad_input():
    good = (CLEAN[:9], LABELS[:9], CLEAN[9:], LABELS[9:])
    harness.check_refuses(lambda: linear_probe(CLEAN[:9] * np.nan, *good[1:]), "`codes` must be finite")
    harness.check_refuses(lambda: linear_probe(good[0], LABELS[:8], *good[2:]), r"must have shape \(9,\)")
    harness.check_refuses(lambda: linear_probe(good[0], np.zeros(9), *good[2:]), "two classes or more")
    harness.check_refuses(lambda: few_label_errors(*good, counts=(2,)), "`counts` must be multiples of the 3 classes")
    harness.check_refuses(lambda: few_label_errors(*good, counts=(4,)), "`counts` must be multiples.* Received: 4")
    harness.check_refuses(lambda: linear_probe(*good[:2], CLEAN[9:, :1], LABELS[9:]), "`test_codes` must have")
    harness.check_refuses(lambda: linear_probe(*good[:3], LABELS[:2]), "`test_labels` must have shape")
    harness.check_refuses(lambda: pca_error(CLEAN, CLEAN[:, :1], 1), "`test_x` must have")
    harness.check_refuses(lambda: pca_error(CLEAN, CLEAN, 99), "`latent_dim` must be at most")
    harness.check_refuses(lambda: saturation([[1.5, 0.0]]), r"`h` must be in \[0, 1\]")
    harness.check_refuses(lambda: saturation([[0.5, 0.0]], edge=0.5), r"`edge` must be in \(0, 0.5\)")
