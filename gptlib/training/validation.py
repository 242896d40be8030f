"""The loss on data that training never sees."""

from collections.abc import Callable, Iterable

from torch import Tensor

from gptlib.training.processes import Batch
from gptlib.training.run import Run

IGNORED = -100  # a target that does not count, as in `gptlib.model.next_token_loss`
Loss = Callable[..., Tensor]  # (model, *batch) -> the mean over the targets that count


def count_targets(batch: Batch) -> int:
    """How many targets of a batch count; they are its last tensor."""
    return int((batch[-1] != IGNORED).sum())


def validation_loss(
    run: Run, validation: Iterable[Batch] | Callable[[], Iterable[Batch]], loss_of: Loss
) -> float:
    """The mean loss over all targets that count, in nats; each process reads some batches.

    Raises `ValueError` when there is none.
    """
    processes = run.processes
    total, n_targets = 0.0, 0
    with run.evaluating() as model:
        for number, batch in enumerate(validation() if callable(validation) else validation):
            n = count_targets(batch)
            if n == 0 or number % processes.count != processes.rank:
                continue
            with run.autocast():
                mean = loss_of(model, *(tensor.to(run.device) for tensor in batch))
            total += n * mean.item()
            n_targets += n
    everywhere = processes.sum(n_targets)
    if not everywhere:
        raise ValueError("the validation batches hold no target that counts")
    return processes.sum(total) / everywhere
