"""Arrays of a device are handed over without a copy and live as long as anyone holds them."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import numpy as np
import pytest

from sbmlgrad.engines.cuda.device import CUDA, HOST, DeviceArray, DeviceSample

SHAPES_AND_TYPES = [
    ((3, 2, 5), np.float64),
    ((7,), np.int8),
    ((4,), np.int64),
    ((1, 1), np.float64),
]


class Memory:
    """As numba's simulator has it: an array of the host with the methods of one of a device."""

    def __init__(self, array: np.ndarray) -> None:
        self.array = array

    def __getattr__(self, name: str) -> Any:
        return getattr(self.array, name)

    def copy_to_host(self) -> np.ndarray:
        return self.array.copy()


class OnGpu:
    """As numba has an array of a device; nothing reads the memory."""

    shape = (2, 3)
    dtype = np.dtype(np.float64)
    __cuda_array_interface__ = {"data": (4096, False), "shape": (2, 3), "version": 3}  # noqa: RUF012


def numbers(shape: tuple[int, ...], dtype: type) -> np.ndarray:
    return np.arange(int(np.prod(shape))).reshape(shape).astype(dtype)


@pytest.mark.parametrize(("shape", "dtype"), SHAPES_AND_TYPES)
def test_numpy_takes_the_memory_itself(shape: tuple[int, ...], dtype: type) -> None:
    memory = numbers(shape, dtype)
    array = DeviceArray(Memory(memory))
    taken = np.from_dlpack(array)
    assert taken.dtype == dtype
    np.testing.assert_array_equal(taken, memory)
    assert np.shares_memory(taken, memory)
    assert array.shape == shape


@pytest.mark.parametrize(("shape", "dtype"), SHAPES_AND_TYPES)
def test_tensorflow_takes_the_capsule(shape: tuple[int, ...], dtype: type) -> None:
    import tensorflow as tf

    memory = numbers(shape, dtype)
    tensor = tf.experimental.dlpack.from_dlpack(DeviceArray(Memory(memory)).__dlpack__())
    np.testing.assert_array_equal(tensor.numpy(), memory)


def test_memory_lives_as_long_as_it_is_held() -> None:
    memory = Memory(numbers((3, 4), np.float64))
    alive = weakref.ref(memory)
    array = DeviceArray(memory)
    taken = np.from_dlpack(array)
    del memory, array
    gc.collect()
    assert alive() is not None
    np.testing.assert_array_equal(taken, numbers((3, 4), np.float64))
    del taken
    gc.collect()
    assert alive() is None


def test_a_capsule_that_nobody_takes_is_given_up() -> None:
    memory = Memory(numbers((3, 4), np.float64))
    alive = weakref.ref(memory)
    capsule = DeviceArray(memory).__dlpack__()
    del memory
    gc.collect()
    assert alive() is not None
    del capsule
    gc.collect()
    assert alive() is None


def test_arrays_of_a_gpu_say_where_they_are() -> None:
    array = DeviceArray(OnGpu(), device=3)
    assert array.__dlpack_device__() == (CUDA, 3)
    assert DeviceArray(Memory(np.zeros(2)), device=3).__dlpack_device__() == (HOST, 0)
    assert array.__cuda_array_interface__["data"] == (4096, False)
    with pytest.raises(BufferError, match="without a copy"):
        array.__dlpack__(copy=True)
    with pytest.raises(BufferError, match="where it lies"):
        array.__dlpack__(dl_device=(HOST, 0))


def test_copies_have_the_trajectory_first() -> None:
    def on_device(array: np.ndarray) -> DeviceArray:
        return DeviceArray(Memory(array))

    values = numbers((3, 2, 5), np.float64)
    states = numbers((2, 5), np.float64)
    rows = [on_device(numbers((5,), t)) for t in (np.int8, np.int64, np.int64, np.float64)]
    sample = DeviceSample(on_device(values), *rows, on_device(states), engine="Cuda()").to_sample()
    assert sample.values.shape == (5, 3, 2)
    assert sample.values[4, 1, 0] == values[1, 0, 4]
    assert sample.end_states.shape == (5, 2)
    assert sample.end_states[3, 1] == states[1, 3]
    assert sample.values.flags.c_contiguous
