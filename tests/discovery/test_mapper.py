"""How one property takes one of our fields: every form that schemas were seen to use, and what is never guessed."""

from typing import Any

import pytest

from aggregator.discovery.mapper import Mapped, map_schema
from aggregator.discovery.slots import slots

PROMPT = {"type": "string"}
URL = {"type": "string", "format": "uri"}


def mapped(task: str = "text-to-video", outputs: dict[str, Any] | None = None, /, **properties: Any) -> Mapped:
    required = [name for name, schema in properties.items() if schema.pop("needed", False)]
    schema = {"type": "object", "properties": {"prompt": dict(PROMPT), **properties}, "required": required}
    return map_schema(slots(schema, schema), slots({"properties": outputs or {}}, {}), task)


def row(table: str, name: str, task: str = "text-to-video", /, **properties: Any) -> Any:
    return mapped(task, **properties).row.get(table, {}).get(name)


@pytest.mark.parametrize(
    ("schema", "target", "limit", "default"),
    [
        ({"type": "integer", "enum": [5, 10], "default": 5}, "duration", [5, 10], 5),
        ({"type": "string", "enum": ["5", "10"], "default": "5"}, {"to": "duration", "as": "{:g}"}, [5, 10], 5),
        ({"type": "string", "enum": ["4s", "6s"], "default": "6s"}, {"to": "duration", "as": "{:g}s"}, [4, 6], 6),
        ({"type": "string", "enum": ["auto", "4", "5"]}, {"to": "duration", "as": "{:g}"}, [4, 5], None),
        (
            {"type": "string", "enum": ["3", "4", "5", "6"]},
            {"to": "duration", "as": "{:g}"},
            {"min": 3, "max": 6, "multiple_of": 1},
            None,
        ),
        ({"type": "integer", "minimum": 1, "maximum": 15}, "duration", {"min": 1, "max": 15, "multiple_of": 1}, None),
        ({"type": "number", "minimum": 0.5, "maximum": 22}, "duration", {"min": 0.5, "max": 22}, None),
        ({"type": "number", "multipleOf": 0.5}, "duration", {"multiple_of": 0.5}, None),
        (
            {"type": "integer", "exclusiveMinimum": 0, "maximum": 9},
            "duration",
            {"min": 1, "max": 9, "multiple_of": 1},
            None,
        ),
        ({"type": "integer", "minimum": 0, "exclusiveMinimum": True}, "duration", {"min": 1, "multiple_of": 1}, None),
        ({"type": "string", "default": "5"}, {"to": "duration", "as": "{:g}"}, None, 5),
        ({"anyOf": [{"type": "integer", "enum": [5]}, {"type": "null"}], "default": None}, "duration", [5], None),
        ({"type": ["integer", "null"], "maximum": 8}, "duration", {"max": 8, "multiple_of": 1}, None),
    ],
)
def test_seconds_in_every_form(schema: dict[str, Any], target: Any, limit: Any, default: Any):
    found = mapped(duration=schema).row
    assert found["fields"]["duration_s"] == target
    assert found.get("limits", {}).get("duration_s") == limit
    assert found.get("defaults", {}).get("duration_s") == default


@pytest.mark.parametrize(
    ("schema", "why"),
    [
        ({"type": "string"}, "a text whose form is not said"),
        ({"type": "string", "enum": ["auto"]}, "a text whose form is not said"),
        ({"type": "string", "enum": ["4s", "6"]}, "values in several forms"),
        ({"enum": [4, "6"]}, "values in several forms"),
        ({"type": "boolean"}, "a text whose form is not said"),
    ],
)
def test_seconds_in_no_form_are_left_out_with_the_reason(schema: dict[str, Any], why: str):
    found = mapped(duration=schema)
    assert "duration_s" not in found.row["fields"]
    assert [(one.path, one.why) for one in found.left_out] == [("duration", why)]


def test_milliseconds_are_a_table_of_usual_lengths():
    schema = {"type": "integer", "minimum": 3000, "maximum": 30000, "default": 10000}
    found = mapped("text-to-music", music_length_ms=schema).row
    assert found["fields"]["duration_s"]["values"] == {
        str(seconds): seconds * 1000 for seconds in (3, 5, 10, 15, 20, 30)
    }
    assert found["defaults"]["duration_s"] == 10
    assert "duration_s" not in mapped("text-to-music", music_length_ms={"type": "integer"}).row["fields"]


@pytest.mark.parametrize(
    ("values", "target", "limit"),
    [
        (["720p", "1080p"], "resolution", ["720p", "1080p"]),
        (["480p", "768P", "2K"], {"to": "resolution", "values": {"480p": "480p", "768p": "768P", "2k": "2K"}}, None),
        ([480, 720], {"to": "resolution", "values": {"480p": 480, "720p": 720}}, None),
        (["0.5K", "1K"], {"to": "resolution", "values": {"1k": "1K"}}, None),
    ],
)
def test_resolutions_in_our_words(values: list[Any], target: Any, limit: Any):
    found = mapped(resolution={"enum": values}).row
    assert found["fields"]["resolution"] == target
    assert found.get("limits", {}).get("resolution") == limit


def test_ratios_without_auto_and_words():
    schema = {"type": "string", "enum": ["auto", "16:9", "2.35:1", "1:1"], "default": "auto"}
    found = mapped(aspect_ratio=schema).row
    assert found["limits"]["aspect_ratio"] == ["16:9", "1:1"]
    assert "defaults" not in found
    assert "aspect_ratio" not in mapped(aspect_ratio={"enum": ["landscape", "portrait"]}).row["fields"]


EDGE = {"type": "integer", "minimum": 512, "maximum": 2048, "multipleOf": 16}
PRESETS = ["square_hd", "square", "portrait_4_3", "portrait_16_9", "landscape_4_3", "landscape_16_9"]


@pytest.mark.parametrize(
    ("edge", "more", "written"),
    [
        (EDGE, [], {"width": 1024, "height": 576}),
        ({**EDGE, "minimum": 1024}, [], "landscape_16_9"),  # the size the name stands for elsewhere is too small here
        (EDGE, ["auto_2K"], "landscape_16_9"),  # the model has sizes of its own
    ],
)
def test_names_of_sizes_are_written_out_where_that_is_sure(edge: dict[str, Any], more: list[str], written: Any):
    size = {"type": "object", "properties": {"width": edge, "height": edge}}
    schema = {"anyOf": [size, {"type": "string", "enum": [*PRESETS, *more]}], "default": "landscape_4_3"}
    found = mapped("text-to-image", image_size=schema).row
    assert found["fields"]["size"] == "image_size.width image_size.height"
    assert found["fields"]["aspect_ratio"]["values"]["16:9"] == written
    assert found["limits"]["size"] == {"min": edge["minimum"], "max": 2048, "multiple_of": 16}
    assert found.get("defaults", {}).get("size") == ([1024, 768] if isinstance(written, dict) else None)


def test_sizes_as_texts():
    schema = {"type": "string", "enum": ["1024*1024", "1280*720", "auto"], "default": "1280*720"}
    found = mapped("text-to-image", size=schema).row
    assert found["fields"]["size"] == {"to": "size", "as": "{}*{}"}
    assert found["limits"]["size"] == [[1024, 1024], [1280, 720]]
    assert found["defaults"]["size"] == [1280, 720]


@pytest.mark.parametrize(
    ("name", "schema", "target"),
    [
        ("image_url", URL, "image_url"),
        ("first_frame_image", URL, "first_frame_image"),
        ("image_urls", {"type": "array", "items": URL}, {"to": "image_urls", "listed": True}),
    ],
)
def test_a_picture_alone_or_in_a_list(name: str, schema: dict[str, Any], target: Any):
    assert row("fields", "image", "image-to-video", **{name: dict(schema)}) == target


def test_pictures_that_guide_are_references_with_their_number():
    found = mapped("text-to-image", image_urls={"type": "array", "items": dict(URL), "maxItems": 4}).row
    assert found["fields"]["references"] == "image_urls"
    assert found["limits"]["references"] == {"max": 4}


def test_sound_is_a_switch_of_a_clip_and_an_input_of_a_face():
    assert row("fields", "audio", generate_audio={"type": "boolean"}) == "generate_audio"
    found = mapped("lip-sync", audio_url=dict(URL), image_url=dict(URL)).row
    assert found["fields"]["audio"] == "audio_url"
    assert found["required"] == ["image"]


def test_inside_an_object_but_not_beside_what_must_be_given_there():
    setting = {"type": "object", "properties": {"voice_id": {"type": "string"}, "speed": {"type": "number"}}}
    found = mapped("text-to-speech", text=dict(PROMPT), voice_setting=setting)
    assert found.row["fields"]["voice"] == "voice_setting.voice_id"
    assert found.row["fields"]["speed"] == "voice_setting.speed"
    needy = {**setting, "required": ["emotion"], "properties": {**setting["properties"], "emotion": {"type": "string"}}}
    found = mapped("text-to-speech", text=dict(PROMPT), voice_setting=needy)
    assert "voice" not in found.row["fields"]


def test_languages_by_name_or_code():
    schema = {"enum": ["Auto", "English", "Chinese"], "default": "Auto"}
    found = mapped("text-to-speech", text=dict(PROMPT), language=schema).row
    assert found["fields"]["language"] == {"to": "language", "values": {"en": "English", "zh": "Chinese"}}
    assert "defaults" not in found


def test_formats_that_are_ours_and_the_address_where_there_is_a_choice():
    assert row("fields", "format", "text-to-image", output_format={"enum": ["png", "jpg"]})["values"]["jpeg"] == "jpg"
    found = mapped("text-to-speech", text=dict(PROMPT), output_format={"enum": ["hex", "url"], "default": "hex"}).row
    assert found["fixed"] == {"output_format": "url"}
    assert "format" not in mapped(output_format={"enum": ["mp4", "webm"]}).row["fields"]


def test_one_output_whatever_the_default_is():
    found = mapped("text-to-image", num_images={"type": "integer", "minimum": 1, "maximum": 4, "default": 4}).row
    assert found["fixed"] == {"num_images": 1}


def test_what_must_be_given_and_is_nothing_of_ours_refuses():
    found = mapped(style={"type": "string", "enum": ["a", "b"], "needed": True})
    assert found.refused == ("style must be given (one of a, b), and no field of text-to-video is written there",)


def test_what_must_be_given_and_has_a_default_is_sent_as_that():
    found = mapped(style={"type": "string", "default": "plain", "needed": True})
    assert not found.refused
    assert found.row["fixed"] == {"style": "plain"}


def test_what_a_task_needs_and_the_schema_lacks_refuses():
    schema = {"properties": {"image_url": URL}}
    found = map_schema(slots(schema, schema), {}, "image-to-image")
    assert found.refused[0].startswith("image-to-image needs prompt, and no property is known to be it")
    found = map_schema(slots({"properties": {"audio_url": URL}}, {}), {}, "lip-sync")
    assert found.refused == ("lip-sync needs video or image",)


def test_what_is_deprecated_is_not_written_to():
    assert (
        row("fields", "last_image", "image-to-video", image=dict(URL), end_image_url={**URL, "deprecated": True})
        is None
    )


def test_what_is_left_out_is_listed_with_type_and_default():
    found = mapped(
        cfg_scale={"type": "number", "default": 0.5},
        loras={"type": "array", "items": {"type": "object"}},
        shot={"type": "string", "enum": ["a", "b", "c", "d", "e"], "default": "a"},
    )
    assert [str(one) for one in found.left_out] == [
        "cfg_scale (number, default 0.5)",
        "loras (list of object, no default)",
        "shot (one of a, b, c, d, …, default 'a')",
    ]


@pytest.mark.parametrize(
    ("task", "outputs", "path"),
    [
        ("text-to-image", {"images": {"type": "array", "items": {"properties": {"url": URL}}}}, "images[].url"),
        ("image-upscaling", {"image": {"properties": {"url": URL}}}, "image.url"),
        ("text-to-video", {"video": {"properties": {"url": URL}}}, "video.url"),
        ("text-to-speech", {"audio_url": URL}, "audio_url"),
        ("text-to-video", {"output": {"type": "array", "items": URL}}, "output[]"),
        ("video-to-audio", {"video": {"properties": {"url": URL}}, "audio": {"properties": {"url": URL}}}, "audio.url"),
        ("text-to-video", {"seed": {"type": "integer"}}, None),
    ],
)
def test_where_the_files_are(task: str, outputs: dict[str, Any], path: str | None):
    found = mapped(task, outputs).row.get("files")
    assert (found and found["path"]) == path


def test_pictures_that_were_blanked_are_refusals():
    flags = {"type": "array", "items": {"type": "boolean"}}
    files = mapped(
        "text-to-image",
        {"images": {"type": "array", "items": {"properties": {"url": URL}}}, "has_nsfw_concepts": flags},
    ).row["files"]
    assert files["blocked"] == {"path": "has_nsfw_concepts[]", "values": [True]}


# ------------------------------------------------------------------------------------------------------- the schemas


def test_references_and_all_of_are_read_as_replicate_writes_them():
    root = {
        "components": {"schemas": {"ratio": {"type": "string", "enum": ["1:1", "16:9"]}}},
        "properties": {"aspect_ratio": {"allOf": [{"$ref": "#/components/schemas/ratio"}], "default": "1:1"}},
    }
    slot = slots(root, root)["aspect_ratio"]
    assert (slot.enum, slot.default, slot.is_open) == (("1:1", "16:9"), "1:1", False)


def test_a_schema_that_names_itself_ends():
    root: dict[str, Any] = {"components": {"schemas": {}}}
    node = {"type": "object", "properties": {"below": {"$ref": "#/components/schemas/node"}}}
    root["components"]["schemas"]["node"] = node
    assert "below" in slots({"$ref": "#/components/schemas/node"}, root)
    root["components"]["schemas"]["loop"] = {"$ref": "#/components/schemas/loop"}
    assert slots({"$ref": "#/components/schemas/loop"}, root) == {}


@pytest.mark.parametrize(
    "broken", [{}, {"properties": []}, {"properties": {"a": 1}}, {"required": 7, "properties": {}}]
)
def test_what_is_no_schema_has_no_properties(broken: dict[str, Any]):
    assert slots(broken, broken) == {}
    assert slots({"$ref": "https://elsewhere/x"}, {}) == {}
