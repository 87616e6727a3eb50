"""By which names providers know our parameters: the words a schema is read with. Data, the likeliest first.

A name stands here because a published schema uses it with that meaning. What is not here is never guessed: the import
lists it and leaves it out.
"""

from collections.abc import Mapping

__all__ = ["COUNTS", "FIXED", "LANGUAGES", "NAMES", "PRESETS", "TASKS_BY_CATEGORY", "names_of"]

NAMES: Mapping[str, tuple[str, ...]] = {
    "text": ("text", "gen_text", "input_text", "transcript", "script", "prompt"),
    "prompt": ("prompt", "text_prompt", "instruction", "sound_effect_prompt"),
    "negative_prompt": ("negative_prompt",),
    "lyrics": ("lyrics", "lyrics_prompt"),
    "image": (
        *("image_url", "image", "input_image", "input_image_url", "start_image_url", "first_frame_image"),
        *("first_frame_image_url", "first_frame_url", "start_image", "first_frame", "image_urls", "input_images"),
        *("images", "input_image_urls"),
    ),
    "last_image": (
        *("end_image_url", "tail_image_url", "last_frame_image", "last_frame_image_url", "last_frame_url"),
        *("last_frame", "last_image_url", "last_image", "end_image", "tail_image"),
    ),
    "mask": ("mask_url", "mask_image_url", "mask_image", "mask"),
    "references": (
        *("reference_image_urls", "reference_images", "subject_reference_image_urls", "image_urls", "input_images"),
        "images",
    ),
    "video": ("video_url", "video", "input_video", "input_video_url"),
    "audio": ("audio_url", "audio", "input_audio", "source_audio_url", "generate_audio", "generate_audio_switch"),
    "duration_s": (
        *("duration", "duration_seconds", "seconds_total", "seconds", "total_seconds", "video_length"),
        *("music_length_ms", "duration_ms"),
    ),
    "resolution": ("resolution", "target_resolution", "video_resolution"),
    "aspect_ratio": ("aspect_ratio", "ratio"),
    "size": ("image_size", "video_size", "size"),
    "seed": ("seed",),
    "strength": ("strength",),
    "format": ("output_format", "audio_format", "image_format", "response_format", "audio_setting.format"),
    "fps": ("fps", "frames_per_second", "target_fps"),
    "factor": ("upscale_factor", "scale", "scale_ratio", "scale_factor"),
    "speed": ("speed", "voice_setting.speed", "voice_speed"),
    "voice": ("voice", "voice_id", "voice_setting.voice_id", "speaker"),
    "language": ("language", "language_code", "voice_language", "target_lang", "target_language"),
}

_BY_TASK: Mapping[tuple[str, str], tuple[str, ...]] = {
    # Of speech, `prompt` is how it is to be said, and only where the text has another name.
    ("text-to-speech", "prompt"): (
        *("style_instructions", "instructions", "voice_instruction", "style_prompt", "prompt"),
    ),
    ("text-to-sound", "prompt"): ("prompt", "text", "text_prompt", "sound_effect_prompt"),
    ("text-to-music", "prompt"): ("prompt", "tags", "text", "text_prompt", "style_prompt"),
    ("video-to-audio", "prompt"): ("prompt", "text_prompt", "sound_effect_prompt"),
    # Where a picture is the thing worked on, a list of pictures holds that one first.
    ("image-to-image", "references"): ("reference_image_urls", "reference_images"),
    ("image-to-video", "references"): ("reference_image_urls", "reference_images", "subject_reference_image_urls"),
    ("text-to-video", "audio"): ("generate_audio", "generate_audio_switch", "enable_audio", "audio"),
    ("image-to-video", "audio"): ("generate_audio", "generate_audio_switch", "enable_audio", "audio"),
    ("video-to-video", "audio"): ("generate_audio", "generate_audio_switch", "keep_audio", "audio"),
    ("video-extension", "audio"): ("generate_audio", "generate_audio_switch", "keep_audio", "audio"),
}


def names_of(task: str, field: str) -> tuple[str, ...]:
    """The names under which a field of a task is looked for."""
    return _BY_TASK.get((task, field)) or NAMES.get(field, ())


COUNTS = ("num_images", "num_outputs", "number_of_images", "num_videos", "max_images", "n", "n_samples", "num_samples")
"""How many are made: set to one, because the bill is multiplied by it."""

FIXED: Mapping[str, str] = {"output_format": "url", "response_format": "url"}
"""Where one of several ways to hand over the file is the address: that one is asked for."""

PRESETS: Mapping[str, tuple[str, tuple[int, int]]] = {
    "square_hd": ("1:1", (1024, 1024)),
    "landscape_4_3": ("4:3", (1024, 768)),
    "portrait_4_3": ("3:4", (768, 1024)),
    "landscape_16_9": ("16:9", (1024, 576)),
    "portrait_16_9": ("9:16", (576, 1024)),
}
"""fal's own names of sizes, each with its shape and what it stands for (fal.ai/docs; @fal-ai/client 381105e)."""

LANGUAGES: Mapping[str, str] = {
    "arabic": "ar",
    "chinese": "zh",
    "dutch": "nl",
    "english": "en",
    "french": "fr",
    "german": "de",
    "hindi": "hi",
    "indonesian": "id",
    "italian": "it",
    "japanese": "ja",
    "korean": "ko",
    "polish": "pl",
    "portuguese": "pt",
    "russian": "ru",
    "spanish": "es",
    "turkish": "tr",
    "vietnamese": "vi",
}
"""Languages that some providers write out, by their code of ISO 639-1."""

TASKS_BY_CATEGORY: Mapping[str, tuple[str, ...]] = {
    "text-to-image": ("text-to-image",),
    "image-to-image": ("image-to-image", "image-upscaling"),
    "text-to-video": ("text-to-video",),
    "image-to-video": ("image-to-video", "lip-sync", "frame-interpolation"),
    "video-to-video": (
        *("video-to-video", "video-extension", "video-upscaling", "frame-interpolation", "lip-sync", "video-to-audio"),
    ),
    "audio-to-video": ("lip-sync",),
    "lipsync": ("lip-sync",),
    "text-to-speech": ("text-to-speech",),
    "text-to-audio": ("text-to-music", "text-to-sound", "text-to-speech"),
    "audio-to-audio": ("speech-to-speech",),
    "speech-to-speech": ("speech-to-speech",),
    "video-to-audio": ("video-to-audio",),
}
"""What a provider's category can mean; several: the person says which (`--task`), unless one alone fits the schema."""
