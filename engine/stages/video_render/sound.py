"""Which sound of the destination goes into the result, as it is or encoded anew."""

from __future__ import annotations

from fractions import Fraction

from engine.media.video_write import Sound
from engine.protocol.stage import StageContext
from engine.stages.video_render.kinds import Kind
from engine.stages.video_render.reference import Reference


def sound_of(context: StageContext, kind: Kind, reference: Reference, span: range) -> Sound | None:
    """The first audio stream that can be decoded, copied where the container can hold it: all of
    it, or what is heard while the frames `span` are shown. A container that cannot show its first
    frame later than 0 gets the sound from the first frame on."""
    video = reference.video
    if video is None or not reference.audio_codecs or not context.options["audio"]:
        return None
    if kind.encode is None:
        context.note(f"a folder of pictures has no sound: it stays in {video.name}")
        return None
    track = next((at for at, codec in enumerate(reference.audio_codecs) if codec), None)
    if track is None:
        context.warn(f"the sound of {video.name} cannot be decoded: the result has none")
        return None
    skip_s, length_s = _cut_s(kind, reference, span)
    whole_packets = kind.delayed_start or not skip_s
    arguments = _codec(context, kind, reference.audio_codecs[track], whole_packets=whole_packets)
    return Sound(video, arguments, skip_s, length_s, track)


def _codec(
    context: StageContext, kind: Kind, codec: str, *, whole_packets: bool
) -> tuple[str, ...]:
    if codec in kind.copied_sound and whole_packets:
        return ("-c:a", "copy")
    reason = (
        "cannot begin within a packet of sound" if codec in kind.copied_sound else "is not for it"
    )
    made = kind.sound[1].removeprefix("lib").removesuffix("lame")
    context.note(
        f"the sound ({codec}) is encoded anew as {made} {kind.sound[-1]}:"
        f" {kind.suffix[1:]} {reason}"
    )
    return kind.sound


def _cut_s(kind: Kind, reference: Reference, span: range) -> tuple[Fraction, Fraction | None]:
    """How much of the sound's beginning to leave out, and how much of the rest to take."""
    timing = reference.timing
    begin_s = timing.time_s(span.start)
    from_s = reference.start_s + begin_s
    skip_s = from_s if span.start or not kind.delayed_start else Fraction(0)
    if span.stop == timing.frames:
        return skip_s, None
    return skip_s, timing.time_s(span.stop) - begin_s + (from_s - skip_s)
