"""Training in one process or in several that each take a part of every batch.

`torchrun --nproc-per-node 2 script.py` starts the script twice and tells each process its rank.
Every process draws the same whole batch and keeps its own rows, so the position in the data is
one number whatever the number of processes, and so is the batch that a step sees.
"""

import atexit
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

Batch = tuple[Tensor, ...]


@dataclass(frozen=True)
class Processes:
    """This process among those that train together; alone it is rank 0 of 1."""

    device: torch.device
    rank: int = 0
    count: int = 1

    def rows(self, batch: Batch) -> Batch:
        """This process's equal share of the rows of a batch.

        Raises `ValueError` when the rows can't be shared out equally.
        """
        if self.count == 1:
            return batch
        n_rows = len(batch[0])
        if n_rows % self.count:
            raise ValueError(
                f"a batch of {n_rows} rows can't be split over {self.count} processes: "
                f"make the batch size a multiple of {self.count}"
            )
        n = n_rows // self.count
        return tuple(part[self.rank * n : (self.rank + 1) * n] for part in batch)

    def share(self, model: nn.Module) -> None:
        """Give every process the weights of rank 0."""
        if self.count > 1:
            for tensor in model.state_dict().values():
                dist.broadcast(tensor, src=0)

    def parallel(self, model: nn.Module) -> nn.Module:
        """The model to call in training: its gradients are averaged over all processes."""
        if self.count == 1:
            return model
        return DistributedDataParallel(model)

    @contextmanager
    def exchange(self, model: nn.Module, now: bool) -> Iterator[None]:
        """Gradients made in the `with` block are averaged over processes only if `now`.

        When several batches make one step, one exchange after the last is enough.
        """
        if isinstance(model, DistributedDataParallel) and not now:
            with model.no_sync():
                yield
        else:
            yield

    def sum(self, value: float) -> float:
        """The sum of every process's value, the same in all."""
        if self.count == 1:
            return value
        total = torch.tensor([value], dtype=torch.float64, device=self._channel)
        dist.all_reduce(total)
        return total.item()

    def any(self, flag: bool) -> bool:
        """Whether the flag is true in any process, so that all of them act alike."""
        return self.sum(float(flag)) > 0

    def gather(self, tensors: dict[str, Tensor]) -> list[dict[str, Tensor]]:
        """Every process's tensors, by rank; names and shapes must be the same in all.

        No process goes on before all have come here.
        """
        gathered: list[dict[str, Tensor]] = [{} for _ in range(self.count)]
        for name, mine in tensors.items():
            if self.count == 1:
                gathered[0][name] = mine
                continue
            theirs = [torch.empty_like(mine, device=self._channel) for _ in range(self.count)]
            dist.all_gather(theirs, mine.to(self._channel))
            for rank, tensor in enumerate(theirs):
                gathered[rank][name] = tensor.cpu()
        return gathered

    @property
    def _channel(self) -> torch.device:
        """Where tensors must lie to be exchanged: nccl moves GPU memory only, gloo the CPU's."""
        return self.device if dist.get_backend() == "nccl" else torch.device("cpu")


def join(device: torch.device) -> Processes:
    """Join the processes that torchrun started; alone when it started none.

    With several GPUs each process takes its own. The group stays until the program ends, so that
    a script can train more than once.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1 and not dist.is_initialized():
        return Processes(device)
    if device.type == "cuda":
        device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
        torch.cuda.set_device(device)
    if not dist.is_initialized():
        dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
        atexit.register(dist.destroy_process_group)
    return Processes(device, dist.get_rank(), dist.get_world_size())
