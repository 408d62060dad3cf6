"""Nameko: `serve <broker>` or `load <broker>`, with the protocol of `../peer.ts`."""
import eventlet
eventlet.monkey_patch()  # noqa: E402

import json
import sys
import time
from collections import deque

from nameko.rpc import rpc
from nameko.runners import ServiceRunner
from nameko.standalone.rpc import ClusterRpcProxy

PAYLOAD = {
    "id": 12345,
    "customer": "Ada Lovelace",
    "items": [{"sku": "A-1", "count": 2}, {"sku": "B-7", "count": 1}],
}


class Echo:
    name = "enoki_bench_nameko"

    @rpc
    def echo(self, value):
        return value


def load(echo, in_flight, duration):
    """Keeps calls going; each is replaced when the oldest has its reply."""
    latencies = []
    going = deque()
    start = time.monotonic()
    end = start + duration / 1000
    for _ in range(in_flight):
        going.append((time.monotonic(), echo.call_async(PAYLOAD)))
    while going:
        before, call = going.popleft()
        call.result()
        now = time.monotonic()
        latencies.append((now - before) * 1000)
        if now < end:
            going.append((now, echo.call_async(PAYLOAD)))
    elapsed = time.monotonic() - start
    latencies.sort()
    at = lambda share: latencies[int(share * (len(latencies) - 1))]
    return {"rate": len(latencies) / elapsed, "p50": at(0.5), "p99": at(0.99)}


role, broker = sys.argv[1:]
config = {"AMQP_URI": broker}
if role == "serve":
    runner = ServiceRunner(config)
    runner.add_service(Echo)
    runner.start()
    print("ready", flush=True)
    runner.wait()
else:
    with ClusterRpcProxy(config) as cluster:
        print("ready", flush=True)
        for line in sys.stdin:
            in_flight, duration = map(int, line.split())
            print(json.dumps(load(cluster.enoki_bench_nameko.echo, in_flight, duration)), flush=True)
