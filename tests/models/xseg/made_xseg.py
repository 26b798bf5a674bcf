"""XSeg nets with few channels and random weights: quick, and of no use but for tests."""

from __future__ import annotations

from pathlib import Path

from engine.faces.dfl_pickle import dfl_pickle
from engine.models.dfl_files.writing import write_tensors
from engine.models.xseg.predictor import DFL_DATA_FILE, DFL_NET_FILE, NET
from engine.nets.initialisation import initialise, weights_of
from engine.nets.xseg import XSeg


def tiny_net(base: int = 1, seed: int = 7) -> XSeg:
    net = XSeg(base)
    initialise(net, NET, seed)
    return net


def write_dfl_xseg(folder: Path, *, base: int = 1, seed: int = 7, face_type: str = "") -> Path:
    """`XSeg_256.npy` in the folder, and `XSeg_data.dat` if it is to have a face type."""
    folder.mkdir(parents=True, exist_ok=True)
    write_tensors(folder / DFL_NET_FILE, weights_of(tiny_net(base, seed)))
    if face_type:
        data = {"iter": 5, "options": {"face_type": face_type}, "loss_history": []}
        (folder / DFL_DATA_FILE).write_bytes(dfl_pickle(data))
    return folder
