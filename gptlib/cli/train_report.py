"""What `gptlib train` says: the facts at its start, a line for each validation, samples."""

from typing import Any

from gptlib import device as devices
from gptlib.config import GPTConfig
from gptlib.tokenizer import Tokenizer
from gptlib.training import Run, Sample
from gptlib.training.callbacks import Callback

SAMPLE_LENGTH = 60  # tokens


def describe(settings: dict[str, Any], facts: dict[str, Any], config: GPTConfig) -> str:
    """What is trained on what, one line each."""
    trained = facts["tokens"] - facts["held_out_tokens"]
    what = f"{trained:,} tokens to train on, {facts['held_out_tokens']:,} held out"
    if "stories" in facts:
        what = f"{facts['stories']:,} stories, {what}"
    lines = [
        f"data       {settings['data']}: {what}",
        f"tokenizer  {facts['vocab_size']:,} tokens, "
        + (f"from {settings['tokenizer']}" if settings["tokenizer"] else "learned from the data"),
        f"model      {config.n_layer} layers, {config.n_head} heads, width {config.n_embd}, "
        f"{config.n_positions} {config.positions} positions: {config.num_parameters:,} parameters",
        f"device     {devices.choose(settings['device'])}",
    ]
    if "floor" in facts:
        lines.append(
            f"floor      {facts['floor']:.4f} ± {facts['floor_standard_error']:.4f} nats a token: "
            "the entropy of the held-out stories"
        )
    return "\n".join(lines)


class Report(Callback):
    """A line for each validation, beside the floor where one is known."""

    def __init__(self, floor: float | None) -> None:
        self.floor = floor

    def on_start(self, run: Run) -> None:
        if run.step:
            print(f"resumed    at step {run.step} of {run.config.steps}", flush=True)

    def on_step(self, run: Run) -> None:
        if not run.validated:
            return
        loss = run.history.validation_loss[-1]
        line = f"step {run.step:>5}  loss {run.history.loss[-1]:.4f}  validation {loss:.4f}"
        if self.floor is not None:
            line += f"  floor {self.floor:.4f} ({loss - self.floor:+.4f})"
        write(line)


def sampler(tokenizer: Tokenizer, settings: dict[str, Any], config: GPTConfig) -> Sample:
    """Let the model go on with the prompt every so many steps, always with the same luck."""
    from gptlib.sampling import complete

    stories = str(settings["data"]).startswith("story:")
    prompt = settings["sample_prompt"] or ("Once upon a time" if stories else "\n")
    room = max(1, min(SAMPLE_LENGTH, config.n_positions - len(tokenizer.encode(prompt))))

    def sample(model: Any) -> str:
        return prompt + complete(
            model, tokenizer, prompt, max_new_tokens=room, seed=settings["seed"]
        )

    every = settings["sample_every"]
    return Sample(sample, every=every, show=lambda text: write(f"  writes   {text.strip()!r}"))


def write(line: str) -> None:
    """Print a line above the progress bar."""
    from tqdm import tqdm  # type: ignore[import-untyped]

    tqdm.write(line)
