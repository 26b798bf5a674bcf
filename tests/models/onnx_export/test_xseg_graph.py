"""XSeg as ONNX."""

from __future__ import annotations

import cv2
import numpy as np
import onnx
from keras import ops

from engine.faces.face_type import FaceType
from engine.faces.restricted_pickle import decode_pickle
from engine.models.onnx_export.exporting import xseg_onnx_bytes
from engine.models.xseg.predictor import TrainedXSeg
from engine.nets.initialisation import weights_of
from tests.models.onnx_export.playing import session
from tests.models.xseg.made_xseg import tiny_net
from tests.nets.golden import golden_arrays
from tests.support.shared import shared_path


def test_it_gives_the_masks_of_the_net_under_deepfacelabs_names() -> None:
    net, rng = tiny_net(base=2), np.random.default_rng(3)
    for _, variable in net.named_weights():  # thresholds and scales are of one value at first
        variable.assign(variable.numpy() + np.float32(0.1) * rng.standard_normal(variable.shape))
    trained = TrainedXSeg(weights_of(net), FaceType.HEAD, "abc", 7, "made")
    data = xseg_onnx_bytes(trained)
    onnx.checker.check_model(data, full_check=True)
    faces = rng.random((2, 256, 256, 3), np.float32)
    played = session(data)
    [given], [taken] = played.get_inputs(), played.get_outputs()
    assert (given.name, given.shape[1:]) == ("in_face:0", [256, 256, 3])
    assert (taken.name, taken.shape[1:]) == ("out_mask:0", [256, 256, 1])
    [masks] = played.run(None, {"in_face:0": faces})
    expected = np.asarray(ops.sigmoid(net(faces)))
    assert expected.std() > 0.01
    np.testing.assert_allclose(masks, expected, atol=1e-4, rtol=0)
    model = onnx.load_from_string(data)
    assert [entry.version for entry in model.opset_import] == [13]
    notes = {entry.key: entry.value for entry in model.metadata_props}
    assert notes["facewright.face_type"] == "head"
    assert notes["facewright.iteration"] == "7"


def test_a_face_is_masked_as_by_the_reference() -> None:
    folder = shared_path("golden", "nets", "xseg")
    weights = decode_pickle((folder / "XSeg_256_base1.npy").read_bytes())
    trained = TrainedXSeg(weights, FaceType.WHOLE_FACE, "", 0, "reference")
    face = np.float32(cv2.imread(str(folder / "input.png")))[None] / np.float32(255)
    [mask] = session(xseg_onnx_bytes(trained)).run(None, {"in_face:0": face})
    logits = golden_arrays("xseg", "xseg.npz")["logits_stride2"]
    # The reference's means over a picture are off by 1.5e-4; in float64, masks are 1.3e-4 from ours
    # and 9e-4 from TensorFlow's.
    np.testing.assert_allclose(mask[:, ::2, ::2], 1 / (1 + np.exp(-logits)), atol=1e-3)
