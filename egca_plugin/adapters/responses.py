"""A response as it was sampled: its ids, the text that they spell, and the way back from characters to tokens."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from egca_plugin.adapters.samples import Placing, Row
from egca_plugin.credit.parting import parting
from egca_plugin.credit.spans import AlignedText
from egca_plugin.credit.tokens import TokenBytes, decode
from egca_plugin.errors import TokenizerError
from egca_plugin.program.reading.transcript import reasoning
from egca_plugin.types import Credit, Span, TokenSpan

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Response:
    """``aligned`` is None, and ``fallback`` says why, where there is no map to tokens: then credit stays uniform.

    ``foreign``: tokens that nobody sampled, a line break of the text each stretch.
    """

    text: str
    tokens: int
    aligned: AlignedText | None
    fallback: str = ""
    foreign: tuple[TokenSpan, ...] = ()


ToRow = Callable[[Response, Credit, str, Placing], Row]  # :meth:`Reader.row`, for those who have no tokenizer


class Reader:
    """Reads responses of one tokenizer. Raises TokenizerError when its family is unknown."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self._token_bytes = TokenBytes(tokenizer)

    def read(self, ids: Sequence[int], foreign: tuple[TokenSpan, ...] = ()) -> Response:
        """The response of ``ids``, unpadded; all were sampled but the ``foreign`` ones."""
        try:
            aligned = self._token_bytes.align(ids, foreign)
        except TokenizerError as error:
            logger.warning("egca: a response keeps uniform credit: %s", error)
            text = decode(self._tokenizer, ids, foreign=foreign)
            return Response(text, len(ids), None, "tokenizer_mismatch", foreign)
        return Response(aligned.text, len(ids), aligned, foreign=foreign)

    def row(self, response: Response, credit: Credit, task_id: str, placing: Placing) -> Row:
        """``credit``, which speaks of characters of the response's text, on its tokens."""
        aligned, tokens = response.aligned, response.tokens
        fallback = response.fallback if credit.spans else ""
        if aligned is None:
            return Row(credit, task_id, (), tokens, fallback, (), placing, foreign=response.foreign)
        parted = None
        if placing.credit != "span" and credit.spans and credit.decision is not None:
            parted = parting(aligned, tokens, credit.decision, credit.instead, self._token_bytes.common)
        decided = None if parted is None else parted.token
        spans = (decided,) if decided is not None else aligned.tokens(credit.spans)
        if credit.spans and not spans:
            fallback = "span_without_tokens"
        thinking = aligned.tokens([Span(*stretch) for stretch in reasoning(response.text)])
        praised = _in_front(aligned, credit, decided) if decided is not None and placing.praise else ()
        instead = parted.instead if parted is not None and placing.credit == "counterfactual" else None
        return Row(
            *(credit, task_id, spans, tokens, fallback, thinking, placing),
            praised=praised,
            foreign=response.foreign,
            instead=instead,
        )


def _in_front(aligned: AlignedText, credit: Credit, decided: TokenSpan) -> tuple[TokenSpan, ...]:
    """What the program has in front of its decision: the proof says nothing of what was written before the program."""
    begun = aligned.tokens([Span(credit.begins, credit.begins + 1)])
    if not begun or begun[0].start >= decided.start:
        return ()
    return (TokenSpan(begun[0].start, decided.start),)
