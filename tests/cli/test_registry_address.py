"""`registry discover http://…` and `doctor --live`: a server of one's own says what it is."""

from pathlib import Path

from tests.discovery.serving import serving

from .conftest import Command

SGLANG = {
    "/v1/models": {"data": [{"id": "Wan-AI/Wan2.1-T2V-1.3B-Diffusers", "supported_task_types": ["T2V"]}]},
    "/server_info": {"version": "0.5.23"},
}


def configure(directory: Path, text: str) -> None:
    (directory / "aggregator.toml").write_text(f'directory = "store"\nallow_ephemeral = true\n{text}')


def test_it_says_what_answers_and_writes_an_offer_that_can_be_planned(run: Command, tmp_path: Path):
    with serving(SGLANG) as here:
        shown = run("registry", "discover", here.url).out
        assert "SGLang diffusion 0.5.23" in shown
        assert f'base_url = "{here.url}/v1"' in shown
        assert "--accept new --write DIR" in shown
        made = run.json("registry", "discover", here.url, "--accept", "new", "--write", "registry")
        assert [Path(file).name for file in made["written"]] == ["wan-ai-wan2.1-t2v-1.3b-diffusers.toml"]
        again = run.json("registry", "discover", here.url, "--accept", "new", "--write", "registry", code=1)
        assert "nothing was written" in again["error"]["message"]
        own = made["engines"][0]["configuration"] + 'gpu = "RTX 4090"\nusd_per_gpu_hour = "0.36"\n'
        configure(tmp_path, f'[registry]\npaths = ["registry"]\n{own}')
        words = ("text-to-video", "a lighthouse", "--model", "wan-2.1-t2v-1.3b", "--set", "duration_s=5")
        plan = run.json("plan", *words)
    assert (plan["body"]["num_frames"], plan["body"]["fps"]) == (81, 16)
    assert plan["quote"]["basis"] == "estimate"
    assert {method for method, _ in here.asked} == {"GET"}


def test_what_does_not_answer_is_an_error(run: Command):
    with serving({}) as here:
        url = here.url
        assert "no engine that is known" in run("registry", "discover", url, code=1).err
    assert "nothing answers" in run("registry", "discover", url, code=1).err
    assert "one after the other" in run("registry", "discover", url, "fal", code=1).err


def test_doctor_says_which_engine_is_behind_an_address(run: Command, tmp_path: Path):
    with serving(SGLANG) as here:
        configure(
            tmp_path,
            f'[providers.openai_compatible]\nbase_url = "{here.url}/v1"\n[providers.cog]\nbase_url = "{here.url}"\n',
        )
        found = run.json("doctor", "--live", code=1)["findings"]
    said = {item["name"]: (item["verdict"], item["said"]) for item in found if item["about"] == "servers, asked live"}
    assert said["openai_compatible"] == ("ok", f"SGLang diffusion 0.5.23 at {here.url}/v1")
    assert said["cog"][0] == "warning"
    assert "its provider is openai_compatible, not cog" in said["cog"][1]
