"""Five diffusion pipelines of about a hundred thousand random weights each, saved as folders: `tiny.py DIRECTORY`.

Nothing is downloaded: every part is made from its configuration, with a tokenizer that knows letters.
"""

import sys
from pathlib import Path

import torch
from diffusers import (
    AutoencoderKL,
    AutoencoderKLLTXVideo,
    AutoencoderKLWan,
    AutoencoderOobleck,
    DDIMScheduler,
    EDMDPMSolverMultistepScheduler,
    FlowMatchEulerDiscreteScheduler,
    FluxPipeline,
    FluxTransformer2DModel,
    LTXPipeline,
    LTXVideoTransformer3DModel,
    StableAudioDiTModel,
    StableAudioPipeline,
    StableAudioProjectionModel,
    StableDiffusionPipeline,
    UNet2DConditionModel,
    WanPipeline,
    WanTransformer3DModel,
)
from peft import LoraConfig
from peft.utils import get_peft_model_state_dict
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import (
    CLIPTextConfig,
    CLIPTextModel,
    PreTrainedTokenizerFast,
    T5Config,
    T5EncoderModel,
    UMT5Config,
    UMT5EncoderModel,
)

LETTERS = 128
WIDTH = 32
CLIP = CLIPTextConfig(
    vocab_size=LETTERS,
    hidden_size=WIDTH,
    intermediate_size=37,
    num_hidden_layers=1,
    num_attention_heads=4,
    max_position_embeddings=77,
    projection_dim=WIDTH,
    bos_token_id=1,
    eos_token_id=2,
    pad_token_id=0,
)
T5 = {"vocab_size": LETTERS, "d_model": WIDTH, "d_kv": 8, "d_ff": 37, "num_layers": 1, "num_heads": 4}


def letters(longest: int) -> PreTrainedTokenizerFast:
    """A tokenizer with one token for each character."""
    words = {"<pad>": 0, "<s>": 1, "</s>": 2, "<unk>": 3} | {chr(code): code for code in range(4, LETTERS)}
    made = Tokenizer(models.WordLevel(words, unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    made.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 2)])
    named = {"pad_token": "<pad>", "bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}
    return PreTrainedTokenizerFast(tokenizer_object=made, model_max_length=longest, **named)


def pictures_vae(channels: int) -> AutoencoderKL:
    """Halves both sides three times, as those of real pipelines do."""
    return AutoencoderKL(
        block_out_channels=(8, 8, 8, 8),
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        latent_channels=channels,
        norm_num_groups=4,
        layers_per_block=1,
        sample_size=64,
        shift_factor=0.0,
        scaling_factor=1.0,
        use_quant_conv=False,
        use_post_quant_conv=False,
    )


def wan() -> WanPipeline:
    vae = AutoencoderKLWan(base_dim=4, z_dim=16, dim_mult=[1, 1, 1, 1], num_res_blocks=1)
    transformer = WanTransformer3DModel(
        num_attention_heads=2,
        attention_head_dim=12,
        text_dim=WIDTH,
        freq_dim=32,
        ffn_dim=32,
        num_layers=2,
    )
    return WanPipeline(
        tokenizer=letters(512),
        text_encoder=UMT5EncoderModel(UMT5Config(**T5)),
        vae=vae,
        transformer=transformer,
        scheduler=FlowMatchEulerDiscreteScheduler(shift=3.0),
    )


def ltx() -> LTXPipeline:
    vae = AutoencoderKLLTXVideo(
        latent_channels=8,
        block_out_channels=(8, 8, 8, 8),
        decoder_block_out_channels=(8, 8, 8, 8),
        layers_per_block=(1, 1, 1, 1, 1),
        decoder_layers_per_block=(1, 1, 1, 1, 1),
    )
    transformer = LTXVideoTransformer3DModel(
        in_channels=8,
        out_channels=8,
        num_attention_heads=4,
        attention_head_dim=8,
        cross_attention_dim=WIDTH,
        num_layers=1,
        caption_channels=WIDTH,
    )
    return LTXPipeline(
        tokenizer=letters(128),
        text_encoder=T5EncoderModel(T5Config(**T5)),
        vae=vae,
        transformer=transformer,
        scheduler=FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True),
    )


def stable_diffusion() -> StableDiffusionPipeline:
    unet = UNet2DConditionModel(
        sample_size=8,
        block_out_channels=(16, 32),
        layers_per_block=1,
        cross_attention_dim=WIDTH,
        norm_num_groups=4,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        attention_head_dim=4,
    )
    return StableDiffusionPipeline(
        vae=pictures_vae(4),
        text_encoder=CLIPTextModel(CLIP),
        tokenizer=letters(77),
        unet=unet,
        scheduler=DDIMScheduler(),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )


def flux() -> FluxPipeline:
    transformer = FluxTransformer2DModel(
        in_channels=16,
        num_layers=1,
        num_single_layers=1,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=WIDTH,
        pooled_projection_dim=WIDTH,
        axes_dims_rope=(4, 4, 8),
    )
    return FluxPipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(),
        vae=pictures_vae(4),
        transformer=transformer,
        text_encoder=CLIPTextModel(CLIP),
        tokenizer=letters(77),
        text_encoder_2=T5EncoderModel(T5Config(**T5)),
        tokenizer_2=letters(77),
    )


def stable_audio() -> StableAudioPipeline:
    """Two channels of 8,000 samples a second, at most two seconds."""
    transformer = StableAudioDiTModel(
        sample_size=500,
        in_channels=4,
        out_channels=4,
        num_layers=1,
        attention_head_dim=4,
        num_attention_heads=2,
        num_key_value_attention_heads=2,
        cross_attention_dim=8,
        cross_attention_input_dim=8,
        global_states_input_dim=16,
        time_proj_dim=8,
    )
    vae = AutoencoderOobleck(
        encoder_hidden_size=8,
        downsampling_ratios=[4, 8],
        channel_multiples=[1, 2],
        decoder_channels=8,
        decoder_input_channels=4,
        audio_channels=2,
        sampling_rate=8000,
    )
    scheduler = EDMDPMSolverMultistepScheduler(
        solver_order=2, prediction_type="v_prediction", sigma_data=1.0, sigma_schedule="exponential"
    )
    return StableAudioPipeline(
        vae=vae,
        text_encoder=T5EncoderModel(T5Config(**T5)),
        projection_model=StableAudioProjectionModel(
            text_encoder_dim=WIDTH, conditioning_dim=8, min_value=0, max_value=32
        ),
        tokenizer=letters(32),
        transformer=transformer,
        scheduler=scheduler,
    )


MAKERS = {
    "wan": wan,
    "ltx": ltx,
    "stable-diffusion": stable_diffusion,
    "flux": flux,
    "stable-audio": stable_audio,
}


def save_lora(pipe: FluxPipeline, directory: Path) -> None:
    """An adapter whose weights are large enough to be seen in any picture."""
    pipe.transformer.add_adapter(LoraConfig(r=2, target_modules=["to_q", "to_k", "to_v"], init_lora_weights=False))
    held = {name: 8 * weight for name, weight in get_peft_model_state_dict(pipe.transformer).items()}
    FluxPipeline.save_lora_weights(directory, transformer_lora_layers=held)


def main(directory: Path) -> None:
    torch.manual_seed(0)
    for name, make in MAKERS.items():
        make().save_pretrained(directory / f"tiny-{name}")
    save_lora(FluxPipeline.from_pretrained(directory / "tiny-flux"), directory / "ink")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
