"""Manifests for side-cars, over a hash that is computed here.

The library's own way to sign beside copies the whole film twice, in memory or on the disk for
temporary files. Its native interface also signs over a given hash (`sign_data_hashed_embeddable`),
which its Python module leaves out: this module alone reaches past that. What it gives is a manifest
as any other; tests read it back by the Python module.
"""

from __future__ import annotations

import ctypes
import json

import c2pa
from c2pa.c2pa import _lib, _read_native_error

_SIDECAR = b"application/c2pa"
_Bytes = ctypes.POINTER(ctypes.c_ubyte)

_placeholder = _lib.c2pa_builder_data_hashed_placeholder
_placeholder.argtypes = (
    ctypes.c_void_p,
    ctypes.c_size_t,
    ctypes.c_char_p,
    ctypes.POINTER(_Bytes),
)
_placeholder.restype = ctypes.c_int64
_sign = _lib.c2pa_builder_sign_data_hashed_embeddable
_sign.argtypes = (
    ctypes.c_void_p,
    ctypes.c_void_p,
    ctypes.c_char_p,
    ctypes.c_char_p,
    ctypes.c_void_p,
    ctypes.POINTER(_Bytes),
)
_sign.restype = ctypes.c_int64


def sign_hash(builder: c2pa.Builder, signer: c2pa.Signer, sha256: str) -> bytes:
    """The manifest store of a file with that sha256 (hex), for a side-car. Raises `C2paError`."""
    reserved = signer.reserve_size()
    out = _Bytes()
    # Makes room for the hash among the assertions; its own result is for embedding.
    _taken(_placeholder(_pointer(builder), reserved, _SIDECAR, ctypes.byref(out)), out)
    covered = {
        "name": "jumbf manifest",
        "alg": "sha256",
        "hash": list(bytes.fromhex(sha256)),
        "exclusions": [],
        "pad": [],
    }
    out = _Bytes()
    told = json.dumps(covered).encode()
    made = _sign(_pointer(builder), _pointer(signer), told, _SIDECAR, None, ctypes.byref(out))
    return _taken(made, out)


def _pointer(wrapped: c2pa.Builder | c2pa.Signer) -> ctypes.c_void_p:
    return ctypes.cast(wrapped._handle, ctypes.c_void_p)


def _taken(count: int, out: ctypes._Pointer[ctypes.c_ubyte]) -> bytes:
    if count < 0 or not out:
        raise c2pa.C2paError(_read_native_error() or "the library gave no manifest")
    try:
        return ctypes.string_at(out, count)
    finally:
        _lib.c2pa_free(out)
