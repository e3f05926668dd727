"""Results that stay on the device, and how other libraries take them without a copy (DLPack)."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.engines.base import Sample

#: Kinds of memory and of numbers in DLPack (dlpack.h of its version 1.0).
HOST, CUDA = 1, 2
_NUMBER_KINDS = {"i": 0, "u": 1, "f": 2}
_CAPSULE = b"dltensor"


@dataclass(frozen=True, eq=False)
class DeviceArray:
    """An array in the memory of a GPU, for any library that knows DLPack or CUDA arrays.

    `cupy.from_dlpack(array)` and `torch.from_dlpack(array)` take the object itself,
    `tensorflow.experimental.dlpack.from_dlpack(array.__dlpack__())` takes the capsule. None of them
    copies; the memory lives as long as any of them holds it.

    Attributes:
        memory: numba's array (on its simulator, one in the memory of the host).
        device: number of the device.
    """

    memory: Any
    device: int = 0

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of the axes."""
        return tuple(int(n) for n in self.memory.shape)

    @property
    def dtype(self) -> np.dtype:
        """Type of the numbers."""
        return np.dtype(self.memory.dtype)

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        return self.memory.__cuda_array_interface__

    def to_numpy(self) -> NDArray[Any]:
        """Copy to the host."""
        if not self._is_on_gpu():
            return np.asarray(self.memory.copy_to_host())
        from numba import cuda

        with cuda.gpus[self.device]:
            return self.memory.copy_to_host()

    def __dlpack_device__(self) -> tuple[int, int]:
        return (CUDA, self.device) if self._is_on_gpu() else (HOST, 0)

    def __dlpack__(
        self,
        *,
        stream: Any = None,
        max_version: Any = None,
        dl_device: Any = None,
        copy: bool | None = None,
    ) -> Any:
        """Return a DLPack capsule; the array is complete, so no stream need wait for it."""
        if copy or (dl_device is not None and tuple(dl_device) != self.__dlpack_device__()):
            raise BufferError(
                "this array is handed over where it lies, without a copy; use to_numpy() for one"
            )
        if self._is_on_gpu():
            address = int(self.__cuda_array_interface__["data"][0])
        else:
            address = int(self.memory.ctypes.data)
        return _capsule(self, address, self.__dlpack_device__())

    def _is_on_gpu(self) -> bool:
        # The simulator's arrays wrap those of NumPy.
        return not hasattr(self.memory, "ctypes")


@dataclass(frozen=True, eq=False)
class DeviceSample:
    """A sample whose arrays are on the device, the trajectory as the last axis.

    Attributes:
        values: float64 [point, column, trajectory]; columns as in `Sample`.
        outcomes: int8 [trajectory].
        firings: int64 [trajectory].
        failed_reaction: int64 [trajectory].
        end_times: float64 [trajectory].
        end_states: float64 [species, trajectory].
        engine: the engine.
    """

    values: DeviceArray
    outcomes: DeviceArray
    firings: DeviceArray
    failed_reaction: DeviceArray
    end_times: DeviceArray
    end_states: DeviceArray
    engine: str

    def to_sample(self) -> Sample:
        """Copy to the host, with the trajectory as the first axis."""
        return Sample(
            values=np.ascontiguousarray(np.moveaxis(self.values.to_numpy(), 2, 0)),
            outcomes=self.outcomes.to_numpy(),
            firings=self.firings.to_numpy(),
            failed_reaction=self.failed_reaction.to_numpy(),
            end_times=self.end_times.to_numpy(),
            end_states=np.ascontiguousarray(self.end_states.to_numpy().T),
            engine=self.engine,
        )


class _Tensor(ctypes.Structure):
    """DLManagedTensor of dlpack.h, with its DLTensor written out."""


_Delete = ctypes.CFUNCTYPE(None, ctypes.POINTER(_Tensor))
_Tensor._fields_ = [
    ("data", ctypes.c_void_p),
    ("device_kind", ctypes.c_int32),
    ("device", ctypes.c_int32),
    ("axes", ctypes.c_int32),
    ("number_kind", ctypes.c_uint8),
    ("bits", ctypes.c_uint8),
    ("lanes", ctypes.c_uint16),
    ("shape", ctypes.POINTER(ctypes.c_int64)),
    ("strides", ctypes.POINTER(ctypes.c_int64)),
    ("byte_offset", ctypes.c_uint64),
    ("holder", ctypes.c_void_p),
    ("delete", _Delete),
]


@dataclass(eq=False)
class _Holder:
    """What must live as long as a tensor that was handed over."""

    array: DeviceArray
    lengths: Any
    tensor: _Tensor


@_Delete
def _delete(tensor: Any) -> None:
    # The last reference to the tensor itself goes with its holder.
    holder = ctypes.cast(tensor.contents.holder, ctypes.py_object)
    ctypes.pythonapi.Py_DecRef(holder)


@ctypes.CFUNCTYPE(None, ctypes.c_void_p)
def _delete_unused(capsule: int) -> None:
    # Whoever takes the tensor renames the capsule and deletes the tensor itself.
    api = ctypes.pythonapi
    is_valid = ctypes.PYFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_char_p)(
        ("PyCapsule_IsValid", api)
    )
    pointer = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_char_p)(
        ("PyCapsule_GetPointer", api)
    )
    if is_valid(capsule, _CAPSULE):
        _delete(ctypes.cast(pointer(capsule, _CAPSULE), ctypes.POINTER(_Tensor)))


def _capsule(array: DeviceArray, address: int, device: tuple[int, int]) -> Any:
    lengths = (ctypes.c_int64 * max(len(array.shape), 1))(*array.shape)
    tensor = _Tensor(
        data=address,
        device_kind=device[0],
        device=device[1],
        axes=len(array.shape),
        number_kind=_NUMBER_KINDS[array.dtype.kind],
        bits=8 * array.dtype.itemsize,
        lanes=1,
        shape=ctypes.cast(lengths, ctypes.POINTER(ctypes.c_int64)),
        strides=None,
        byte_offset=0,
        delete=_delete,
    )
    holder = _Holder(array, lengths, tensor)
    tensor.holder = id(holder)
    new = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p)(
        ("PyCapsule_New", ctypes.pythonapi)
    )
    destructor = ctypes.cast(_delete_unused, ctypes.c_void_p)
    capsule = new(ctypes.addressof(tensor), _CAPSULE, destructor)
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(holder))
    return capsule
