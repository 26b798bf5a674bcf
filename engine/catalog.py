"""Every stage and model class there is, as explicit tuples of specs.

The workbench draws itself from these. Importing this module imports no numpy, OpenCV or TensorFlow.
"""

from __future__ import annotations

from engine.models.amp.spec import AMP
from engine.models.dfl1.spec import DFL1
from engine.models.dfm.spec import DFM
from engine.models.quick96.spec import QUICK96
from engine.models.saehd.spec import SAEHD
from engine.models.xseg.spec import XSEG
from engine.protocol.errors import UsageError
from engine.protocol.options import Choice, Option
from engine.protocol.spec import ModelSpec, StageSpec
from engine.stages.consent_erase.spec import CONSENT_ERASE
from engine.stages.consent_record.spec import CONSENT_RECORD
from engine.stages.consent_show.spec import CONSENT_SHOW
from engine.stages.demo_media.spec import DEMO_MEDIA
from engine.stages.dfm_export.spec import DFM_EXPORT
from engine.stages.faces_extract.spec import FACES_EXTRACT
from engine.stages.faces_manual.spec import FACES_MANUAL
from engine.stages.faceset_enhance.spec import FACESET_ENHANCE
from engine.stages.faceset_export_masks.spec import FACESET_EXPORT_MASKS
from engine.stages.faceset_index.spec import FACESET_INDEX
from engine.stages.faceset_landmarks_debug.spec import FACESET_LANDMARKS_DEBUG
from engine.stages.faceset_metadata_restore.spec import FACESET_METADATA_RESTORE
from engine.stages.faceset_metadata_save.spec import FACESET_METADATA_SAVE
from engine.stages.faceset_pack.spec import FACESET_PACK
from engine.stages.faceset_png_to_jpg.spec import FACESET_PNG_TO_JPG
from engine.stages.faceset_recover_names.spec import FACESET_RECOVER_NAMES
from engine.stages.faceset_report.spec import FACESET_REPORT
from engine.stages.faceset_resize.spec import FACESET_RESIZE
from engine.stages.faceset_sort.spec import FACESET_SORT
from engine.stages.faceset_unpack.spec import FACESET_UNPACK
from engine.stages.label_session.spec import LABEL_SESSION
from engine.stages.landmarks_check.spec import LANDMARKS_CHECK
from engine.stages.landmarks_smooth.spec import LANDMARKS_SMOOTH
from engine.stages.marking.spec import MARKING
from engine.stages.merge.spec import MERGE
from engine.stages.merge_session.spec import MERGE_SESSION
from engine.stages.model_compare.spec import MODEL_COMPARE
from engine.stages.model_delete.spec import MODEL_DELETE
from engine.stages.model_duplicate.spec import MODEL_DUPLICATE
from engine.stages.model_export.spec import MODEL_EXPORT
from engine.stages.model_import.spec import MODEL_IMPORT
from engine.stages.model_plan.spec import MODEL_PLAN
from engine.stages.model_rename.spec import MODEL_RENAME
from engine.stages.model_reset.spec import MODEL_RESET
from engine.stages.model_restore.spec import MODEL_RESTORE
from engine.stages.model_save_delete.spec import MODEL_SAVE_DELETE
from engine.stages.model_snapshot.spec import MODEL_SNAPSHOT
from engine.stages.model_timelapse.spec import MODEL_TIMELAPSE
from engine.stages.model_undelete.spec import MODEL_UNDELETE
from engine.stages.train.spec import TRAIN
from engine.stages.train_preflight.spec import TRAIN_PREFLIGHT
from engine.stages.video_cut.spec import VIDEO_CUT
from engine.stages.video_denoise.spec import VIDEO_DENOISE
from engine.stages.video_extract.spec import VIDEO_EXTRACT
from engine.stages.video_render.spec import VIDEO_RENDER
from engine.stages.workspace_clear.spec import WORKSPACE_CLEAR
from engine.stages.xseg_apply.spec import XSEG_APPLY
from engine.stages.xseg_export.spec import XSEG_EXPORT
from engine.stages.xseg_fetch.spec import XSEG_FETCH
from engine.stages.xseg_labels_remove.spec import XSEG_LABELS_REMOVE
from engine.stages.xseg_order.spec import XSEG_ORDER
from engine.stages.xseg_remove.spec import XSEG_REMOVE
from engine.stages.xseg_train.spec import XSEG_TRAIN

STAGES: tuple[StageSpec, ...] = (
    VIDEO_EXTRACT,
    VIDEO_CUT,
    VIDEO_DENOISE,
    FACES_EXTRACT,
    LANDMARKS_CHECK,
    LANDMARKS_SMOOTH,
    FACES_MANUAL,
    FACESET_SORT,
    FACESET_INDEX,
    FACESET_REPORT,
    FACESET_RESIZE,
    FACESET_ENHANCE,
    FACESET_LANDMARKS_DEBUG,
    FACESET_EXPORT_MASKS,
    FACESET_PNG_TO_JPG,
    FACESET_PACK,
    FACESET_UNPACK,
    FACESET_METADATA_SAVE,
    FACESET_METADATA_RESTORE,
    FACESET_RECOVER_NAMES,
    LABEL_SESSION,
    XSEG_ORDER,
    XSEG_TRAIN,
    XSEG_APPLY,
    XSEG_REMOVE,
    XSEG_LABELS_REMOVE,
    XSEG_FETCH,
    XSEG_EXPORT,
    TRAIN_PREFLIGHT,
    TRAIN,
    MODEL_PLAN,
    MODEL_SNAPSHOT,
    MODEL_RESTORE,
    MODEL_SAVE_DELETE,
    MODEL_TIMELAPSE,
    MODEL_COMPARE,
    MODEL_RENAME,
    MODEL_DUPLICATE,
    MODEL_RESET,
    MODEL_DELETE,
    MODEL_UNDELETE,
    MODEL_IMPORT,
    MODEL_EXPORT,
    DFM_EXPORT,
    MERGE,
    MERGE_SESSION,
    CONSENT_RECORD,
    CONSENT_SHOW,
    CONSENT_ERASE,
    VIDEO_RENDER,
    MARKING,
    WORKSPACE_CLEAR,
    DEMO_MEDIA,
)
MODELS: tuple[ModelSpec, ...] = (QUICK96, SAEHD, AMP, XSEG, *DFL1, DFM)


def stage(stage_id: str) -> StageSpec:
    """The stage of that id. Raises `UsageError` with the nearest ids."""
    for spec in STAGES:
        if spec.id == stage_id:
            return spec
    raise _unknown("stage", stage_id, tuple(spec.id for spec in STAGES))


def model(model_id: str) -> ModelSpec:
    """The model class of that id. Raises `UsageError` with the nearest ids."""
    for spec in MODELS:
        if spec.id == model_id:
            return spec
    raise _unknown("model class", model_id, tuple(spec.id for spec in MODELS))


def options_of(spec: StageSpec, model_class: str | None = None) -> tuple[Option, ...]:
    """A stage's options; for a stage that trains, those of the model class too, and for one that
    merges, what only some classes have a use for."""
    if not spec.trains_model and not spec.morph_options:
        return spec.options
    chosen = model(model_class or next(o.default for o in spec.options if o.name == "model_class"))
    if spec.trains_model:
        return spec.options + chosen.options
    return spec.options + (spec.morph_options if chosen.has_morph_factor else ())


def models_of(spec: StageSpec) -> tuple[ModelSpec, ...]:
    """The model classes that a stage works on, by its option `model_class`; () without one."""
    for option in spec.options:
        if option.name == "model_class" and isinstance(option.kind, Choice):
            offered = [value for value, _ in option.kind.choices]
            return tuple(model for model in MODELS if model.id in offered)
    return ()


def classes_with_option(spec: StageSpec, name: str) -> tuple[str, ...]:
    """The model classes with which a stage takes the option of that name."""
    chosen = [model.id for model in models_of(spec)]
    return tuple(m for m in chosen if any(o.name == name for o in options_of(spec, m)))


def rehearsal_of(stage_id: str) -> StageSpec | None:
    """The stage that tries out what that one would need, if there is one."""
    return next((spec for spec in STAGES if spec.rehearses == stage_id), None)


def _unknown(what: str, wanted: str, known: tuple[str, ...]) -> UsageError:
    from difflib import get_close_matches

    near = get_close_matches(wanted, known, n=3)
    remedy = f"did you mean {' or '.join(near)}?" if near else f"known: {' '.join(known)}"
    return UsageError(f"unknown {what} {wanted!r}", remedy, code=f"unknown-{what.split()[0]}")
