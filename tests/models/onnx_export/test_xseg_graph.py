"""XSeg as ONNX."""

from __future__ import annotations

import numpy as np
import onnx
from keras import ops

from engine.faces.face_type import FaceType
from engine.models.onnx_export.exporting import xseg_onnx_bytes
from engine.models.xseg.predictor import TrainedXSeg
from engine.nets.initialisation import weights_of
from tests.models.onnx_export.playing import session
from tests.models.xseg.made_xseg import tiny_net


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
