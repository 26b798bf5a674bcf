"""IPTC's digital source type as XMP, for programs that read no C2PA.

MP4 and MOV take XMP in a `uuid` box at the top level (XMP specification, part 3: MPEG-4). It stands
behind all others, so that no place in the file moves, and is put there before the file is signed.
"""

from __future__ import annotations

import struct
from pathlib import Path

from engine.protocol.errors import StageError
from engine.protocol.files import disk_error
from engine.provenance.manifest import IPTC_EXTENSION, SOURCE_TYPE

XMP_SUFFIXES = frozenset({".mov", ".mp4"})
_XMP_UUID = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_PACKET = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
    f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="{_RDF}">'
    f'<rdf:Description rdf:about="" xmlns:Iptc4xmpExt="{IPTC_EXTENSION}">'
    f"<Iptc4xmpExt:DigitalSourceType>{SOURCE_TYPE}</Iptc4xmpExt:DigitalSourceType>"
    '</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
)


def add_source_type(path: Path) -> None:
    """Append it to a file of one of `XMP_SUFFIXES`. Raises `StageError` for a file whose boxes do
    not fill it, `InputError` when the disk is full."""
    payload = _XMP_UUID + _PACKET.encode()
    try:
        with path.open("r+b") as file:
            size = file.seek(0, 2)
            at = 0
            while at < size:
                file.seek(at)
                at += _box_bytes(file.read(16))
            if at != size:
                raise StageError(f"{path.name} does not end with a box", "render it again")
            file.seek(0, 2)
            file.write(struct.pack(">I4s", 8 + len(payload), b"uuid") + payload)
    except OSError as error:
        raise disk_error(error, path) from error


def _box_bytes(head: bytes) -> int:
    """How long a box is that begins so; at least as long as its own head."""
    if len(head) < 8:
        return 8
    size = int.from_bytes(head[:4], "big")
    if size == 1 and len(head) == 16:
        return max(16, int.from_bytes(head[8:], "big"))
    return max(8, size)
