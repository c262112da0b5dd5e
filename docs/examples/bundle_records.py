"""What the records of a bundle say of each other: links, counts and addenda, checks 8, 9 and 12. For verify.py."""
from collections import Counter

from bundle_form import KINDS, MOST, TYPES, canonical, digest, fits, leaf, parse, roots
from bundle_tally import Tally

PLACES = {"steps": "step_index", "environment_evidence": None, "integrity_evidence": None, "run": None}  # others: seq
REFUSALS = ("BLOCK", "STOP", "KILL", "ABORT")
ASKED = {"STEP_PRE": "BEFORE", "STEP_POST": "BEFORE", "STEP_PRE_POST": "AFTER"}
NAMED = {"pre_decision_hash": "policy_decisions", "post_decision_hash": "policy_decisions",
         "activity_hash": "activity_evidence", "provider_hash": "provider_evidence"}
CAPTURED = (("activity_hash", "B", ("LLM_CALL", "TOOL_CALL", "HTTP_CALL")), ("provider_hash", "G", ("LLM_CALL",)))
DETERMINED = ("outcome_category", "outcome_code", "outcome_hash", "params_hash", "retry_count", "skill_name", "status")
INTERVENED = ("actor_id", "actor_type", "intervention_id", "kind", "reason")
INCIDENTS = (("policy_enforcements", "incident_id"), ("prevention_records", "blocked_incident_id"))
TALLY = "hoc-tally/6"
USED = ("cost_nanousd", "input_tokens", "output_tokens")
LASTING = ("agent_id", "actor_type", "actor_id", "conversation_id", "session_id", "user_id", "status",
           "termination_reason", "error_message", "started_at", "completed_at")


def of(names, one):
    return {name: one[name] for name in names}


class Records:
    def __init__(self):
        self.known = {kind: {} for kind in KINDS}  # what records may name so far, by hash
        self.decision_ids, self.permits, self.served, self.judged, self.recorded_at = set(), set(), set(), {}, ""
        self.totals = dict.fromkeys((*USED, "step_count", "refused_count"), 0)
        self.calls, self.tally, self.elsewhere = {"LLM_CALL": 0, "TOOL_CALL": 0}, Tally(), False

    def of_the_run(self, one):
        owner = (self.manifest["tenant_id"], self.manifest["run_id"])
        self.expect((one["tenant_id"], one["run_id"]) == owner, f"something is of {one['tenant_id']}, {one['run_id']}")

    def in_place(self, kind, one, place):
        name = PLACES.get(kind, "seq")
        self.expect((one[name] if name else 0) == place, f"one of {kind} at {place} says that it is elsewhere")

    def there(self, kind, hash):
        return hash in self.known[kind] or hash in self.listed[kind] or None in self.listed[kind]

    def check_links(self):  # 8
        opened, snapshot, decisions = self.sealed["opened"], self.sealed["snapshot"], self.sealed["policy_decisions"]
        said = [one["snapshot_digest"] for one in [opened, *self.sealed["run"], *decisions]]
        self.expect({snapshot["digest"], *said} == {digest(snapshot["definition"])}, "the snapshot is another one")
        if self.whole("policy_decisions"):
            decided, engines = ([(one["engine_version"], one["schema_version"]) for one in ones]
                                for ones in (decisions, snapshot["engines"]))
            self.expect(list(dict.fromkeys(decided)) == engines, "the engines are others")
        for hash in self.listed["environment_evidence"]:
            self.expect(hash in (None, opened["environment_hash"]), "the OPENED leaf names another environment")
        if not self.listed["environment_evidence"] and self.whole("capture_failures"):
            failed = any(one["evidence_class"] == "H" for one in self.sealed["capture_failures"])
            self.expect(failed, "the environment is not there, and no failed capture of it")
        self.links(self.sealed)

    def links(self, records):
        """The new records may name what came before them, and each other."""
        known, expect, whole = self.known, self.expect, self.whole
        new = {kind: {leaf(one): one for one in records.get(kind, ())} for kind in KINDS}
        for kind in KINDS:
            known[kind].update(new[kind])
        texts = {hash: canonical(of(INTERVENED, one)).decode() for hash, one in known["interventions"].items()}
        met = {}
        for hash, one in known["policy_decisions"].items():
            met.setdefault(one["intervention"], hash)
        for one in new["policy_decisions"].values():
            id, permit = one["decision_id"], one["permit_id"]
            expect(id not in self.decision_ids, f"decision {id} is there twice")
            self.decision_ids.add(id)
            if one["moment"] == "STEP_PRE" and permit is not None:
                expect(permit not in self.permits, f"permit {permit} was granted twice")
                self.permits.add(permit)
            expect(one["action"] not in REFUSALS or one["overridden_by"] is None, f"{id} refuses, and was overridden")
            by_somebody = one["intervention"] in (None, *texts.values())
            expect(by_somebody or not whole("interventions"), f"{id} met an intervention of nobody")
        failures = {(one["step_index"], one["evidence_class"]) for one in known["capture_failures"].values()}
        in_gaps = {one["decision_id"] for one in known["gaps"].values()}
        for step in new["steps"].values():
            self.step(step, failures, in_gaps)
        for hash, one in new["policy_decisions"].items():
            own = one["step_index"] is None or self.judged.get(hash) == one["step_index"]
            expect(own or not whole("steps"), f"{one['decision_id']} is of a step that it did not judge")
        for hash, one in new["interventions"].items():
            id, named = one["intervention_id"], one["decision_hash"]
            expect(self.there("policy_decisions", named), f"{id} names a decision that is not there")
            expect(met.get(texts[hash]) == named or not whole("policy_decisions"), f"{id} was met earlier, or never")
        incidents = {None, *(one["incident_id"] for one in known["incidents"].values())}
        for kind, name in INCIDENTS if whole("incidents") else ():
            for one in new[kind].values():
                expect(one[name] in incidents, f"one of {kind} names an incident that is not there")
        by_id = {one["decision_id"]: one for one in known["policy_decisions"].values()}
        for gap in new["gaps"].values() if whole("policy_decisions") else ():
            self.gap(gap, by_id.get(gap["decision_id"]))

    def gap(self, gap, decision):
        same = decision and decision["step_index"] == gap["step_index"]
        if same and decision["permit_id"] is None and decision["permit_note"] is not None:
            lost = decision["moment"] == "STEP_POST"  # its leave was lost, and the gap alone names it
            same = gap["permit_id"] is not None if lost else gap["permit_id"] is None
        elif same:
            same = gap["permit_id"] == decision["permit_id"]
        self.expect(same, f"gap {gap['gap_id']} is of no decision, or of another step or permit")

    def step(self, step, failures, in_gaps):
        index, told = step["step_index"], step["reported_status"]
        refused, permit = step["status"] == "REFUSED", step["permit_id"]
        pre, own = step["pre_decision_hash"], step["post_decision_hash"] or step["pre_decision_hash"]

        def expect(holds, why):
            self.expect(holds, f"step {index} {why}")
        for member, kind in NAMED.items():
            expect(step[member] is None or self.there(kind, step[member]), f"has a {member} of nothing that is there")
        for member, of_class, kinds in CAPTURED if told is not None and self.whole("capture_failures") else ():
            failed = (index, of_class) in failures
            expect(step[member] is not None or step["kind"] not in kinds or failed, f"has no {member}")
        expect(step["determinism_hash"] == digest(of(DETERMINED, step)), "has another determinism_hash")
        expect(self.recorded_at <= step["recorded_at"], "was recorded before the one before it")
        self.recorded_at = step["recorded_at"]
        expect(step["cost_known"] or step["cost_nanousd"] == 0, "has a cost that is not known")
        expect(step["parent_step_index"] is None or step["parent_step_index"] < index, "names a later parent")
        expect(own is not None and own not in self.judged, "has no decision of its own")
        self.judged[own] = index
        two = pre is not None and pre != own
        expect(two == (permit is not None), "has a permit without its decision, or the reverse")
        decision, granted = (self.known["policy_decisions"].get(hash) for hash in (own, pre))
        if decision:
            its_own = of(("decision_id", "step_index", "permit_note"), step)
            its_own["permit_id"] = None if refused else permit
            expect(of(its_own, decision) == its_own, "names a decision that is not its own")
            expect((decision["action"] in REFUSALS) == refused, "was refused and its decision did not, or the reverse")
            expect(step["asked"] == ASKED.get(decision["moment"]), "was asked for at another moment")
            expect((told is None) == (decision["moment"] == "STEP_PRE"), "is told of, and was not done, or the reverse")
            expect(told is None or refused or told == step["status"], "reports another status")
        if granted and two:
            leave = {"moment": "STEP_PRE", "permit_id": permit, "step_index": None}
            gave = of(leave, granted) == leave and granted["action"] not in REFUSALS
            expect(gave, "names a decision that gave no leave for it")
        if not refused and permit is not None and step["decision_id"] not in in_gaps and self.whole("gaps"):
            expect(permit not in self.served, "is under a permit that had served another")
            self.served.add(permit)

    def check_counts(self):  # 9
        manifest, now, gaps = self.manifest, self.after["run"], bool(self.listed["gaps"])
        for kind in KINDS:
            self.expect_number(f"the number of {kind}", manifest["record_counts"].get(kind, -1), len(self.listed[kind]))
        if self.whole("policy_decisions"):
            tally = dict(Counter(one["action"] for one in self.sealed["policy_decisions"]))
            self.expect(manifest["verdict_tally"] == tally, "the verdicts are others")
        if self.whole("integrity_evidence"):
            grades = [one["grade"] for one in self.sealed["integrity_evidence"]]
            self.expect(grades == ([manifest["grade"]] if self.is_sealed else []), "the grade is another")
        self.expect(not self.is_sealed or not gaps or manifest["grade"] != "PASS", "the grade is PASS, with a gap")
        self.expect(now["started_at"] == self.sealed["opened"]["started_at"], "the run began at another time")
        if self.whole("steps"):
            self.counted_elsewhere(self.sealed, self.sealed["snapshot"]["engines"])
            by_index = {step["step_index"]: step for step in self.sealed["steps"]}
            for step in self.sealed["steps"]:
                counts, ceased = self.tally.add(step) if not self.elsewhere else (False, [])
                for one in map(by_index.get, ceased):
                    for name in USED:
                        self.totals[name] -= min(one[name], self.totals[name]) if self.totals[name] < MOST else 0
                    self.call(one, -1)
                self.call(step, int(counts))
                self.count(step, counts, "refused_count" if step["status"] == "REFUSED" else "step_count")
            self.expect(of(self.totals, now) == self.totals, "records/after/run has other totals")
        if ("after", "addenda") not in self.missing:
            late_gap = any(one["records"]["gaps"] for one in self.after["addenda"])
            self.expect(now["assurance"] == ("REPORTED" if late_gap else manifest["assurance"]), "the run's assurance")
        for run in self.sealed["run"]:
            self.expect(of(LASTING, now) == of(LASTING, run), "the run is not the one that was sealed")
            left = "RECORDED" if run["unasked_count"] else "ENFORCED"
            left = "REPORTED" if run["external_trace_id"] is not None or gaps else left
            self.expect(run["assurance"] == left == manifest["assurance"], "the assurance is another")
            if self.whole("steps"):
                self.expect(of(self.totals, run) == self.totals, "the run has other totals")
                unasked = sum(step["asked"] == "AFTER" for step in self.sealed["steps"])
                self.expect(run["unasked_count"] == unasked, "unasked_count is another")
                calls = {"LLM_CALL": run["llm_call_count"], "TOOL_CALL": run["tool_call_count"]}
                self.expect(self.elsewhere or calls == self.calls, "the run counts other calls")

    def counted_elsewhere(self, records, engines=()):
        """Whether another version of the tally counted these steps: then they are taken at their word."""
        named = [one["engine_version"] for one in [*records["policy_decisions"], *engines]]
        spans = any(step["external_span_id"] is not None for step in records["steps"])
        self.elsewhere |= spans and any(TALLY not in one.split(" ") for one in named)

    def call(self, step, number):
        if step["status"] != "REFUSED" and step["kind"] in self.calls:
            self.calls[step["kind"]] += number

    def count(self, step, counts, into):
        """What the run has used up to this step is what the step says."""
        after = parse(step["run_after"])
        fits(after, TYPES["RunAfter"], "run_after")
        for name in USED:
            now = min(self.totals[name] + step[name] * counts, MOST)
            self.totals[name] = after[name] if self.elsewhere else now
        self.totals[into] += 1
        self.expect(of(self.totals, after) == self.totals, f"step {step['step_index']} leaves other totals")

    def check_addenda(self):  # 12
        listed, late = self.manifest["after"]["addenda"], self.after["run"]["late"]
        self.expect_number("the number of addenda", late["addenda"] if late else 0, len(listed))
        self.expect(listed or late is None, "nothing came late, and there are totals of it")
        self.expect(not listed or self.manifest["proofs"]["receipt"], "an addendum to a run that is not sealed")
        if not listed or not self.receipt or not late or ("after", "addenda") in self.missing:
            return
        sealed_leaf, trace, before = leaf(self.receipt["leaf"]), self.after["run"]["trace_id"], dict(self.totals)
        came, head = {kind: [] for kind in KINDS}, sealed_leaf
        for number, addendum in enumerate(self.after["addenda"]):
            stated, records = addendum["leaf"], addendum["records"]
            self.of_the_run(stated)
            its_own = {"number": number, "sealed_leaf": sealed_leaf, "addendum_of": trace}
            self.expect(of(its_own, stated) == its_own, f"addendum {number} is out of its place, or of another receipt")
            self.expect(stated["trace_id"] != trace, f"addendum {number} is of the run's own trace")
            for kind, ones in records.items():
                for one in ones:
                    self.of_the_run(one)
                    self.in_place(kind, one, len(self.listed[kind]) + len(came[kind]))
                    came[kind].append(leaf(one))
            self.counted_elsewhere(records)
            for step in records["steps"]:
                follows = (step["prev_hash"], step["trace_id"]) == (head, stated["trace_id"])
                self.expect(follows, f"late step {step['step_index']} follows another")
                head = leaf(step)
                if self.whole("steps"):
                    counts = not self.elsewhere and self.tally.add_late(step)
                    self.count(step, counts, "step_count")
                    self.elsewhere |= not counts  # what the page says of those that come after it is not asked here
            for one in records["policy_decisions"]:
                same = one["snapshot_digest"] == self.sealed["opened"]["snapshot_digest"]
                self.expect(same, "a late decision is by another snapshot")
            self.links(records)
            its_roots = {name: hash for name, hash in roots(came, sealed_leaf).items() if name != "kinds"}
            self.expect(of(its_roots, stated) == its_roots, f"addendum {number} is for other records")
            counts = {kind: len(came[kind]) for kind in KINDS}
            self.expect(stated["record_counts"] == counts, f"addendum {number} counts other records")
        self.expect(late["step_count"] == len(came["steps"]), "the run has another number of late steps")
        if self.whole("steps") and not self.elsewhere:
            used = {name: self.totals[name] - before[name] for name in USED}
            self.expect(of(USED, late) == used, "the run has other late totals")
