"""How long litellm's router takes to pick one of 1,000 deployments, by each of its strategies."""

import asyncio
import os
import statistics
import sys
import time

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # what comes with the package: nothing leaves the machine

import litellm
from litellm.types.utils import ImageObject, ImageResponse
from measuring import report

litellm.suppress_debug_info = True
DEPLOYMENTS = 1000
STRATEGIES = ("simple-shuffle", "latency-based-routing", "cost-based-routing")


def deployments() -> list[dict]:
    """Of one model, each with an address and a price of its own."""
    return [
        {
            "model_name": "clip",
            "litellm_params": {"model": f"openai/m{n}", "api_key": "k", "api_base": f"http://127.0.0.1:9/{n}"},
            "model_info": {"id": f"d{n}", "output_cost_per_second": 0.1 + n % 90 / 100},
        }
        for n in range(DEPLOYMENTS)
    ]


async def pick_us(strategy: str, times: int) -> float:
    router = litellm.Router(model_list=deployments(), routing_strategy=strategy)
    taken = []
    for number in range(times + 1):
        words = [{"role": "user", "content": f"a fox {number}"}]
        began = time.perf_counter()
        await router.async_get_available_deployment(model="clip", messages=words, request_kwargs={})
        taken.append(time.perf_counter() - began)
    return statistics.median(taken[1:]) * 1e6


def cost_us(times: int) -> float:
    """What it takes to say what one picture cost."""
    made = ImageResponse(data=[ImageObject(url="x")])
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        litellm.completion_cost(
            completion_response=made,
            model="gpt-image-1",
            call_type="image_generation",
            size="1024-x-1024",
            quality="low",
            custom_llm_provider="openai",
        )
        taken.append(time.perf_counter() - began)
    return statistics.median(taken) * 1e6


async def main(times: int) -> None:
    found = {strategy: await pick_us(strategy, times) for strategy in STRATEGIES}
    found["cost"] = cost_us(times)
    report(found)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
