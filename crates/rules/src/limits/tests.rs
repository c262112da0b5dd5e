//! The arithmetic of limits, type by type and window by window.

use chrono::{DateTime, TimeDelta, Utc};
use proof::words::{
    Action, BreachType, Consequence, LimitCategory, LimitEnforcement, LimitStanding, LimitType, ResetPeriod,
    StepKind,
};
use proptest::prelude::*;

use super::*;
use crate::{
    CompiledSnapshot, Count,
    fault::Fault,
    fixtures::{definition, facts, limit, with_step},
    zone::Zone,
};

fn admit_with(limit: &LimitDefinition, input: &LimitInput) -> LimitOutcome {
    admit(limit, Moment::StepPre, input, false, false)
}

fn input(limit: &LimitDefinition, used: u64, reserved: u64, demand: u64) -> LimitInput {
    LimitInput {
        limit_id: limit.limit_id.clone(),
        max: limit.max_value.into(),
        used: used.into(),
        reserved: reserved.into(),
        demand: demand.into(),
        ..LimitInput::default()
    }
}

#[test]
fn a_value_equal_to_the_limit_is_allowed_and_above_it_is_not() {
    let budget = limit("lim_1", LimitType::TokensTotal, 100);
    let standing = |used, reserved, demand| {
        let outcome = admit_with(&budget, &input(&budget, used, reserved, demand));
        (outcome.action, outcome.standing)
    };
    assert_eq!(standing(0, 0, 79), (Action::Allow, LimitStanding::Ok));
    assert_eq!(standing(40, 20, 20), (Action::Warn, LimitStanding::NearThreshold));
    assert_eq!(standing(60, 20, 20), (Action::Warn, LimitStanding::NearThreshold));
    assert_eq!(standing(60, 20, 21), (Action::Block, LimitStanding::Breached));
    // Near, but not by this call.
    assert_eq!(standing(90, 0, 0), (Action::Allow, LimitStanding::NearThreshold));
    // Once passed, every further call is refused.
    assert_eq!(standing(101, 0, 0), (Action::Block, LimitStanding::Breached));
}

#[test]
fn what_permits_hold_is_told_from_what_is_used() {
    use LimitType as T;
    let views = |limit_type, moment, demand| {
        let budget = limit("lim_1", limit_type, 10);
        let outcome = admit(&budget, moment, &input(&budget, 3, 2, demand), false, false);
        let conclusion =
            crate::verdict::conclude(&crate::evaluate::RuleOutcomes { fired: vec![] }, &[outcome]);
        let view = conclusion.limits[0].clone();
        let message = conclusion.fired.first().map(|fired| fired.message.clone()).unwrap_or_default();
        ([view.used, view.reserved, view.remaining].map(Count::get), message)
    };
    // Granted: it holds, or where it is a request, it is used; recorded, it is used.
    for limit_type in [T::Steps, T::RunSteps, T::RunTokens, T::RunCostUsd] {
        assert_eq!(views(limit_type, Moment::StepPre, 1).0, [3, 3, 4], "{limit_type}");
        assert_eq!(views(limit_type, Moment::StepBoth, 1).0, [4, 2, 4], "{limit_type}");
    }
    assert_eq!(views(T::RequestsPerMinute, Moment::StepPre, 1).0, [4, 2, 4]);
    assert_eq!(views(T::TokensTotal, Moment::StepPost, 1).0, [4, 2, 4]);
    // Refused: an ask leaves nothing, and what was spent is spent.
    let (counts, message) = views(T::TokensTotal, Moment::StepPre, 6);
    assert_eq!(counts, [3, 2, 5]);
    assert!(
        message.ends_with("would bring it to 11 tokens, 2 tokens of it reserved by open permits."),
        "{message}"
    );
    assert_eq!(views(T::TokensTotal, Moment::StepBoth, 6).0, [9, 2, 0]);
    let (counts, message) = views(T::TokensTotal, Moment::StepPre, 4);
    assert_eq!(counts, [3, 6, 1]);
    assert!(message.contains("9 tokens of 10 tokens used, 2 tokens of it reserved"), "{message}");
}

#[test]
fn each_enforcement_asks_for_its_action() {
    use LimitEnforcement as E;
    for (enforcement, action, breach) in [
        (E::Block, Action::Block, BreachType::Throttled),
        (E::Stop, Action::Stop, BreachType::Throttled),
        (E::Kill, Action::Kill, BreachType::Throttled),
        (E::Reject, Action::Block, BreachType::Throttled),
        (E::Warn, Action::Warn, BreachType::Breached),
        (E::Alert, Action::Warn, BreachType::Breached),
        (E::Queue, Action::Warn, BreachType::Breached),
        (E::Degrade, Action::Warn, BreachType::Breached),
    ] {
        let mut rate = limit("lim_1", LimitType::RequestsPerMinute, 10);
        rate.enforcement = enforcement;
        let over = LimitInput { retry_after_ms: 1_500.into(), ..input(&rate, 10, 0, 1) };
        let outcome = admit_with(&rate, &over);
        assert_eq!((outcome.action, outcome.breach), (action, Some(breach)), "{enforcement}");
        assert_eq!(outcome.rejects, enforcement == E::Reject);
        assert_eq!(outcome.consequence, Some(Consequence::Alert));
        let advice = outcome.advice.unwrap_or(Advice { retry_after_ms: None, degrade_to: None });
        assert_eq!(advice.retry_after_ms.is_some(), enforcement == E::Queue);
        assert_eq!(advice.degrade_to.is_some(), enforcement == E::Degrade);
    }
}

#[test]
fn the_consequence_abort_ends_the_run() {
    let mut budget = limit("lim_1", LimitType::CostUsd, 10);
    budget.enforcement = LimitEnforcement::Warn;
    budget.consequence = Consequence::Abort;
    assert_eq!(admit_with(&budget, &input(&budget, 10, 0, 1)).action, Action::Abort);
    assert_eq!(admit_with(&budget, &input(&budget, 9, 0, 1)).action, Action::Warn);
}

#[test]
fn a_call_is_not_refused_for_what_its_permit_had_granted() {
    for limit_type in [LimitType::CostUsd, LimitType::RunCostUsd] {
        let budget = limit("lim_1", limit_type, 100);
        let settle = |used, demand, granted: u64| {
            let input = LimitInput { granted: Some(granted.into()), ..input(&budget, used, 0, demand) };
            let outcome = admit(&budget, Moment::StepPost, &input, false, false);
            (outcome.action, outcome.standing, outcome.breach)
        };
        assert_eq!(settle(50, 20, 30), (Action::Allow, LimitStanding::Ok, None));
        // Others have passed the cap since; this one stays within its leave.
        assert_eq!(settle(110, 20, 20), (Action::Warn, LimitStanding::NearThreshold, None));
        // Above its estimate and the cap: counted as overage, one breach, and the next call is refused.
        assert_eq!(settle(90, 20, 5), (Action::Warn, LimitStanding::Breached, Some(BreachType::Breached)));
        assert_eq!(admit_with(&budget, &input(&budget, 110, 0, 0)).action, Action::Block);
    }
}

#[test]
fn a_permit_holds_of_a_limit_on_its_run_what_it_is_to_use() {
    use LimitType as T;
    let held = Held { steps: 1.into(), tokens: 120.into(), cost_nanousd: 7.into() };
    let facts = facts();
    for limit_type in LimitType::ALL {
        let on_the_run = basis(*limit_type) == Basis::Run;
        assert_eq!(on_the_run, [T::RunSteps, T::RunTokens, T::RunCostUsd].contains(limit_type));
        assert_eq!(held.of(*limit_type) > Count::ZERO, on_the_run, "{limit_type}");
        // It is written nowhere but in the permit, and every open one counts.
        let charged = charge(*limit_type, Moment::StepPre, &facts, false);
        assert!(!on_the_run || charged == Charge::default(), "{limit_type}");
    }
    let all = [held, held, held].into_iter().fold(Held::default(), |sum, held| sum + held);
    assert_eq!(all, Held { steps: 3.into(), tokens: 360.into(), cost_nanousd: 21.into() });
    // How long a run takes, or one of its steps, no permit holds.
    for limit_type in [T::RunDurationMs, T::StepTokens, T::ErrorRatePct] {
        let other = limit("lim_1", limit_type, 10);
        assert_eq!(admit_with(&other, &input(&other, 3, 0, 1)).reserves, Count::ZERO, "{limit_type}");
    }
}

#[test]
fn an_unknown_cost_warns_or_refuses_as_the_tenant_chose() {
    let budget = limit("lim_1", LimitType::CostUsd, 100);
    let unknown = |used| LimitInput { cost_unknown: true, ..input(&budget, used, 0, 0) };
    let asked = |used, block| {
        let outcome = admit(&budget, Moment::StepPost, &unknown(used), block, false);
        (outcome.action, outcome.fault, outcome.message.unwrap_or_default().starts_with("cost_unknown"))
    };
    assert_eq!(asked(0, false), (Action::Warn, Some(Fault::CostUnknown), true));
    assert_eq!(asked(0, true), (Action::Block, Some(Fault::CostUnknown), true));
    // What is passed already is passed.
    assert_eq!(asked(101, false), (Action::Block, Some(Fault::CostUnknown), false));

    let facts = with_step(|step| step.cost_known = false);
    for (limit_type, unknown) in [
        (LimitType::CostUsd, true),
        (LimitType::RunCostUsd, true),
        (LimitType::StepCostUsd, true),
        (LimitType::TokensTotal, false),
    ] {
        let made = LimitInput::from_facts(&limit("lim_1", limit_type, 5), Moment::StepPost, &facts);
        assert_eq!(made.cost_unknown, unknown, "{limit_type}");
    }
}

#[test]
fn a_tampered_limit_refuses_though_it_does_not_apply() {
    let mut other = limit("lim_1", LimitType::CostUsd, u64::MAX);
    other.scope = Scope::Agent;
    other.scope_id = Some("another".to_owned());
    let snapshot = CompiledSnapshot::compile(&definition(Vec::new(), vec![other]));
    assert_eq!(snapshot.measure(Moment::StepPost, &facts(), &[]), []);
    let mut facts = facts();
    facts.tampered.insert("lim_1".to_owned());
    let outcomes = snapshot.measure(Moment::StepPost, &facts, &[]);
    assert_eq!((outcomes[0].action, outcomes[0].fault), (Action::Block, Some(Fault::Tampered)));
}

#[test]
fn every_type_asks_for_what_it_counts() {
    use LimitType as T;
    let facts = {
        let mut facts = with_step(|step| {
            step.kind = StepKind::ToolCall;
            step.retry_count = 2.into();
        });
        facts.run.tokens = 1_000.into();
        facts.run.cost_nanousd = 5_000.into();
        facts.run.elapsed_ms = 9_000.into();
        facts
    };
    // type, used by facts, demand at STEP_PRE, STEP_POST, and both at once
    let table = [
        (T::CostUsd, 0, 1_000_000, 1_000_000, 1_000_000),
        (T::TokensTotal, 0, 120, 120, 120),
        (T::TokensInput, 0, 100, 100, 100),
        (T::TokensOutput, 0, 20, 20, 20),
        (T::Steps, 0, 1, 0, 1),
        (T::ToolCalls, 0, 1, 0, 1),
        (T::RequestsPerSecond, 0, 1, 0, 1),
        (T::RequestsPerMinute, 0, 1, 0, 1),
        (T::RequestsPerHour, 0, 1, 0, 1),
        (T::TokensPerMinute, 0, 120, 120, 120),
        (T::RunCostUsd, 5_000, 1_000_000, 1_000_000, 1_000_000),
        (T::RunTokens, 1_000, 120, 120, 120),
        (T::RunSteps, 3, 1, 1, 1),
        (T::RunDurationMs, 9_000, 0, 0, 0),
        (T::StepCostUsd, 0, 1_000_000, 1_000_000, 1_000_000),
        (T::StepTokens, 0, 120, 120, 120),
        (T::LatencyMs, 0, 0, 40, 40),
        (T::RetryCount, 0, 0, 2, 2),
        (T::ErrorRatePct, 0, 0, 0, 0),
    ];
    assert_eq!(table.map(|row| row.0).as_slice(), LimitType::ALL);
    for (limit_type, used, pre, post, both) in table {
        let limit = limit("lim_1", limit_type, 5);
        let made = |moment| LimitInput::from_facts(&limit, moment, &facts);
        assert_eq!(made(Moment::StepPre).used.get(), used, "{limit_type}");
        let demands =
            [Moment::StepPre, Moment::StepPost, Moment::StepBoth].map(|moment| made(moment).demand.get());
        assert_eq!(demands, [pre, post, both], "{limit_type}");
        assert!(!applies(&limit, Moment::RunStart, &facts));
    }
}

#[test]
fn what_is_charged_follows_the_verdict() {
    use LimitType as T;
    let facts = facts();
    let charged = |limit_type, moment, refused| {
        let charge = charge(limit_type, moment, &facts, refused);
        (charge.used.get(), charge.reserved.get())
    };
    for (limit_type, amount) in [(T::CostUsd, 1_000_000), (T::TokensPerMinute, 120)] {
        assert_eq!(charged(limit_type, Moment::StepPre, false), (0, amount));
        assert_eq!(charged(limit_type, Moment::StepPre, true), (0, 0));
        // What was spent is counted, refused or not.
        for (moment, refused) in
            [(Moment::StepPost, false), (Moment::StepPost, true), (Moment::StepBoth, true)]
        {
            assert_eq!(charged(limit_type, moment, refused), (amount, 0));
        }
    }
    for limit_type in [T::Steps, T::ToolCalls] {
        assert_eq!(charged(limit_type, Moment::StepPre, false), (0, 1));
        assert_eq!(charged(limit_type, Moment::StepPost, false), (1, 0));
        assert_eq!(charged(limit_type, Moment::StepPost, true), (0, 0));
        assert_eq!(charged(limit_type, Moment::StepBoth, true), (0, 0));
        assert_eq!(charged(limit_type, Moment::StepBoth, false), (1, 0));
    }
    assert_eq!(charged(T::RequestsPerSecond, Moment::StepPre, false), (1, 0));
    assert_eq!(charged(T::RequestsPerSecond, Moment::StepPost, false), (0, 0));
    assert_eq!(charged(T::RequestsPerSecond, Moment::StepBoth, false), (1, 0));
    assert_eq!(charged(T::RunSteps, Moment::StepBoth, false), (0, 0));
}

#[test]
fn an_error_rate_is_compared_exactly() {
    let limit = limit("lim_1", LimitType::ErrorRatePct, 33);
    let rate = |errors, population: u64| {
        let input = LimitInput { population: population.into(), ..input(&limit, errors, 0, 0) };
        let outcome = admit(&limit, Moment::StepPost, &input, false, false);
        (outcome.value.get(), outcome.standing)
    };
    assert_eq!(rate(0, 0), (0, LimitStanding::Ok));
    assert_eq!(rate(33, 100), (33, LimitStanding::NearThreshold));
    // A third is more than 33 %, though it is written as 33.
    assert_eq!(rate(1, 3), (33, LimitStanding::Breached));
    assert_eq!(rate(1, 4), (25, LimitStanding::Ok));
}

#[test]
fn limits_hold_in_their_scope_most_specific_first() {
    let scoped = |id: &str, scope, scope_id: &str| {
        let mut limit = limit(id, LimitType::Steps, 5);
        limit.scope = scope;
        limit.scope_id = Some(scope_id.to_owned()).filter(|id| !id.is_empty());
        limit
    };
    let limits = vec![
        scoped("a_global", Scope::Global, ""),
        scoped("b_tenant", Scope::Tenant, ""),
        scoped("c_provider", Scope::Provider, "openai"),
        scoped("d_project", Scope::Project, "project-1"),
        scoped("e_agent", Scope::Agent, "agent-1"),
        scoped("f_agent", Scope::Agent, "agent-2"),
        scoped("g_provider", Scope::Provider, "other"),
        scoped("h_nameless", Scope::Project, ""),
    ];
    let snapshot = CompiledSnapshot::compile(&definition(Vec::new(), limits));
    let ids = |facts: &Facts| -> Vec<String> {
        snapshot.applicable(Moment::StepPre, facts).map(|limit| limit.limit_id.clone()).collect()
    };
    assert_eq!(ids(&facts()), ["e_agent", "d_project", "c_provider", "b_tenant", "a_global"]);
    let mut bare = with_step(|step| step.provider = String::new());
    bare.principal.project_id = String::new();
    assert_eq!(ids(&bare), ["e_agent", "b_tenant", "a_global"]);
}

#[test]
fn messages_say_how_much_in_the_unit_that_people_use() {
    let told =
        |limit: &LimitDefinition, used, demand| admit_with(limit, &input(limit, used, 0, demand)).message;
    let cost = limit("lim_1", LimitType::CostUsd, 1_000_000_000);
    assert_eq!(told(&cost, 0, 1), None);
    assert_eq!(
        told(&cost, 800_000_000, 50_000_000).as_deref(),
        Some("`name of lim_1`: 0.85 USD of 1 USD used, 0.15 USD left.")
    );
    assert_eq!(
        told(&cost, 800_000_000, 250_000_000).as_deref(),
        Some("`name of lim_1` allows 1 USD; this call would bring it to 1.05 USD."),
    );
    let mut rate = limit("lim_2", LimitType::RequestsPerMinute, 10);
    rate.enforcement = LimitEnforcement::Reject;
    assert_eq!(
        told(&rate, 10, 1).as_deref(),
        Some("`name of lim_2` allows 10 requests; this call would bring it to 11 requests. Wait 0 ms."),
    );
    // Passed by others: a call that does not count for it brings it nowhere, and is refused all the same.
    let mut tools = limit("lim_3", LimitType::ToolCalls, 1);
    let passed = admit_with(&tools, &input(&tools, 2, 0, 0));
    assert_eq!(passed.action, Action::Block);
    assert_eq!(passed.message.as_deref(), Some("`name of lim_3` allows 1 tool call and is at 2 tool calls."));
    let last = "`name of lim_3`: 1 tool call of 1 tool call used, 0 tool calls left.";
    assert_eq!(told(&tools, 0, 1).as_deref(), Some(last));
    tools.limit_type = LimitType::RetryCount;
    assert_eq!(
        told(&tools, 0, 2).as_deref(),
        Some("`name of lim_3` allows 1 retry; this call would bring it to 2 retries.")
    );
    tools.limit_type = LimitType::LatencyMs;
    assert!(told(&tools, 0, 2).is_some_and(|told| told.contains("allows 1 ms; ")));
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().expect("is a time")
}

fn budget_window(period: ResetPeriod, zone: &str, now: &str) -> (String, String) {
    let mut budget = limit("lim_1", LimitType::CostUsd, 5);
    budget.reset_period = Some(period);
    let window = window(&budget, at(now), Zone::parse(zone).expect("is a zone"));
    (window.start_text(), window.end.expect("resets").to_rfc3339_opts(chrono::SecondsFormat::Secs, true))
}

#[test]
fn budgets_reset_at_midnight_of_the_tenants_zone() {
    use ResetPeriod as P;
    for (period, zone, now, start, end) in [
        (P::Daily, "UTC", "2026-03-29T10:00:00Z", "2026-03-29T00:00:00.000000Z", "2026-03-30T00:00:00Z"),
        // The day on which clocks go forward has 23 hours, and the other 25.
        (
            P::Daily,
            "Europe/Berlin",
            "2026-03-29T10:00:00Z",
            "2026-03-28T23:00:00.000000Z",
            "2026-03-29T22:00:00Z",
        ),
        (
            P::Daily,
            "Europe/Berlin",
            "2026-10-25T10:00:00Z",
            "2026-10-24T22:00:00.000000Z",
            "2026-10-25T23:00:00Z",
        ),
        // A day that has no midnight begins at one o'clock.
        (
            P::Daily,
            "Africa/Cairo",
            "2026-04-24T10:00:00Z",
            "2026-04-23T22:00:00.000000Z",
            "2026-04-24T21:00:00Z",
        ),
        // A day with two midnights begins at the first.
        (
            P::Daily,
            "America/Havana",
            "2026-11-01T10:00:00Z",
            "2026-11-01T04:00:00.000000Z",
            "2026-11-02T05:00:00Z",
        ),
        // A day that the calendar of Samoa left out.
        (
            P::Daily,
            "Pacific/Apia",
            "2011-12-30T09:59:59Z",
            "2011-12-29T10:00:00.000000Z",
            "2011-12-30T10:00:00Z",
        ),
        (
            P::Daily,
            "Pacific/Apia",
            "2011-12-30T10:00:00Z",
            "2011-12-30T10:00:00.000000Z",
            "2011-12-31T10:00:00Z",
        ),
        (P::Weekly, "UTC", "2026-11-22T23:59:59Z", "2026-11-16T00:00:00.000000Z", "2026-11-23T00:00:00Z"),
        (
            P::Weekly,
            "Asia/Tokyo",
            "2026-11-22T15:00:00Z",
            "2026-11-22T15:00:00.000000Z",
            "2026-11-29T15:00:00Z",
        ),
        (P::Monthly, "UTC", "2028-02-29T12:00:00Z", "2028-02-01T00:00:00.000000Z", "2028-03-01T00:00:00Z"),
        (P::Monthly, "UTC", "2026-12-31T23:59:59Z", "2026-12-01T00:00:00.000000Z", "2027-01-01T00:00:00Z"),
        (
            P::Monthly,
            "Europe/Berlin",
            "2026-10-31T23:30:00Z",
            "2026-10-31T23:00:00.000000Z",
            "2026-11-30T23:00:00Z",
        ),
    ] {
        let expected = (start.to_owned(), end.to_owned());
        assert_eq!(budget_window(period, zone, now), expected, "{period} {zone} {now}");
    }
}

#[test]
fn rates_are_aligned_to_the_epoch_and_some_budgets_never_reset() {
    let now = at("2026-11-21T10:20:30.250Z");
    let minute = window(&limit("lim_1", LimitType::TokensPerMinute, 5), now, Zone::UTC);
    assert_eq!((minute.start, minute.end), (at("2026-11-21T10:20:00Z"), Some(at("2026-11-21T10:21:00Z"))));
    assert_eq!(minute.ends_in_ms(now).get(), 29_750);
    let second = window(&limit("lim_1", LimitType::RequestsPerSecond, 5), now, Zone::UTC);
    assert_eq!(second.ends_in_ms(at("2026-11-21T10:20:30.999999Z")).get(), 1);
    let mut rate = limit("lim_1", LimitType::RequestsPerHour, 5);
    rate.window_seconds = Some(7);
    let odd = window(&rate, now, Zone::UTC);
    assert_eq!(odd.start.timestamp() % 7, 0);
    let mut budget = limit("lim_1", LimitType::Steps, 5);
    budget.reset_period = Some(ResetPeriod::None);
    let forever = window(&budget, now, Zone::UTC);
    assert_eq!((forever.end, forever.start_text().as_str()), (None, ""));
    assert_eq!(window(&limit("lim_1", LimitType::RunSteps, 5), now, Zone::UTC).end, None);
}

#[test]
fn a_limit_that_makes_no_sense_is_refused_field_by_field() {
    use LimitType as T;
    for limit_type in LimitType::ALL {
        assert_eq!(validate_limit(&limit("lim_1", *limit_type, 5)), Ok(()), "{limit_type}");
    }
    let refused = |limit: &LimitDefinition| {
        let errors = validate_limit(limit).expect_err("is refused").0;
        errors.into_iter().map(|error| error.pointer).collect::<Vec<_>>().join(" ")
    };
    let changed = |limit_type, change: &dyn Fn(&mut LimitDefinition)| {
        let mut limit = limit("lim_1", limit_type, 5);
        change(&mut limit);
        refused(&limit)
    };
    assert_eq!(changed(T::CostUsd, &|limit| limit.name = " ".to_owned()), "/name");
    assert_eq!(changed(T::CostUsd, &|limit| limit.max_value = 0), "/max_value");
    assert_eq!(changed(T::CostUsd, &|limit| limit.max_value = u64::MAX), "/max_value");
    for limit_type in [T::CostUsd, T::StepCostUsd, T::TokensTotal, T::RunSteps] {
        let most = LimitDefinition { max_value: Count::MAX.get() - 1, ..limit("lim_1", limit_type, 5) };
        assert_eq!(validate_limit(&most), Ok(()), "{limit_type}");
        assert_eq!(
            changed(limit_type, &|limit| limit.max_value = Count::MAX.get()),
            "/max_value",
            "no sum that is kept passes it"
        );
        let message =
            validate_limit(&LimitDefinition { max_value: u64::MAX, ..most }).expect_err("is refused");
        let says_usd = message.0[0].message.contains("9007199.254740991 (USD)");
        assert_eq!(says_usd, limit_type.as_str().contains("COST"), "{message:?}");
    }
    assert_eq!(changed(T::ErrorRatePct, &|limit| limit.max_value = 101), "/max_value");
    assert_eq!(changed(T::CostUsd, &|limit| limit.limit_category = LimitCategory::Rate), "/limit_category");
    assert_eq!(changed(T::CostUsd, &|limit| limit.reset_period = None), "/reset_period");
    assert_eq!(changed(T::RunSteps, &|limit| limit.reset_period = Some(ResetPeriod::Daily)), "/reset_period");
    assert_eq!(changed(T::RequestsPerHour, &|limit| limit.window_seconds = Some(0)), "/window_seconds");
    assert_eq!(changed(T::CostUsd, &|limit| limit.window_seconds = Some(5)), "/window_seconds");
    assert_eq!(
        changed(T::ErrorRatePct, &|limit| limit.measurement_window_seconds = None),
        "/measurement_window_seconds"
    );
    assert_eq!(
        changed(T::Steps, &|limit| limit.measurement_window_seconds = Some(5)),
        "/measurement_window_seconds"
    );
    assert_eq!(changed(T::CostUsd, &|limit| limit.scope = Scope::Provider), "/scope_id");
    assert_eq!(changed(T::CostUsd, &|limit| limit.scope_id = Some("x".to_owned())), "/scope_id");
    assert_eq!(changed(T::CostUsd, &|limit| limit.enforcement = LimitEnforcement::Reject), "/enforcement");
    assert_eq!(changed(T::RunSteps, &|limit| limit.enforcement = LimitEnforcement::Queue), "/enforcement");
}

proptest! {
    #[test]
    fn a_refusing_limit_never_lets_its_sum_pass_the_cap(
        max in 1..1_000_u64, demands in proptest::collection::vec(0..200_u64, 0..50),
    ) {
        let budget = limit("lim_1", LimitType::TokensTotal, max);
        let mut used = 0;
        for demand in demands {
            let outcome = admit_with(&budget, &input(&budget, used, 0, demand));
            prop_assert_eq!(outcome.action.refuses(), used + demand > max);
            if !outcome.action.refuses() {
                used += demand;
            }
            prop_assert!(used <= max);
        }
    }

    #[test]
    fn more_use_never_stands_better(max in 1..1_000_u64, used in 0..2_000_u64, more in 0..500_u64) {
        let budget = limit("lim_1", LimitType::Steps, max);
        let standing = |used| admit_with(&budget, &input(&budget, used, 0, 1));
        prop_assert!(standing(used).standing <= standing(used + more).standing);
        prop_assert!(standing(used).action <= standing(used + more).action);
    }

    #[test]
    fn no_numbers_overflow(max: u64, used: u64, reserved: u64, demand: u64, population: u64, pick in 0..19_usize) {
        let limit = limit("lim_1", LimitType::ALL[pick], max);
        let input = LimitInput {
            population: population.into(), cost_unknown: demand % 2 == 0, ..input(&limit, used, reserved, demand)
        };
        let outcome = admit(&limit, Moment::StepBoth, &input, false, false);
        prop_assert!(outcome.message.is_some() == (outcome.action > Action::Allow));
        let text = crate::reexecute::limit_inputs_json(std::slice::from_ref(&input));
        prop_assert_eq!(serde_json::from_str::<Vec<LimitInput>>(&text).ok(), Some(vec![input]));
    }

    #[test]
    fn windows_tile_time_in_every_zone(
        zone in prop_oneof![
            Just("UTC"), Just("Europe/Berlin"), Just("America/Havana"), Just("Africa/Cairo"), Just("Asia/Kathmandu"),
            Just("Pacific/Apia"), Just("Australia/Lord_Howe"), Just("America/St_Johns"), Just("Asia/Gaza"),
        ],
        seconds in 0..4_102_444_800_i64,
        period in prop_oneof![Just(ResetPeriod::Daily), Just(ResetPeriod::Weekly), Just(ResetPeriod::Monthly)],
    ) {
        let zone = Zone::parse(zone).expect("is a zone");
        let now = DateTime::from_timestamp(seconds, 0).expect("is a time");
        let mut budget = limit("lim_1", LimitType::CostUsd, 5);
        budget.reset_period = Some(period);
        let this = window(&budget, now, zone);
        let end = this.end.expect("resets");
        prop_assert!(this.start <= now && now < end);
        // The whole window agrees on itself, and the next begins where it ends.
        prop_assert_eq!(window(&budget, this.start, zone), this);
        prop_assert_eq!(window(&budget, end - TimeDelta::microseconds(1), zone), this);
        prop_assert_eq!(window(&budget, end, zone).start, end);
        prop_assert!(zone.time_facts(now).hour.get() < 24);
        prop_assert!((1..=7).contains(&zone.time_facts(now).weekday.get()));
    }
}
