"""Which steps of a trace count: the section of that name of docs/bundle.md, sentence by sentence. For verify.py.

Much is asked anew at each step, so it is slow where a run has many thousands of spans."""
import re
from functools import lru_cache

CLASSES = ("embeddings", "image_generation", "speech", "transcription", "video_generation")
METHODS = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")
NUMBERS = ("input_tokens", "output_tokens", "cost_nanousd")
HALF, UNPRICED, ALL = 1, 2, 3


class Step:
    def __init__(self, step):
        self.kind, self.skill, self.reporter = step["kind"], step["skill_name"], step["reported_by"]
        self.used, note = tuple(step[name] for name in NUMBERS), step["cost_note"]
        self.is_call, self.is_zero = self.kind == "LLM_CALL", note == "REPORTED_ZERO"
        self.is_contradiction = note == "COUNTS_CONTRADICT"
        self.failed = step["reported_status"] == "FAILURE"
        models = [step[name] for name in ("model", "model_requested") if step[name] is not None]
        self.families = {family(model) for model in models} - {None}
        of = self.skill.rpartition(".")[2]
        self.of_class = of if of in CLASSES else "text"
        self.tells = ALL
        if not any(self.used) and (self.is_call or note is None):
            self.tells = 0
        elif self.is_call and (note in ("NO_TOKENS", "COUNTS_CONTRADICT") or not any(self.used[:2])
                               or (note == "NO_PRICE" and not models)):
            self.tells = HALF
        elif self.is_call and self.is_zero:
            self.tells = UNPRICED
        name = self.skill[5:] if self.skill.startswith("HTTP ") else self.skill
        self.is_request = self.kind == "HTTP_CALL" or (
            self.kind == "OTHER" and not self.tells and name.split(" ")[0] in METHODS)
        self.is_apart = self.kind in ("TOOL_CALL", "RETRIEVAL")
        self.is_text = self.is_call and bool(self.tells) and self.of_class == "text"
        self.index, self.parent, self.children, self.counts = step["step_index"], None, [], True


@lru_cache(None)
def family(model):
    name = re.sub("[A-Z]", lambda letter: letter[0].lower(), model.rpartition("/")[2])
    while name.partition(".")[1] and all(one.isalpha() or one == "-" for one in name.partition(".")[0]):
        name = name.partition(".")[2]
    parts = [part for part in re.split("[-_.:@ ]", name) if part]
    edition = len(parts)
    while edition > 1 and re.fullmatch(r"v?[0-9]+|latest", parts[edition - 1]):
        edition -= 1
    for at in range(edition, len(parts)):
        if re.fullmatch("latest|v1|[0-9]{3,}", parts[at]):
            parts = parts[:at]
            break
    return "-".join(parts) or None


def may_be(one, other):
    named = not one.families or not other.families or one.families & other.families
    alike = any(one.used[:2]) and one.used[:2] == other.used[:2]
    return one.of_class == other.of_class and bool(named or alike)


def broke(one, calls):
    """What a try that broke is to the last of these, the next ones above it: WITHIN it another, or EARLY, as it did."""
    above = calls[-1][0]
    if not (one.failed or any(over_failed for *_, over_failed in calls) or any(call.failed for call, *_ in calls[:-1])):
        return None
    (into, out, cost), (its_in, its_out, its_cost) = one.used, above.used
    if into == its_in >= 16 and out < its_out:
        return "EARLY" if above.failed and its_out <= 1 else "WITHIN"
    if into and out:
        tells_other = (into, out) != (its_in, its_out)
    elif into:
        tells_other = not its_out or into != its_in + its_out
    else:
        tells_other = out != its_out if out else cost != its_cost
    return "WITHIN" if one.tells == HALF < above.tells and tells_other else None


def failed_within(one, calls):
    return any(broke(one, calls[:at + 1]) == "WITHIN" for at in range(len(calls)))


def may_be_among(step, calls, of_class=None):
    """The same of several, of which no more than 16 families are told apart."""
    calls = [call for call in calls if call.of_class == (of_class or step.of_class)]
    if len(set().union(*(call.families for call in calls))) > 16:
        return True
    return any(not step.families or not call.families or step.families & call.families for call in calls)


def comes_to(used, step, times=1):
    if any(step.used[:2]):
        return all(times * used[at] >= step.used[at] for at in (0, 1))
    return times * used[2] >= step.used[2] > 0


def own_children(step):
    return [child for child in step.children if child.reporter == step.reporter]


def nearby(step):
    return [] if step.is_apart else [step] * step.is_call + calls_below(step)


def calls_below(step):
    return [call for child in own_children(step) for call in nearby(child)]


def texts(step):
    return [step] * step.is_text + [call for child in own_children(step) for call in texts(child)]


def over(step):
    """The calls that it lies under, the next one first; whether each is beyond a sum; and whether a step that is none
    of them and failed lies between it and the one before it here."""
    found, beyond, failed, at = [], False, False, step
    while at.parent and at.parent.reporter == at.reporter and not at.parent.is_apart:
        at = at.parent
        if at.is_call and at.tells:
            found.append((at, beyond, failed))
            failed = False
        else:
            failed |= at.failed
        beyond |= bool(not at.is_call and at.tells)
    return found


def under(step):
    """The calls that lie under it and tell a use."""
    found = []
    for child in step.children:
        if child.reporter == step.reporter:
            found += [child] * bool(child.is_call and child.tells) + ([] if child.is_apart else under(child))
    return found


def begins(one, above):
    same = one.tells <= above.tells and one.used[0] == above.used[0] >= 16 and may_be(one, above)
    return one.is_text and above.is_text and same and one.used[1] <= 1 and one.used[1] < above.used[1]


def tells_the_same(one, above):
    (into, out), (its_in, its_out) = one.used[:2], above.used[:2]
    return ((into, out) == (its_in, its_out) or its_in == its_out == 0 or into == its_in >= 16 or out == its_out >= 16
            or (its_out == 0 and its_in >= 16 and into + out == its_in))


def tells_no_less(one, of):
    (into, out), (its_in, its_out) = one.used[:2], of.used[:2]
    return into >= its_in and out >= its_out if its_out else into + out >= its_in


def gives_way(one, calls):
    """To the last of these above it."""
    *nearer, (above, beyond, _) = calls
    if beyond or failed_within(one, calls) or broke(one, calls) == "EARLY":
        return False
    if begins(one, above) and all(call.used[0] == one.used[0] or not any(call.used[:2]) for call, *_ in nearer):
        return True
    is_told = one.is_contradiction or not any(one.used[:2]) or tells_no_less(above, one)
    is_compared = one.tells == UNPRICED or (all(one.used[:2]) and not one.is_contradiction)
    is_same = not is_compared or (one.used[0] <= above.used[0] and tells_the_same(one, above))
    return 0 < one.tells < above.tells and may_be(one, above) and is_told and is_same


def is_such(one, above):
    """Tells no less of a use, and may be that call."""
    return bool(one.tells) and one.tells >= above.tells and may_be(one, above)


def is_retold(step):
    told, some = [0, 0, 0], False
    for one in under(step):
        four = over(one)[:4]
        for at, (above, *_) in enumerate(four):
            if above is not step or failed_within(one, four[:at + 1]):
                continue
            if not is_such(one, step) or gives_way(one, four[:at + 1]):
                continue
            if tells_the_same(one, step):
                return True
            if not any(is_such(call, step) and not begins(call, step) and not failed_within(call, four[n + 1:at + 1])
                       for n, (call, *_) in enumerate(four[:at])):
                some, told = True, [told[number] + one.used[number] for number in range(3)]
    return some and comes_to(told, step)


def right_below(step):
    used = [0, 0, 0]
    for child in own_children(step):
        below = right_below(child)
        for at in range(3):
            is_sum = child.kind != "TOOL_CALL" and child.used[at] > 0
            used[at] = min(used[at] + child.used[at] + (0 if is_sum else below[at]), 2**64 - 1)
    return used


def has_other_side(tool, at, left):
    for child in at.children:
        if child.kind == "TOOL_CALL":
            before = tool.skill[:len(tool.skill) - len(child.skill)] if tool.skill.endswith(child.skill) else None
            marks = ("__", ".", "/", ":")
            behind = before and child.skill and any(before.endswith(mark) and len(before) > len(mark) for mark in marks)
            same_use = not tool.tells or (child.tells and child.reporter == tool.reporter)
            if (before == "" or behind) and same_use:
                return True
        if child.is_request and left and has_other_side(tool, child, left - 1):
            return True
    return False


def would_count(step):
    if step.is_call and step.tells:
        four = over(step)[:4]
        gone = any(gives_way(step, four[:at + 1]) for at in range(len(four)))
        return not gone and not is_retold(step)
    if step.is_call:
        shown = calls_below(step)
        told, silent = [call for call in shown if call.tells], [call for call in shown if not call.tells]
        if may_be_among(step, told) or may_be_among(step, [call for call, *_ in over(step)]):
            return False
        for group in ([call for call in silent if not call.is_zero], [call for call in silent if call.is_zero]):
            group = [call for call in group if call.of_class == step.of_class and (step.is_zero or not call.is_zero)]
            many = len(set().union(*(call.families for call in group))) > 16
            if many or any(step.families & call.families or not (step.families or call.families) for call in group):
                return False
        return True
    if step.kind == "TOOL_CALL":
        return not has_other_side(step, step, 4)
    if not step.tells:
        return True
    used, shown = right_below(step), texts(step)
    if comes_to(used, step):
        return False
    if step.kind == "RETRIEVAL" or not shown:
        return True
    half = comes_to(used, step, 2) or not any(step.used)
    near = comes_to(used, step, 20) and may_be_among(step, shown, "text")
    return not (half or near)


class Tally:
    def __init__(self):
        self.spans, self.waiting = {}, {}

    def plant(self, told):
        step, in_tree = Step(told), told["step_index"] < 100_000
        span, parent = (told[name] if in_tree and re.fullmatch("[0-9a-fA-F]{16}", told[name] or "") else None
                        for name in ("external_span_id", "external_parent_span_id"))
        span, parent = span and span.lower(), parent and parent.lower()
        if span in self.spans:
            span = None
        if span:
            self.spans[span] = step
            for child in self.waiting.pop(span, []):
                child.parent = step
                step.children.append(child)
        if parent and parent != span:
            above = self.spans.get(parent)
            if not above:
                self.waiting.setdefault(parent, []).append(step)
            elif above not in below(step):
                step.parent = above
                above.children.append(step)
        return step

    def add(self, told):
        """Whether it counts, and the places of those that cease to."""
        step = self.plant(told)
        ceased = [one for one in related(step) if one.counts and not would_count(one)]
        for one in ceased:
            one.counts = False
        return step.counts, [one.index for one in ceased if one is not step]

    def add_late(self, told):
        """Whether it counts. After one that does not, ask no more: what lies around that one is not kept."""
        step = self.plant(told)
        lower = below(step)
        ceased = [one for one in related(step) if one.counts and not would_count(one)]
        for one in ceased:  # a sealed call that tells no use stays, and stands in the way of nothing that comes later
            one.counts = False
        return all(one is not step and one in lower and not one.tells for one in ceased)


def below(step):
    found = [step]
    for one in found:
        found += one.children
    return found[1:]


def related(step):
    """Those for which a step that comes may change something: itself, what lies below it, and above."""
    found = [step, *below(step)]
    while step.parent:
        step = step.parent
        found.append(step)
    return found
