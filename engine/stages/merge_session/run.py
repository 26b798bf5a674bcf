"""The stage `merge-session`: looks are set while one sees them, frames rendered meanwhile."""

from __future__ import annotations

from engine.protocol.stage import StageContext
from engine.stages.merge.chosen_nets import chosen_nets
from engine.stages.merge.plan import collect_jobs
from engine.stages.merge_session.opening import open_session


def run(context: StageContext) -> None:
    """Serve viewers until the run is stopped."""
    frames = collect_jobs(context)
    with open_session(context, frames, chosen_nets(context)) as session:
        session.run()
    context.result(**session.facts())
