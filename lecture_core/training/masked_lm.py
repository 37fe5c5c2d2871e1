"""Masked LM: hide some tokens, predict them from both sides (Devlin et al. 2019, section 3.1, arXiv:1810.04805).

`corrupt` is BERT's recipe: of the chosen positions 80 % become [MASK], 10 % a random token, 10 % stay as they are; the
loss counts the chosen positions only. The encoder starts from MiniLM-L6-H384; the head is new: its dense layer starts
as the identity and its output bias as the log of each token's frequency, so that training starts near the unigram
model.
"""

from typing import Any

import torch
from torch.nn import functional as F
from transformers import BertForMaskedLM

from lecture_core.training.corpus import TokenBatch, TokenisedCorpus

LOSS_ROWS = 256  # positions whose logits exist at once: 31 MB, which spares page faults


def corrupt(
    input_ids: torch.Tensor,
    can_be_chosen: torch.Tensor,
    *,
    mask_id: int,
    vocabulary: int,
    rate: float,
    generator: torch.Generator,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Apply BERT's masking recipe.

    Args:
        input_ids: (B, T).
        can_be_chosen: (B, T) bool, False on special tokens and padding.
        rate: probability that a position is chosen, in (0, 1).

    Returns:
        The corrupted ids (B, T) and the chosen positions (B, T) bool.
    """
    chosen = (torch.rand(input_ids.shape, generator=generator) < rate) & can_be_chosen
    fate = torch.rand(input_ids.shape, generator=generator)
    random_ids = torch.randint(vocabulary, input_ids.shape, generator=generator)
    corrupted = torch.where(chosen & (fate < 0.8), mask_id, input_ids)
    return torch.where(chosen & (fate >= 0.9), random_ids, corrupted), chosen


def head_loss(model: BertForMaskedLM, hidden: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Mean cross-entropy in nats of `targets` (M,) from hidden states (M, D), the head run in slices."""
    hidden = model.cls.predictions.transform(hidden)
    total = hidden.new_zeros((), dtype=torch.float32)
    for start in range(0, len(targets), LOSS_ROWS):
        logits = model.cls.predictions.decoder(hidden[start : start + LOSS_ROWS])
        total = total + F.cross_entropy(logits, targets[start : start + LOSS_ROWS], reduction="sum").float()
    return total / max(1, len(targets))


def new_head(model: BertForMaskedLM, unigram_counts: torch.Tensor) -> None:
    """Start the head as the identity plus unigram log-probabilities; changes `model` in place."""
    transform = model.cls.predictions.transform
    with torch.no_grad():
        transform.dense.weight.copy_(torch.eye(transform.dense.out_features))
        transform.dense.bias.zero_()
        model.cls.predictions.bias.copy_(((unigram_counts + 0.1) / (unigram_counts.sum() + 1.0)).log())


def tensors(batch: TokenBatch, device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """Ids and attention mask of a batch as tensors (B, T) on `device`."""
    return torch.from_numpy(batch.input_ids).to(device), torch.from_numpy(batch.attention_mask).to(device)


class MaskedLM:
    """The recipe's objective for the training loop.

    Args:
        model: encoder with a masked-LM head.
        mask_rate: share of the positions that carry loss. BERT: 0.15; more gives more signal a pass.
    """

    def __init__(
        self,
        model: BertForMaskedLM,
        tokenizer: Any,
        *,
        mask_rate: float = 0.2,
        body_rate: float = 5e-4,
        head_rate: float = 1e-3,
    ) -> None:
        self.model, self.tokenizer, self.mask_rate = model, tokenizer, mask_rate
        self.body_rate, self.head_rate = body_rate, head_rate
        self.modules = torch.nn.ModuleDict({"model": model})
        self.special = torch.tensor(tokenizer.all_special_ids)

    def parameter_groups(self) -> list[dict[str, Any]]:
        """The head learns faster than the body, since it starts from nothing."""
        head = [*self.model.cls.predictions.transform.parameters(), self.model.cls.predictions.bias]
        ids = {id(p) for p in head}
        body = [p for p in self.model.parameters() if id(p) not in ids]
        return [{"params": body, "lr": self.body_rate}, {"params": head, "lr": self.head_rate}]

    def _corrupt(
        self, ids: torch.Tensor, maskable: torch.Tensor, rate: float, generator: torch.Generator
    ) -> tuple[torch.Tensor, torch.Tensor]:
        return corrupt(
            ids,
            maskable,
            mask_id=self.tokenizer.mask_token_id,
            vocabulary=self.model.config.vocab_size,
            rate=rate,
            generator=generator,
        )

    def _corrupted(self, batch: TokenBatch, generator: torch.Generator) -> tuple[torch.Tensor, ...]:
        device = self.model.device
        ids, attention = tensors(batch, torch.device("cpu"))
        maskable = attention.bool() & ~torch.isin(ids, self.special)
        corrupted, chosen = self._corrupt(ids, maskable, self.mask_rate, generator)
        return ids.to(device), attention.to(device), corrupted.to(device), chosen.to(device)

    def loss(self, batch: TokenBatch, generator: torch.Generator) -> tuple[torch.Tensor, dict[str, float]]:
        """Cross-entropy on the chosen positions, in nats."""
        ids, attention, corrupted, chosen = self._corrupted(batch, generator)
        hidden = self.model.bert(input_ids=corrupted, attention_mask=attention).last_hidden_state
        return head_loss(self.model, hidden[chosen], ids[chosen]), {}

    def evaluate(
        self,
        held_out: TokenisedCorpus,
        *,
        batches: int = 24,
        sentence_share: float | None = None,
        recipe: bool = False,
    ) -> dict[str, float]:
        """Held-out loss (nats) and top-1/top-5 accuracy at 15 % of the tokens, all of them [MASK].

        Args:
            recipe: corrupt them as in training instead, 80 % [MASK], 10 % random, 10 % kept, and count all: what BERT's
                own code calls masked_lm_accuracy. It is higher, since a kept token is easily said.
            sentence_share: 1 for single sentences, 0 for packed blocks, None for both alternately.
        """
        self.model.eval()
        loss, right, top5, count = 0.0, 0, 0, 0
        for step in range(batches):
            share = float(step % 2) if sentence_share is None else sentence_share
            batch = held_out.batch(1234, step, sentence_share=share)
            ids, attention = tensors(batch, self.model.device)
            generator = torch.Generator().manual_seed(step)
            maskable = attention.bool().cpu() & ~torch.isin(ids.cpu(), self.special)
            chosen = ((torch.rand(ids.shape, generator=generator) < 0.15) & maskable).to(ids.device)
            corrupted = torch.where(chosen, self.tokenizer.mask_token_id, ids)
            if recipe:
                corrupted, chosen = (
                    part.to(ids.device) for part in self._corrupt(ids.cpu(), maskable, 0.15, generator)
                )
            hidden = self.model.bert(input_ids=corrupted, attention_mask=attention).last_hidden_state
            logits, target = self.model.cls(hidden[chosen]).float(), ids[chosen]
            loss += F.cross_entropy(logits, target, reduction="sum").item()
            best = logits.topk(5).indices
            right += int((best[:, 0] == target).sum())
            top5 += int((best == target[:, None]).any(-1).sum())
            count += len(target)
        self.model.train()
        return {"loss": loss / count, "top1": right / count, "top5": top5 / count}
