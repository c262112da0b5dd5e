"""Runs of many shapes on a server, and a bundle of each at several moments, for the test `second_verifier`.

    play.py URL FOLDER HOC      the keys of an admin and of an agent are in HOC_ADMIN and HOC_AGENT
"""
import itertools, json, os, pathlib, subprocess, sys, time, urllib.error, urllib.request

BUNDLES = 200
RUNS = "/api/v1/runtime/activity/runs"
PARAMS = {"größe": "\u2028\U0001f326", "n": 1.5}


class Api:
    def __init__(self, url, hoc):
        self.url, self.hoc, self.keys = url, hoc, {"admin": os.environ["HOC_ADMIN"], "agent": os.environ["HOC_AGENT"]}

    def call(self, path, body=None, by="agent", raw=False):
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {self.keys[by]}", "Content-Type": "application/json"}
        try:
            with urllib.request.urlopen(urllib.request.Request(self.url + path, data, headers)) as answer:
                read = answer.read()
        except urllib.error.HTTPError as refused:
            read = refused.read()
            if refused.code not in (403, 409):  # a refusal is a verdict
                raise SystemExit(f"{path}: {refused.code} {read.decode()}") from None
        return read if raw else json.loads(read)

    def start(self, **more):
        return self.call(RUNS, {"agent_id": "bot", "goal": "to help", **more})["run_id"]

    def step(self, run, kind="TOOL_CALL", skill="look", cost=None, status="SUCCESS", **more):
        body = {"kind": kind, "skill_name": skill, "status": status, "params": PARAMS, **more}
        if kind == "LLM_CALL":
            body["llm"] = {"provider": "openai", "model": "gpt-4o", "input_tokens": 12, "output_tokens": 3,
                           "prompt": "Where is it?\n", "response": "On its \"way\".", "cost_usd": cost or 0.01}
        return self.call(f"{RUNS}/{run}/steps", body)

    def permit(self, run, kind="TOOL_CALL", skill="look"):
        asked = {"kind": kind, "skill_name": skill, "params": PARAMS}
        return self.call(f"{RUNS}/{run}/permits", asked).get("permit_id")

    def end(self, run, status="SUCCEEDED", error=None):
        self.call(f"{RUNS}/{run}/complete", {"status": status, "error": error})

    def erase(self, run):
        subprocess.run([self.hoc, "erase", run, "--by", "ann", "--reason", "its subject asked for it"], check=True, capture_output=True)

    def spans(self, trace, spans):
        def text(key, value):
            return {"key": key, "value": {"intValue": value} if isinstance(value, int) else {"stringValue": value}}
        made = [{"traceId": trace, "spanId": f"{own:016x}", "parentSpanId": f"{parent:016x}" if parent else "",
                 "name": attributes["gen_ai.operation.name"], "startTimeUnixNano": "1767225600000000000",
                 "endTimeUnixNano": "1767225601000000000", "status": {"code": status[0] if status else 1},
                 "attributes": [text(*one) for one in attributes.items()]}
                for own, parent, attributes, *status in spans]
        resource = {"attributes": [text("service.name", "bot")]}
        self.call("/v1/traces", {"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": made}]}]})

    def run_of(self, trace, until):
        for _ in range(600):
            for run in self.call(RUNS + "?limit=50", by="admin")["items"]:
                if run["external_trace_id"] == trace and until(run):
                    return run["run_id"]
            time.sleep(0.05)
        raise SystemExit(f"the trace {trace} does not come to that")


def govern(api):
    for name, mode, condition in [("no deleting", "BLOCK", 'context.step.skill == "delete"'),
                                  ("no expensive steps", "KILL", "context.step.cost_microusd > 500000"),
                                  ("stop there", "STOP", 'context.step.skill == "cliff"'),
                                  ("mind it", "WARN", 'context.step.skill == "warn"'),
                                  ("look at it", "AUDIT", 'context.step.skill == "audit"')]:
        rule = {"name": name, "enforcement_mode": mode, "condition": condition}
        api.call("/api/v1/runtime/policies/rules", rule, "admin")
    for limit in [{"name": "steps", "limit_type": "RUN_STEPS", "max_value": 5, "scope": "AGENT", "scope_id": "short",
                   "consequence": "INCIDENT"},
                  {"name": "money", "limit_type": "RUN_COST_USD", "max_value": 0.03, "scope": "AGENT",
                   "scope_id": "poor", "enforcement": "WARN"}]:
        api.call("/api/v1/runtime/policies/limits", limit, "admin")


def calls(api, run, kinds):
    """Does one thing after another in a run; a bundle may be taken after each."""
    for kind in kinds:
        if kind == "llm":
            api.step(run, "LLM_CALL", "chat")
        elif kind == "permitted":
            permit = api.permit(run)
            yield run
            api.step(run, permit_id=permit)
        elif kind == "refused permit":
            api.permit(run, skill="delete")
        elif kind == "failed":
            outcome = {"category": "TRANSIENT", "code": "late", "data": {"n": 1.5}}
            api.step(run, "RETRIEVAL", "find", status="FAILURE", outcome=outcome)
        elif kind == "http":
            api.step(run, "HTTP_CALL", "GET /x", duration_ms=7, retry_count=2)
        elif kind == "expensive":
            api.step(run, "LLM_CALL", "chat", cost=0.7)
        else:
            api.step(run, skill=kind)
        yield run


def shapes(api, turn):
    """Of each run: the run, at each moment at which a bundle of it is worth a look."""
    yield from [api.start()]
    ways = [["llm", "look", "llm"], ["permitted", "llm", "permitted"], ["look", "delete", "llm"],
            ["refused permit", "look"], ["warn", "audit", "http", "failed"], ["llm", "expensive"], ["look", "cliff"],
            ["permitted", "delete", "refused permit", "llm"]]
    for number, way in enumerate(ways + [["look", "llm"] * (2 + times) for times in range(5)]):
        more = {"conversation_id": f"talk-{number}", "metadata": {"a": [1.5, None]}, "environment": {"python": "3.12"}}
        run = api.start(**(more if number % 2 else {}))
        yield from calls(api, run, way)
        api.end(run, *(["SUCCEEDED"] if number % 3 else ["FAILED", "it broke"]))
        yield run
        if number % 5 == 0:
            api.erase(run)
            yield run
    for agent in ("short", "poor"):
        run = api.start(agent_id=agent)
        yield from calls(api, run, ["llm"] * 7)
        api.end(run)
        yield run
    run = api.start()
    yield from calls(api, run, ["look", "permitted"])
    api.call(f"{RUNS}/{run}/kill", {"reason": "enough"}, "admin")
    yield from calls(api, run, ["look"])
    run = api.start(agent_id=f"frozen-{turn}")
    yield from calls(api, run, ["llm"])
    api.call("/api/v1/runtime/policies/freeze", {"agent_id": f"frozen-{turn}", "reason": "it misbehaves"}, "admin")
    yield from calls(api, run, ["llm", "permitted"])
    run = api.start()
    yield from calls(api, run, ["delete"])
    for incident in api.call("/api/v1/runtime/incidents/by-run/" + run, by="admin")["items"]:
        for move in ("acknowledge", "resolve"):
            api.call(f"/api/v1/runtime/incidents/{incident['incident_id']}/{move}", {"note": move}, "admin")
            yield run
    api.end(run)
    yield run
    for number in range(8):
        yield from trace(api, 8 * turn + number)


def trace(api, number):
    def chat(tokens, **more):
        return {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-4o",
                "gen_ai.usage.input_tokens": tokens, "gen_ai.usage.output_tokens": tokens // 3, **more}
    def begun(output):
        return {**chat(300), "gen_ai.usage.output_tokens": output}
    silent = {key: value for key, value in chat(300).items() if ".usage." not in key}
    agent = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "bot", "gen_ai.usage.input_tokens": 900}
    tool = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "delete" if number % 2 else "search"}
    id = f"{number + 1:032x}"
    # Tries of the first call that broke and say so (2) or leave that to the span above (0), and the one that did not.
    first = [(2, 1, chat(300)), (6, 2, begun(1), 2), (7, 6, begun(number // 8 % 2), 0), (3, 2, chat(300)), (4, 1, tool),
             (5, 4, tool), (8, 2, silent, 2), (9, 8, begun(1), 0)][:1 + number % 8]
    for spans in [first] if number // 8 % 2 == 0 else [[one] for one in reversed(first)]:
        api.spans(id, spans)
    yield api.run_of(id, lambda run: True)
    api.spans(id, [(1, 0, agent)])
    run = api.run_of(id, lambda run: run["state"] == "COMPLETED")
    yield run
    if number % 8 == 3:
        api.erase(run)
        yield run
    for late in range(number % 4):
        tried = (64 + late, 2, begun(late), 2)
        api.spans(id, [(16 + late, 1, chat(40 + late)), (32 + late, 16 + late, tool), tried])
        yield run


def play(url, folder, hoc):
    api, made = Api(url, hoc), 0
    govern(api)
    moments = itertools.chain.from_iterable(shapes(api, turn) for turn in itertools.count())
    for run in itertools.islice(moments, BUNDLES):
        file = pathlib.Path(folder) / f"{made:03}.json"
        if made % 10:
            file.write_bytes(api.call(f"{RUNS}/{run}/bundle", by="admin", raw=True))
        else:
            subprocess.run([hoc, "bundle", run, "-o", file], check=True, capture_output=True)
        made += 1
    print(f"{made} bundles")


if __name__ == "__main__":
    play(*sys.argv[1:])
