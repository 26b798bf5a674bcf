"""3 x 3 convolutions in 4/9 of the multiplications: Winograd's F(2 x 2, 3 x 3).

A picture is cut into tiles of 4 x 4 pixels that overlap by 2. With tile d and filter g, the 2 x 2
pixels that the tile gives are A'[(G g G') * (B' d B)]A, and the sum over channels makes one matrix
product of each of the 16 places of a tile (Lavin and Gray, "Fast Algorithms for Convolutional
Neural Networks", 2015). What is around the products is compiled by XLA into single passes.

Transforms add and subtract up to four numbers, so results are less exact than those of a plain
convolution by a factor of 2 to 3: 1e-6 of the results' spread in float32, 5e-3 in bfloat16. The
transforms themselves are computed in float32. In bfloat16 pictures are therefore convolved as
usual, and gradients alone this way: one of three seeds learned 8 % worse with both (`.docs`,
training).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import tensorflow as tf

Tensor = Any
Matrix = Sequence[Sequence[float]]
Gradient = Callable[[Tensor], tuple[Tensor, Tensor]]

# What a line of a tile is made into; transposed, what its gradient is made of.
_FROM_PICTURE: Matrix = ((1, 0, -1, 0), (0, 1, 1, 0), (0, -1, 1, 0), (0, 1, 0, -1))
_FROM_FILTER: Matrix = ((1, 0, 0), (0.5, 0.5, 0.5), (0.5, -0.5, 0.5), (0, 0, 1))
_TO_PICTURE: Matrix = ((1, 1, 1, 0), (0, 1, -1, -1))

_compiled = partial(tf.function, jit_compile=True, autograph=False)


# Least tiles, for what transforms of the filters cost, and least multiplications for each number
# that is transformed. Below, little is gained (forward and back 0.8 of oneDNN's time instead of
# 0.55; 2 Zen 4 cores, float32 and bfloat16), and every further shape takes a second to compile.
_LEAST_TILES = 64
_LEAST_WORK = 50


def pays(pictures: Sequence[Any], filters: Sequence[int]) -> bool:
    """Whether `convolve` is faster than a plain convolution of pictures (n, h, w, c) with filters
    (k, k, c, o). On GPUs cuDNN knows better; an unknown n may be 1."""
    if pictures[0] is None or tuple(filters[:2]) != (3, 3):
        return False
    count, height, width, channels_in = pictures
    channels_out = filters[-1]
    tiles = count * height * width // 4
    work = channels_in * channels_out / (channels_in + channels_out)
    even = height % 2 == 0 and width % 2 == 0
    worthwhile = tiles >= _LEAST_TILES and work >= _LEAST_WORK
    return even and worthwhile and not tf.config.get_visible_devices("GPU")


def convolve(x: Tensor, weight: Tensor) -> Tensor:
    """The convolution of (n, h, w, c) with (3, 3, c, o) and zeros around, in x's type; h and w are
    even. `weight` is float32, and so is its gradient."""

    weight = tf.convert_to_tensor(weight)  # of a variable
    return _exact(x, weight) if x.dtype == tf.float32 else _rounded(x, weight)


@tf.custom_gradient  # type: ignore[untyped-decorator]
def _exact(x: Tensor, weight: Tensor) -> tuple[Tensor, Gradient]:
    tiles, filters = _tiles(x), _filters(weight, like=x)

    def gradient(upstream: Tensor) -> tuple[Tensor, Tensor]:
        return _gradients(x, tiles, filters, upstream)

    return _pictures(tf.matmul(tiles, filters), *x.shape[1:3]), gradient


@tf.custom_gradient  # type: ignore[untyped-decorator]
def _rounded(x: Tensor, weight: Tensor) -> tuple[Tensor, Gradient]:
    def gradient(upstream: Tensor) -> tuple[Tensor, Tensor]:
        return _gradients(x, _tiles(x), _filters(weight, like=x), upstream)

    return tf.nn.conv2d(x, tf.cast(weight, x.dtype), 1, "SAME"), gradient


def _gradients(
    x: Tensor, tiles: Tensor, filters: Tensor, upstream: Tensor
) -> tuple[Tensor, Tensor]:
    """Of x and of the weight."""
    products = _products_gradient(upstream)
    of_tiles = tf.matmul(products, filters, transpose_b=True)
    of_filters = tf.matmul(tiles, products, transpose_a=True)
    return _tiles_gradient(of_tiles, *x.shape[1:3]), _filters_gradient(of_filters)


@_compiled
def _tiles(x: Tensor) -> Tensor:
    """(n, h, w, c) to (16, n * h/2 * w/2, c)."""
    _, height, width, channels = x.shape
    padded = tf.pad(tf.cast(x, tf.float32), ((0, 0), (1, 1), (1, 1), (0, 0)))
    lines = [padded[:, place : place + height - 1 : 2] for place in range(4)]
    rows = tf.stack(_combined(_FROM_PICTURE, lines))
    parts = [rows[:, :, :, place : place + width - 1 : 2] for place in range(4)]
    tiles = tf.stack(_combined(_FROM_PICTURE, parts), axis=1)
    return tf.cast(tf.reshape(tiles, (16, -1, channels)), x.dtype)


@_compiled
def _tiles_gradient(of_tiles: Tensor, height: int, width: int) -> Tensor:
    """The adjoint of `_tiles`: tiles are added up where they overlap."""
    places = _places(of_tiles, height, width)
    lines = _combined(_transposed(_FROM_PICTURE), tf.unstack(places))
    rows = tf.stack(_overlapped(lines, axis=2), axis=3)
    parts = _combined(_transposed(_FROM_PICTURE), tf.unstack(rows))
    cells = tf.stack(_overlapped(parts, axis=3), axis=4)
    padded = tf.reshape(cells, (-1, height + 2, width + 2, of_tiles.shape[-1]))
    return tf.cast(padded[:, 1:-1, 1:-1], of_tiles.dtype)


@_compiled
def _filters(weight: Tensor, like: Tensor) -> Tensor:
    """(3, 3, c, o) to (16, c, o), in the type of `like`."""
    rows = tf.stack(_combined(_FROM_FILTER, tf.unstack(weight)))
    filters = tf.stack(_combined(_FROM_FILTER, tf.unstack(rows, axis=1)), axis=1)
    return tf.cast(tf.reshape(filters, (16, *weight.shape[2:])), like.dtype)


@_compiled
def _filters_gradient(of_filters: Tensor) -> Tensor:
    """The adjoint of `_filters`, float32."""
    exact = tf.cast(of_filters, tf.float32)
    places = tf.reshape(exact, (4, 4, *of_filters.shape[1:]))
    rows = tf.stack(_combined(_transposed(_FROM_FILTER), tf.unstack(places)))
    return tf.stack(_combined(_transposed(_FROM_FILTER), tf.unstack(rows, axis=1)), axis=1)


@_compiled
def _pictures(products: Tensor, height: int, width: int) -> Tensor:
    """(16, n * h/2 * w/2, o) to (n, h, w, o)."""
    places = _places(products, height, width)
    rows = tf.stack(_combined(_TO_PICTURE, tf.unstack(places)), axis=3)
    cells = tf.stack(_combined(_TO_PICTURE, tf.unstack(rows)), axis=4)
    return tf.cast(tf.reshape(cells, (-1, height, width, products.shape[-1])), products.dtype)


@_compiled
def _products_gradient(upstream: Tensor) -> Tensor:
    """The adjoint of `_pictures`."""
    exact = tf.cast(upstream, tf.float32)
    lines = [exact[:, place::2] for place in range(2)]
    rows = tf.stack(_combined(_transposed(_TO_PICTURE), lines))
    parts = [rows[:, :, :, place::2] for place in range(2)]
    products = tf.stack(_combined(_transposed(_TO_PICTURE), parts), axis=1)
    return tf.cast(tf.reshape(products, (16, -1, upstream.shape[-1])), upstream.dtype)


def _combined(matrix: Matrix, parts: Sequence[Tensor]) -> list[Tensor]:
    """matrix @ parts."""
    return [
        tf.add_n([part * factor for factor, part in zip(row, parts, strict=True) if factor])
        for row in matrix
    ]


def _transposed(matrix: Matrix) -> Matrix:
    return tuple(zip(*matrix, strict=True))


def _places(stacked: Tensor, height: int, width: int) -> Tensor:
    """(16, n * h/2 * w/2, c) to (4, 4, n, h/2, w/2, c), float32."""
    shape = (4, 4, -1, height // 2, width // 2, stacked.shape[-1])
    return tf.reshape(tf.cast(stacked, tf.float32), shape)


def _overlapped(places: Sequence[Tensor], axis: int) -> list[Tensor]:
    """What each second pixel of a line gets from the four places of all tiles along `axis`, which
    becomes one longer: pixel 2t + p is place p of tile t and place p + 2 of the tile before."""
    after = [(0, int(i == axis)) for i in range(5)]
    before = [(int(i == axis), 0) for i in range(5)]
    return [tf.pad(places[p], after) + tf.pad(places[p + 2], before) for p in range(2)]
