"""The stage workspace-clear as data."""

from engine.protocol.options import Flag, Option
from engine.protocol.spec import StageSpec

MODELS = Option(
    "models",
    "Models, too",
    Flag(),
    True,
    "Clear the folder model as well. No: trained models stay for the next video.",
)

RESULTS = Option(
    "results",
    "Results, too",
    Flag(),
    False,
    "Clear results, drafts and their masks as well: result.*, result_mask.*, result_draft.*",
)

WORKSPACE_CLEAR = StageSpec(
    id="workspace-clear",
    title="Clear workspace",
    group="Workspace",
    summary="Move frames, faces and models to the trash; the two videos stay",
    code="engine.stages.workspace_clear.run:clear_workspace",
    needs=("writable",),
    resources=("frames-src", "frames-dst", "faces-src", "faces-dst", "merged", "result"),
    replaces="all that is in data_src, data_dst and model",
    help="Moves data_src, data_dst and model to the workspace's trash (.facewright/trash), from"
    " where they can be moved back, and makes empty ones; with them goes what was kept about those"
    " frames: marks, decisions made by hand, looks over time. Videos and all other files stay.",
    options=(MODELS, RESULTS),
)
