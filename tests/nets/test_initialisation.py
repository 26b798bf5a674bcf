from __future__ import annotations

import numpy as np
import pytest

from engine.nets.initialisation import convolution_aware


@pytest.mark.parametrize("shape", [(3, 3, 6, 4), (5, 5, 40, 3)])
def test_convolution_aware_kernels_have_the_variance_that_keeps_a_signals(shape):
    kernels = convolution_aware(np.random.default_rng(1), shape)
    assert kernels.shape == shape
    assert kernels.var() == pytest.approx(2 / np.prod(shape[:3]), rel=1e-4)


def test_the_spectra_of_one_filters_kernels_are_nearly_orthogonal():
    kernels = convolution_aware(np.random.default_rng(2), (5, 5, 8, 1))[..., 0]
    spectra = np.fft.rfft2(kernels.transpose(2, 0, 1)).real.reshape(8, -1)
    spectra /= np.linalg.norm(spectra, axis=1, keepdims=True)
    random = np.random.default_rng(2).normal(size=(8, 5, 5))
    of_random = np.fft.rfft2(random).real.reshape(8, -1)
    of_random /= np.linalg.norm(of_random, axis=1, keepdims=True)
    off = ~np.eye(8, dtype=bool)
    assert np.abs((spectra @ spectra.T)[off]).mean() < np.abs((of_random @ of_random.T)[off]).mean()
