"""Ways to sample beyond one answer to one prompt: a session of several outputs."""

from __future__ import annotations

from typing import Any

from verl.experimental.agent_loop.agent_loop import AgentLoopOutput
from verl.experimental.agent_loop.single_turn_agent_loop import SingleTurnAgentLoop


class TriesAgain(SingleTurnAgentLoop):
    """Answers once, and a second time where the first answer cannot run: a session of one output or of two."""

    async def run(self, sampling_params: dict[str, Any], **kwargs: Any) -> list[AgentLoopOutput]:
        """The tries, in order; verl rewards the last."""
        first = await super().run(dict(sampling_params), **kwargs)
        if "undefined" not in self.tokenizer.decode(first.response_ids):
            return [first]
        return [first, await super().run(dict(sampling_params), **kwargs)]
