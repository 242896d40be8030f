"""The training loop: the loss of a batch, its gradients, clipped, and AdamW; again and again."""

import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from gptlib.gradients import cross_entropy
from gptlib.model import GPT, next_token_loss
from gptlib.training import checkpoint
from gptlib.training.callbacks import Callback
from gptlib.training.config import TrainingConfig
from gptlib.training.history import History
from gptlib.training.interrupt import Interrupt
from gptlib.training.optimizer import clip_gradients
from gptlib.training.processes import Batch
from gptlib.training.run import Run
from gptlib.training.schedule import learning_rate
from gptlib.training.start import start
from gptlib.training.validation import Loss, count_targets, validation_loss


class Diverged(ArithmeticError):
    """The loss or its gradient became NaN or infinite; `history` says how it came to that.

    The step that would have spread it into the weights is not taken.
    """

    def __init__(self, message: str, history: History) -> None:
        super().__init__(message)
        self.history = history


def next_token(
    model: nn.Module, idx: Int[Tensor, "B T"], targets: Int[Tensor, "B T"]
) -> Float[Tensor, ""]:
    """What `train` makes small unless told otherwise: the mean loss of the next token, in nats."""
    if type(model) is GPT:  # the same number without holding all logits at once
        return cross_entropy(model.transformer(idx), model.output_weight, targets)
    return next_token_loss(model(idx), targets)


def train(
    model: nn.Module,
    batches: Iterable[Batch],
    config: TrainingConfig,
    *,
    validation: Iterable[Batch] | Callable[[], Iterable[Batch]] | None = None,
    callbacks: Sequence[Callback] = (),
    out: str | Path | None = None,
    resume: bool = False,
    loss: Loss = next_token,
) -> History:
    """Train a model in place for `config.steps` steps, and return what happened.

    `batches` yields tuples of tensors of B rows, targets last, without end (`gptlib.data.Batches`).
    `validation` is a list of batches, or a function that gives them anew each time.
    `loss(model, *batch)` is the mean over the targets that count (all but -100).
    `out` is a folder for checkpoints; `resume=True` goes on exactly where the last one stands, or
    begins when there is none. The model comes back in evaluation mode, on the device used, with
    the averaged weights if `config.ema` is set. Under torchrun every process calls `train`, and
    rank 0 alone writes and runs the callbacks.

    Ctrl-C ends training after the current step: checkpoint, history and model are kept, and
    `history.stopped` is "interrupted". Raises `ValueError` for unsuitable arguments,
    `CheckpointError` when a checkpoint can't be written or read, `Diverged` when the loss is no
    number any more.
    """
    run, to_train = start(model, batches, config, validation, out, resume)
    watchers = callbacks if run.processes.rank == 0 else ()
    stream = iter(batches)
    begun = time.perf_counter() - sum(run.history.seconds[-1:])
    with Interrupt() as interrupt, ExitStack() as at_end:
        at_end.callback(model.eval)
        at_end.callback(run.optimizer.zero_grad)
        for callback in watchers:
            callback.on_start(run)
            at_end.callback(callback.on_end, run)
        model.train()
        while not _ended(run, interrupt):
            run.step += 1
            train_step(run, to_train, stream, loss)
            run.history.add(seconds=time.perf_counter() - begun)
            if validation is not None and run.due(config.validate_every):
                held_out = validation_loss(run, validation, loss)
                last = run.history.lr[-1], run.history.grad_norm[-1]
                _check_finite(run, "validation loss", held_out, *last)
                run.history.add(validation_step=run.step, validation_loss=held_out)
            for callback in watchers:
                callback.on_step(run)
            if run.out is not None and run.due(config.checkpoint_every):
                checkpoint.save(run)
        if run.out is not None and run.saved != run.step:
            checkpoint.save(run)
    if run.average:
        run.average.keep()
    return run.history


def train_step(run: Run, model: nn.Module, stream: Iterator[Batch], loss_of: Loss) -> None:
    """One step of training. Several batches, or several processes, act as one large batch."""
    lr = learning_rate(run.config, run.step)
    losses = []
    parts, n_targets = _draw(run, stream)
    for number, (batch, share) in enumerate(parts, start=1):
        with run.processes.exchange(model, now=run.copy is not None or number == len(parts)):
            with run.autocast():
                part = loss_of(model, *batch) * share
            # The exchange takes the mean over processes, and we want their sum.
            (part * run.processes.count).backward()  # type: ignore[no-untyped-call]
        if run.copy:
            run.copy.collect()
        losses.append(part.detach())
    grad_norm = clip_gradients(list(run.optimizer.parameters.values()), run.config.clip)
    mean_loss = run.processes.sum(torch.stack(losses).sum().item())
    _check_finite(run, "loss", mean_loss, lr, grad_norm)
    run.optimizer.step(lr)
    run.optimizer.zero_grad()
    if run.copy:
        run.copy.refresh()
    if run.average:
        run.average.update(run.step)
    tokens = sum(run.history.tokens[-1:]) + n_targets
    run.history.add(step=run.step, loss=mean_loss, lr=lr, grad_norm=grad_norm, tokens=tokens)


def _draw(run: Run, stream: Iterator[Batch]) -> tuple[list[tuple[Batch, float]], int]:
    """This process's rows of the step's batches, each with its share of all targets that count.

    A mean of means would weigh a target more where few count beside it: with shares, gradients
    equal those of all rows in one batch. Every process sees all rows and finds the same total.
    """
    try:
        whole = [next(stream) for _ in range(run.config.accumulate)]
    except StopIteration:
        raise ValueError(
            f"the batches ended in step {run.step} of {run.config.steps}: "
            "give an iterator without end, such as gptlib.data.Batches"
        ) from None
    n_targets = sum(count_targets(batch) for batch in whole)
    parts = []
    for batch in map(run.processes.rows, whole):
        n = count_targets(batch)
        if n == 0:
            raise ValueError(f"a batch of step {run.step} has no target that counts (all are -100)")
        parts.append((tuple(tensor.to(run.device) for tensor in batch), n / n_targets))
    return parts, n_targets


def _check_finite(run: Run, what: str, loss: float, lr: float, grad_norm: float) -> None:
    if math.isfinite(loss) and math.isfinite(grad_norm):
        return
    raise Diverged(
        f"step {run.step}: {what} {loss:.4g}, gradient norm {grad_norm:.4g}, "
        f"learning rate {lr:.4g}: training diverged and stopped; "
        "try a lower lr, a longer warmup or a smaller clip",
        run.history,
    )


def _ended(run: Run, interrupt: Interrupt) -> bool:
    history = run.history
    if not history.stopped and run.step == run.config.steps:
        run.stop("finished")
    if not history.stopped and interrupt.asked:
        run.stop("interrupted")
    if not run.processes.any(bool(history.stopped)):
        return False
    history.stopped = history.stopped or "stopped by another process"
    return True
