//! Evidence that holds nothing is none.

use orchestrator::choke::call::{LlmReport, StepReport};
use proof::words::{IntegrityGrade, StepKind};
use testkit::{Kit, on_both};
use verify::Word;

use crate::agent::{Agent, llm};

on_both! {
    async fn a_model_call_that_says_nothing_of_its_answer_is_a_failed_capture(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let known = LlmReport { model: Some("gpt-4o".to_owned()), ..LlmReport::default() };
        for (says, grade) in [
            (None, IntegrityGrade::Warn),
            (Some(LlmReport::default()), IntegrityGrade::Warn),
            (Some(LlmReport { finish_reason: Some("stop".to_owned()), ..LlmReport::default() }), IntegrityGrade::Warn),
            (Some(known), IntegrityGrade::Pass),
            (Some(LlmReport { output_tokens: 1, ..LlmReport::default() }), IntegrityGrade::Pass),
        ] {
            let run = agent.start().await;
            let report = StepReport { llm: says.clone(), ..llm(1) };
            assert_eq!(report.kind, StepKind::LlmCall);
            agent.record(run, report).await.unwrap();
            agent.complete(run).await.unwrap();
            let (report, _) = agent.verified(run).await;
            assert_eq!((report.word, report.grade), (Word::Complete, Some(grade)), "{says:?}: {report}");
        }
    }
}
