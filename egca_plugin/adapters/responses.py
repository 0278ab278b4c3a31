"""A response as it was sampled: its ids, the text that they spell, and the way back from characters to tokens."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from egca_plugin.adapters.samples import Placing, Row
from egca_plugin.credit.spans import AlignedText
from egca_plugin.credit.tokens import TokenBytes, decode
from egca_plugin.errors import TokenizerError
from egca_plugin.program.reading.transcript import reasoning
from egca_plugin.types import Credit, Span, TokenSpan

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Response:
    """``aligned`` is None, and ``fallback`` says why, where there is no map to tokens: then credit stays uniform."""

    text: str
    tokens: int
    aligned: AlignedText | None
    fallback: str = ""

    def row(self, credit: Credit, task_id: str, placing: Placing) -> Row:
        """``credit``, which speaks of characters of the text, on the tokens."""
        fallback = self.fallback if credit.spans else ""
        if self.aligned is None:
            return Row(credit, task_id, (), self.tokens, fallback, (), placing)
        decided = self._decision(credit) if placing.credit == "decision" and credit.spans else ()
        spans = decided or self.aligned.tokens(credit.spans)
        if credit.spans and not spans:
            fallback = "span_without_tokens"
        thinking = self.aligned.tokens([Span(*stretch) for stretch in reasoning(self.text)])
        begun = decided[0].start if decided and placing.praise else 0
        praised = (TokenSpan(0, begun),) if begun else ()
        return Row(credit, task_id, spans, self.tokens, fallback, thinking, placing, praised=praised)

    def _decision(self, credit: Credit) -> tuple[TokenSpan, ...]:
        """The token of the decision; behind the text's end it is the one that ended the response."""
        assert self.aligned is not None
        if credit.decision is None:
            return ()
        if credit.decision.start < len(self.text):
            return self.aligned.tokens([credit.decision])
        ends = self.tokens and self.aligned.token_bytes[-2] == self.aligned.token_bytes[-1]
        return (TokenSpan(self.tokens - 1, self.tokens),) if ends else ()


class Reader:
    """Reads responses of one tokenizer. Raises TokenizerError when its family is unknown."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self._token_bytes = TokenBytes(tokenizer)

    def read(self, ids: Sequence[int]) -> Response:
        """The response of the sampled ``ids``, unpadded."""
        try:
            aligned = self._token_bytes.align(ids)
        except TokenizerError as error:
            logger.warning("egca: a response keeps uniform credit: %s", error)
            return Response(decode(self._tokenizer, ids), len(ids), None, "tokenizer_mismatch")
        return Response(aligned.text, len(ids), aligned)
