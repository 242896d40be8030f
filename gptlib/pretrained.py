"""Load and save models in Hugging Face's GPT-2 format: `config.json` and safetensors.

safetensors only: it holds numbers and nothing else, while unpickling a file runs its code.
"""

import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from gptlib.config import GPTConfig
from gptlib.model import GPT
from gptlib.tokenizer import END_OF_TEXT, Tokenizer

MODELS = Path(__file__).parent / "models"  # what ships with gptlib, one folder each
WEIGHTS = "model.safetensors"
INDEX = "model.safetensors.index.json"  # of a checkpoint in several files ("shards")
# GPT-2's own code kept a linear map's weight as (in, out), torch keeps (out, in).
TRANSPOSED = ("attn.c_attn.weight", "attn.c_proj.weight", "mlp.c_fc.weight", "mlp.c_proj.weight")
# Buffers that old checkpoints carry: the causal mask, and the -1e4 that stood for -infinity.
BUFFERS = (".attn.bias", ".attn.masked_bias")


class CheckpointError(ValueError):
    """A checkpoint that can't be loaded or saved; the message names the file and the reason."""


def load(path_or_name: str | os.PathLike[str], dtype: torch.dtype = torch.float32) -> GPT:
    """A model in evaluation mode: from a folder, by a shipped model's name, or from the hub.

    Weights of the right dtype are memory-mapped: nothing is read before it is used.
    Raises `CheckpointError` when anything does not fit; a model comes back whole or not at all.
    """
    folder = find(path_or_name)
    config = read_config(folder / "config.json")
    with torch.device("meta"):  # no memory, no random numbers for weights about to be replaced
        model = GPT(config)
    weights = read_weights(folder, model, config)
    model.load_state_dict({n: w.to(dtype) for n, w in weights.items()}, assign=True)
    return model.eval()


def save(
    model: GPT,
    folder: str | os.PathLike[str],
    max_shard_size: int | str = "5GB",
    *,
    dtype: torch.dtype | None = None,
    tokenizer: Tokenizer | None = None,
) -> None:
    """Write `config.json` and the weights so that gptlib and transformers can load them.

    Files are written in a scratch folder beside their places and then renamed: an interrupted
    save leaves no half file. Raises `CheckpointError` when the folder can't be written, and for a
    model that is no plain GPT, such as one with adapters: nobody could open what it would write.

    Args:
        max_shard_size: bytes, or a text such as "5GB", of one file of weights.
        dtype: of the weights in the file, such as `torch.float16` for half the size; both
            libraries still load them as float32. None: as they are.
        tokenizer: its files are written beside, and which token ends a text into the
            configuration, so that transformers stops there.
    """
    _check_plain(model)
    about = config_to_json(model.config)
    if dtype is not None:
        about["dtype"] = "float32"  # transformers would compute in the file's format
    weights = {name: weight.detach().to(dtype) for name, weight in model.state_dict().items()}
    write(weights, about, Path(folder), max_shard_size, tokenizer)


def write(
    weights: dict[str, Tensor],
    about: dict[str, Any],
    folder: Path,
    max_shard_size: int | str = "5GB",
    tokenizer: Tokenizer | None = None,
) -> None:
    """Write weights by gptlib's names, and `config.json`: the second half of `save`."""
    from huggingface_hub import split_state_dict_into_shards_factory  # 0.25 s that load can spare

    tensors = {name: _flip(name, weight).contiguous() for name, weight in weights.items()}
    if tokenizer is not None and (end := tokenizer.special_tokens.get(END_OF_TEXT)) is not None:
        about = about | {"bos_token_id": end, "eos_token_id": end}
    plan = split_state_dict_into_shards_factory(
        tensors,
        get_storage_size=lambda tensor: tensor.numel() * tensor.element_size(),
        filename_pattern="model{suffix}.safetensors",
        max_shard_size=max_shard_size,
    )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for left_over in folder.glob(".saving-*"):  # by a save that was killed
            shutil.rmtree(left_over, ignore_errors=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".saving-") as scratch:
            for filename, names in plan.filename_to_tensors.items():
                shard = {name: tensors[name] for name in names}
                save_file(shard, Path(scratch, filename), {"format": "pt"})
            if plan.is_sharded:
                index = {"metadata": plan.metadata, "weight_map": plan.tensor_to_filename}
                Path(scratch, INDEX).write_text(json.dumps(index, indent=2), encoding="utf-8")
            config = json.dumps(about, indent=2) + "\n"
            Path(scratch, "config.json").write_text(config, encoding="utf-8")
            if tokenizer is not None:
                tokenizer.save(scratch)
            written = sorted(file.name for file in Path(scratch).iterdir())
            for name in written:
                os.replace(Path(scratch, name), folder / name)
        for old in folder.glob("model*.safetensors*"):  # shards of a checkpoint split otherwise
            if old.name not in written:
                old.unlink()
    except (OSError, SafetensorError) as error:
        raise CheckpointError(f"{folder}: can't save here: {error}") from error


def _check_plain(model: GPT) -> None:
    with torch.device("meta"):
        plain = GPT(model.config).state_dict().keys()
    if other := sorted(model.state_dict().keys() ^ plain):
        raise CheckpointError(
            f"the model is no plain GPT ({other[0]}): merge its adapters first "
            "(gptlib.finetuning.merge_lora), or save them alone (save_adapters)"
        )


def shipped() -> list[str]:
    """The names of the models that come with gptlib and need no network."""
    return sorted(config.parent.name for config in MODELS.glob("*/config.json"))


def find(path_or_name: str | os.PathLike[str]) -> Path:
    """The folder of a model: the path itself, a shipped model's, or one fetched from the hub."""
    name = os.fspath(path_or_name)
    path = Path(name).expanduser()
    if path.is_dir():
        return path
    if path.is_file():
        raise CheckpointError(f"{path}: is a file; give the folder that holds its config.json")
    if name in shipped():
        return MODELS / name
    if isinstance(path_or_name, os.PathLike) or name.startswith((".", "~", "/")) or "\\" in name:
        raise CheckpointError(f"{path}: there is no such folder")
    from huggingface_hub import errors, snapshot_download

    try:
        return Path(snapshot_download(name, allow_patterns=["*.json", "*.safetensors", "*.txt"]))
    except (errors.RepositoryNotFoundError, errors.HFValidationError) as error:
        raise CheckpointError(
            f"{name!r} is neither a folder here nor a model on the hub"
        ) from error
    except (errors.LocalEntryNotFoundError, errors.OfflineModeIsEnabled, OSError) as error:
        offline = ", ".join(shipped()) or "none yet; save one of your own with gptlib.save"
        raise CheckpointError(
            f"{name!r} is no folder here and the hub can't be reached to fetch it. "
            f"Models that work without a network: {offline}"
        ) from error


def read_config(file: Path) -> GPTConfig:
    """The configuration in a Hugging Face `config.json`.

    Raises `CheckpointError` for a model that is no GPT-2, or uses an option gptlib lacks.
    """
    try:
        values = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise CheckpointError(f"{file.parent}: has no config.json, so it is no model") from None
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{file}: can't be read: {error}") from error
    try:
        return config_from_json(values)
    except (ValueError, TypeError) as error:
        raise CheckpointError(f"{file}: {error}") from error


# What gptlib computes. A config.json that asks for something else would load and then be wrong.
FIXED = {
    "activation_function": ("gelu_new", "gelu_pytorch_tanh"),
    "scale_attn_weights": (True,),
    "scale_attn_by_inverse_layer_idx": (False,),
    "add_cross_attention": (False,),
}
SAME_NAME = ("vocab_size", "n_positions", "n_embd", "n_layer", "n_head", "n_inner",
             "layer_norm_epsilon", "tie_word_embeddings")  # fmt: skip


def config_from_json(values: dict[str, Any]) -> GPTConfig:
    """A `GPTConfig` from the dictionary in `config.json`; absent fields take GPT-2's defaults."""
    if values.get("model_type") not in ("gpt2", "gptlib"):
        raise ValueError(f"model_type is {values.get('model_type')!r}; gptlib loads 'gpt2'")
    for option, accepted in FIXED.items():
        if values.get(option, accepted[0]) not in accepted:
            raise ValueError(f"{option} is {values[option]!r}; gptlib has only {accepted[0]!r}")
    return GPTConfig(
        dropout=values.get("resid_pdrop", 0.1),
        positions=values.get("positions", "learned"),
        **{name: values[name] for name in SAME_NAME if name in values},
    )


def config_to_json(config: GPTConfig) -> dict[str, Any]:
    """The dictionary for `config.json`.

    transformers knows GPT-2 with learned positions alone. Other schemes are written as
    model_type "gptlib", so that transformers refuses them instead of computing something else.
    """
    learned = config.positions == "learned"
    return {
        "architectures": ["GPT2LMHeadModel" if learned else "GPT"],
        "model_type": "gpt2" if learned else "gptlib",
        **({} if learned else {"positions": config.positions}),
        **{name: getattr(config, name) for name in SAME_NAME},
        **{name: accepted[0] for name, accepted in FIXED.items()},
        **dict.fromkeys(("resid_pdrop", "embd_pdrop", "attn_pdrop"), config.dropout),
    }


def read_weights(folder: Path, model: nn.Module, config: GPTConfig) -> dict[str, Tensor]:
    """The tensors that `model` needs, by its own names, checked before any is handed on."""
    expected = model.state_dict()
    # A file of the body alone has names without their first part.
    parts = tuple(f"{part}." for part in {"lm_head", *(n.split(".")[0] for n in expected)})
    weights: dict[str, Tensor] = {}
    source: dict[str, Path] = {}
    for file in _weight_files(folder):
        try:
            with safe_open(file, framework="pt") as opened:
                for name in opened.keys():  # noqa: SIM118 - not a dictionary
                    if name.endswith(BUFFERS):
                        continue
                    own = name if name.startswith(parts) else f"transformer.{name}"
                    weights[own], source[own] = _flip(own, opened.get_tensor(name)), file
        except (SafetensorError, OSError) as error:
            raise CheckpointError(
                f"{file}: is cut short or no safetensors file ({error}); fetch or save it again"
            ) from error
    # Some writers store a tied matrix twice. Equal copies do no harm; others have no place.
    tied = config.tie_word_embeddings
    copy = weights.pop("lm_head.weight", None) if tied else None
    for what, names in (
        ("lacks", expected.keys() - weights.keys()),
        ("holds surplus", weights.keys() - expected.keys()),
    ):
        if names:
            raise CheckpointError(f"{folder}: the checkpoint {what} {_some(names)}")
    if copy is not None and not torch.equal(copy, weights["transformer.wte.weight"]):
        raise CheckpointError(
            f"{folder}: tie_word_embeddings is true, but lm_head.weight differs from "
            "wte.weight; set it to false in config.json to load both"
        )
    for name, tensor in weights.items():
        if tensor.shape != expected[name].shape:
            # As the file has it: a transposed weight is reported the way the file stores it.
            raise CheckpointError(
                f"{source[name]}: {name} has shape {tuple(_flip(name, tensor).shape)}; "
                f"config.json asks for {tuple(_flip(name, expected[name]).shape)}"
            )
    return weights


def _weight_files(folder: Path) -> list[Path]:
    if (folder / INDEX).is_file():
        try:
            names = set(
                json.loads((folder / INDEX).read_text(encoding="utf-8"))["weight_map"].values()
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise CheckpointError(f"{folder / INDEX}: is no shard index: {error!r}") from error
        files = [folder / str(name) for name in sorted(names)]
        for file in files:
            if file.parent != folder or not file.is_file():
                raise CheckpointError(f"{folder / INDEX}: names {file.name!r}, which is not there")
        return files
    if (folder / WEIGHTS).is_file():
        return [folder / WEIGHTS]
    pickles = [*folder.glob("*.bin"), *folder.glob("*.pt"), *folder.glob("*.pth")]
    if pickles:
        raise CheckpointError(
            f"{pickles[0]}: is a pickle, and opening one can run any code; "
            "gptlib loads safetensors only: ask for the model in that format"
        )
    raise CheckpointError(f"{folder}: has no {WEIGHTS}")


def _flip(name: str, weight: Tensor) -> Tensor:
    """A view between the file's (in, out) and torch's (out, in), for the four linear maps."""
    return weight.t() if name.endswith(TRANSPOSED) and weight.ndim == 2 else weight


def _some(names: set[str]) -> str:
    first = sorted(names)[:3]
    rest = len(names) - len(first)
    return ", ".join(first) + (f" and {rest} more" if rest else "")
