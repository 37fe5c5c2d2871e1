"""ELECTRA: a small generator fills masks with samples, a discriminator learns which tokens are samples.

Source: Clark et al. 2020, section 2 (arXiv:2003.10555). Every real token carries loss, not 15 % of them. As in the
paper both train together and no gradient goes through the sampling. Unlike the paper the two share no parameters and
both start from our masked LM: the generator from its first layers, the discriminator from all of them. Since they
share nothing, the weight lambda between the two losses only scales gradients that Adam scales anyway; it is 1 here.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch.nn import functional as F
from transformers import BertForMaskedLM, ElectraConfig, ElectraForMaskedLM, ElectraForPreTraining

from lecture_core.training.corpus import TokenBatch, TokenisedCorpus
from lecture_core.training.masked_lm import LOSS_ROWS, tensors


def from_masked_lm(
    start: BertForMaskedLM, *, generator_layers: int | None = None
) -> tuple[ElectraForMaskedLM, ElectraForPreTraining]:
    """Build generator and discriminator from a masked LM; ELECTRA's layers are BERT's under other names.

    Args:
        generator_layers: layers of the generator; a third of the discriminator's by default (section 3.2 of the paper:
            a quarter to a half works best).
    """
    generator_layers = generator_layers or max(1, start.config.num_hidden_layers // 3)
    shared = {
        k: v for k, v in start.config.to_dict().items() if k not in ("model_type", "architectures", "num_hidden_layers")
    }
    shared |= {"embedding_size": start.config.hidden_size, "attn_implementation": "eager"}
    generator = ElectraForMaskedLM(ElectraConfig(**shared, num_hidden_layers=generator_layers))
    discriminator = ElectraForPreTraining(ElectraConfig(**shared, num_hidden_layers=start.config.num_hidden_layers))
    body = start.bert.state_dict()
    kept = generator.electra.state_dict().keys()
    generator.electra.load_state_dict({k: v for k, v in body.items() if k in kept})
    discriminator.electra.load_state_dict(body)
    head = start.cls.predictions
    generator.generator_predictions.dense.load_state_dict(head.transform.dense.state_dict())
    generator.generator_predictions.LayerNorm.load_state_dict(head.transform.LayerNorm.state_dict())
    with torch.no_grad():
        generator.generator_lm_head.bias.copy_(head.bias)
    return generator, discriminator


def sample(logits: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Draw one token id a row from logits (M, V) by inverting the cumulative distribution; (M,)."""
    cumulative = logits.float().softmax(-1).cumsum(-1)
    uniform = torch.rand(len(logits), 1, generator=generator).to(logits.device)
    return torch.searchsorted(cumulative, uniform * cumulative[:, -1:])[:, 0].clamp(max=logits.shape[-1] - 1)


def area_under_curve(scores: torch.Tensor, positive: torch.Tensor) -> float:
    """Chance that a replaced token scores above an original one, in [0, 1]; ties count half (rank statistic)."""
    _, inverse, counts = scores.unique(return_inverse=True, return_counts=True)
    last = counts.cumsum(0)
    ranks = (last - (counts - 1) / 2)[inverse]  # average rank of equal scores, from 1
    n_positive = int(positive.sum())
    n_negative = len(positive) - n_positive
    return float((ranks[positive].sum() - n_positive * (n_positive + 1) / 2) / (n_positive * n_negative))


@dataclass(frozen=True)
class Verdicts:
    """What the discriminator said of N tokens, and the truth.

    Attributes:
        logits: above 0 for "replaced"; (N,).
        replaced: whether the token differs from the original; (N,) bool.
        generator_loss: mean over the batches, in nats.
    """

    logits: torch.Tensor
    replaced: torch.Tensor
    generator_loss: float

    def figures(self) -> dict[str, float]:
        """AUC, precision and recall at 0.5, share of replaced tokens, both losses in nats."""
        flagged = self.logits > 0
        hits = int((flagged & self.replaced).sum())
        return {
            "auc": area_under_curve(self.logits, self.replaced),
            "precision": hits / max(1, int(flagged.sum())),
            "recall": hits / max(1, int(self.replaced.sum())),
            "replaced_share": float(self.replaced.float().mean()),
            "loss": float(F.binary_cross_entropy_with_logits(self.logits, self.replaced.float())),
            "generator_loss": self.generator_loss,
        }


class ReplacedTokenDetection:
    """The recipe's objective for the training loop: generator and discriminator trained together."""

    def __init__(
        self,
        generator: ElectraForMaskedLM,
        discriminator: ElectraForPreTraining,
        tokenizer: Any,
        *,
        mask_rate: float = 0.15,
        learning_rate: float = 3e-4,
    ) -> None:
        self.generator, self.discriminator, self.tokenizer = generator, discriminator, tokenizer
        self.mask_rate, self.learning_rate = mask_rate, learning_rate
        self.modules = torch.nn.ModuleDict({"generator": generator, "discriminator": discriminator})
        self.special = torch.tensor(tokenizer.all_special_ids)

    def parameter_groups(self) -> list[dict[str, Any]]:
        """One learning rate for both."""
        return [{"params": list(self.modules.parameters()), "lr": self.learning_rate}]

    def corrupted(
        self, batch: TokenBatch, generator: torch.Generator
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
        """Mask, fill and compare.

        Returns:
            ids (B, T), attention (B, T), ids with samples (B, T), replaced (B, T) bool, the generator's loss in nats.
        """
        ids, attention = tensors(batch, torch.device("cpu"))
        usable = attention.bool() & ~torch.isin(ids, self.special)
        chosen = (torch.rand(ids.shape, generator=generator) < self.mask_rate) & usable
        device = self.generator.device
        ids, attention, chosen = ids.to(device), attention.to(device), chosen.to(device)
        masked = torch.where(chosen, self.tokenizer.mask_token_id, ids)
        hidden = self.generator.electra(input_ids=masked, attention_mask=attention).last_hidden_state[chosen]
        hidden, targets = self.generator.generator_predictions(hidden), ids[chosen]
        loss, samples = hidden.new_zeros((), dtype=torch.float32), []
        for start in range(0, len(targets), LOSS_ROWS):
            logits = self.generator.generator_lm_head(hidden[start : start + LOSS_ROWS])
            loss = loss + F.cross_entropy(logits, targets[start : start + LOSS_ROWS], reduction="sum").float()
            samples.append(sample(logits.detach(), generator))
        filled = ids.clone()
        if samples:
            filled[chosen] = torch.cat(samples)
        return ids, attention, filled, filled != ids, loss / max(1, len(targets))

    def loss(self, batch: TokenBatch, generator: torch.Generator) -> tuple[torch.Tensor, dict[str, float]]:
        """Generator's masked-LM loss plus the discriminator's binary cross-entropy over all real tokens."""
        _, attention, filled, replaced, generator_loss = self.corrupted(batch, generator)
        logits = self.discriminator(input_ids=filled, attention_mask=attention).logits
        real = attention.bool()
        verdict = F.binary_cross_entropy_with_logits(logits[real].float(), replaced[real].float())
        return generator_loss + verdict, {"generator": generator_loss.item(), "discriminator": verdict.item()}

    def verdicts(
        self, held_out: TokenisedCorpus, *, batches: int = 24, sentence_share: float | None = None
    ) -> Verdicts:
        """Judge every real token of held-out text that the generator corrupted.

        Args:
            sentence_share: 1 for single sentences, 0 for packed blocks, None for both alternately.
        """
        self.modules.eval()
        logits, truths, generator_loss = [], [], 0.0
        for step in range(batches):
            share = float(step % 2) if sentence_share is None else sentence_share
            batch = held_out.batch(1234, step, sentence_share=share)
            ids, attention, filled, replaced, loss = self.corrupted(batch, torch.Generator().manual_seed(step))
            judged = attention.bool() & ~torch.isin(ids, self.special.to(ids.device))
            logits.append(self.discriminator(input_ids=filled, attention_mask=attention).logits[judged].float().cpu())
            truths.append(replaced[judged].cpu())
            generator_loss += loss.item() / batches
        self.modules.train()
        return Verdicts(torch.cat(logits), torch.cat(truths), generator_loss)

    def evaluate(
        self, held_out: TokenisedCorpus, *, batches: int = 24, sentence_share: float | None = None
    ) -> dict[str, float]:
        """On held-out text: AUC, precision and recall at 0.5, share of replaced tokens, both losses in nats."""
        return self.verdicts(held_out, batches=batches, sentence_share=sentence_share).figures()
