"""What a stage needs before it can start: cheap checks made by whoever starts it.

They look at names and rights only. Whether a video can be decoded or a face file is one is found
out by the engine, which refuses in the same way (an `InputError` before anything is written).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from engine.protocol.consent_judgement import require_consent
from engine.protocol.errors import InputError
from engine.protocol.files import is_utf8
from engine.protocol.workspace import FACE_SUFFIXES, Side, Workspace, list_images

# A run's own files (job, process, socket path, journal, log, lock) take a block each: 4 KiB mostly.
_ROOM_FOR_A_RUN_BYTES = 64 * 1024

Check = Callable[[Workspace, Mapping[str, Any]], None]


def check_needs(needs: tuple[str, ...], workspace: Workspace, options: Mapping[str, Any]) -> None:
    """Run the named checks in order. Raises `InputError` with the first that fails."""
    for need in needs:
        NEEDS[need](workspace, options)


def _workspace(workspace: Workspace, _: Mapping[str, Any]) -> None:
    root = workspace.root
    if not root.exists():
        raise InputError(f"no workspace at {root}", "make that folder first, or give another")
    if not is_utf8(str(root)):
        raise InputError(f"the path {root!a} is not UTF-8", "rename the folder (mv, or convmv)")
    if not root.is_dir():
        raise InputError(f"{root} is a file, not a workspace folder", "give a folder with -w DIR")


def _writable(workspace: Workspace, options: Mapping[str, Any]) -> None:
    _workspace(workspace, options)
    if not os.access(workspace.root, os.W_OK | os.X_OK) or _mounted_read_only(workspace.root):
        raise InputError(
            f"not allowed to write in {workspace.root}",
            "make the folder writable or choose another workspace",
            code="read-only",
        )

    status = os.statvfs(workspace.root)
    if status.f_bavail * status.f_frsize < _ROOM_FOR_A_RUN_BYTES:
        raise InputError(
            f"the disk is full: no room in {workspace.root}", "make room", code="disk-full"
        )


def _mounted_read_only(path: Path) -> bool:
    return bool(os.statvfs(path).f_flag & os.ST_RDONLY)


def _side_of(workspace: Workspace, options: Mapping[str, Any]) -> Side:
    return workspace.side(options.get("side", "dst"))


def _video(workspace: Workspace, options: Mapping[str, Any]) -> None:
    _need_video(_side_of(workspace, options))


def _need_video(side: Side) -> None:
    if side.video() is None:
        raise InputError(
            f"no video data_{side.name}.* in {side.root}",
            f"put the video there as data_{side.name}.mp4 (or .mov, .mkv, ...)",
            code="no-video",
        )


def _frames(workspace: Workspace, options: Mapping[str, Any]) -> None:
    _need_frames(_side_of(workspace, options))


def _dst_frames(workspace: Workspace, _: Mapping[str, Any]) -> None:
    _need_frames(workspace.dst)


def _need_frames(side: Side) -> None:
    frames = list_images(side.frames)
    if not frames:
        raise InputError(
            f"no frames in {side.frames}",
            f"run video-extract --side {side.name} first, or put pictures there",
            code="no-frames",
        )
    odd = [frame.name for frame in frames if not is_utf8(frame.name)]
    if odd:
        raise InputError(
            f"{len(odd)} frames in {side.frames} have names that are not UTF-8; the first:"
            f" {odd[0]!a}",
            "rename them (mv, or convmv)",
            code="not-text",
        )


def _faces(workspace: Workspace, options: Mapping[str, Any]) -> None:
    _need_faces(_side_of(workspace, options))


def _both_facesets(workspace: Workspace, options: Mapping[str, Any]) -> None:
    """Those of the workspace, or the faces of many people that a model is pretrained with; src's
    alone for a model that learns them on both sides."""
    if options.get("pretrain"):
        _need_pretraining_faces(Path(options["pretrain_faces"]))
        return
    _need_faces(workspace.src)
    if not options.get("src_src"):
        _need_faces(workspace.dst)


def _any_faceset(workspace: Workspace, options: Mapping[str, Any]) -> None:
    """Faces of one side will do, or those that a model is pretrained with."""
    if options.get("pretrain"):
        _need_pretraining_faces(Path(options["pretrain_faces"]))
    elif not has_faces(workspace.src):
        _need_faces(workspace.dst)


def _need_pretraining_faces(path: Path) -> None:
    if not path.exists():
        raise InputError(
            f"no faces for pretraining at {path}",
            "name a folder of extracted faces, or a faceset.pak, with --pretrain-faces",
            code="no-faces",
        )


def _dst_faces(workspace: Workspace, _: Mapping[str, Any]) -> None:
    _need_faces(workspace.dst)


def has_faces(side: Side) -> bool:
    """Whether a side has faces, loose or packed."""
    return side.pack.is_file() or bool(list_images(side.aligned, FACE_SUFFIXES))


def _need_faces(side: Side) -> None:
    if not has_faces(side):
        raise no_faces_in(side)


def no_faces_in(side: Side) -> InputError:
    """What to do about a folder `aligned` without face files depends on what is there instead."""
    message, remedy = f"no faces in {side.aligned}", f"run faces-extract --side {side.name} first"
    persons, pngs = side.person_folders(), list_images(side.aligned, frozenset({".png"}))
    if persons:
        message += (
            f" itself: its {len(persons)} sub-folders hold some, the first: {persons[0].name}"
        )
        remedy = (
            f"run faceset-pack --side {side.name} --persons yes, which packs them as persons, or"
            f" move the faces up into {side.aligned.name}"
        )
    elif pngs:
        message += f": there are {len(pngs)} PNG files, but faces are JPEG files"
        remedy = (
            f"run faceset-png-to-jpg --side {side.name} if they are faces of DeepFaceLab 1.0; else"
            f" faces-extract --side {side.name}"
        )
    return InputError(message, remedy, code="no-faces")


def _merged(workspace: Workspace, _: Mapping[str, Any]) -> None:
    if not list_images(workspace.dst.merged):
        raise InputError(
            f"no merged frames in {workspace.dst.merged}", "run merge first", code="no-merged"
        )


def _dst_video(workspace: Workspace, _: Mapping[str, Any]) -> None:
    _need_video(workspace.dst)


def check_model_name_is_free(workspace: Workspace, options: Mapping[str, Any]) -> None:
    """Nothing lies where a model named by the option `to` belongs. Raises `InputError`."""
    name, model_class = options["to"], options["model_class"]
    if not name:
        raise InputError("no new name was given", "give one with --to NAME", code="no-name")
    folder = workspace.model(name, model_class)
    if folder.exists() or name == options["model"]:
        raise InputError(
            f"there is a model {name} of class {model_class} in {workspace.models} already",
            "give another name with --to NAME",
            code="name-taken",
        )


NEEDS: dict[str, Check] = {
    "workspace": _workspace,
    "writable": _writable,
    "video": _video,
    "dst-video": _dst_video,
    "free-model-name": check_model_name_is_free,
    "frames": _frames,
    "dst-frames": _dst_frames,
    "faces": _faces,
    "dst-faces": _dst_faces,
    "both-facesets": _both_facesets,
    "any-faceset": _any_faceset,
    "merged": _merged,
    "consent": require_consent,
}
