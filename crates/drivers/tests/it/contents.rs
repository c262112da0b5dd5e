//! A run's texts as their bodies hold them: whatever they are, each comes back with the step that names it.

use std::collections::BTreeMap;

use drivers::logs::{
    Base, DEEPEST, DecidedStep, LookedAtTexts, NewContents, NewSegment, RunRecords, RunSalt, StepsPage,
};
use models::{
    ids::RunId,
    ledger::RunLogEntry,
    logs::{KeptText, RunTexts, StepTexts},
    page::PageRequest,
};
use proof::{
    contents::Texts,
    hash::Hash,
    leaves::{ErasedLeaf, RunLeaf},
    records::StepRecord,
    segment::Line,
    tagged::Hashed,
    words::ActorType,
};

use crate::{
    sample::{self, TENANT, at, salt, step, uuid, verdict},
    whole::{self, segment},
};

/// Numbers that look like chance, the same each time.
struct Dice(u64);

impl Dice {
    fn next(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % below
    }

    /// Nothing, or any text: an empty one, one that was said before, a long one, one of odd characters.
    fn text(&mut self, before: &[String]) -> Option<String> {
        let odd = ["\u{0}", "\n", "\"", "\u{1f326}", "\u{202e}", "\\", "a\u{301}", "\u{ffff}", "x"];
        match self.next(6) {
            0 => None,
            1 => Some(String::new()),
            2 if !before.is_empty() => {
                let at = usize::try_from(self.next(before.len() as u64)).expect("a place");
                Some(format!("{}{}", before[at], self.next(9)))
            }
            3 => Some("long ".repeat(usize::try_from(self.next(4_000)).expect("a length"))),
            _ => Some(
                (0..self.next(40)).map(|_| odd[usize::try_from(self.next(9)).expect("a place")]).collect(),
            ),
        }
    }
}

/// That the texts of a run were erased.
fn erased(run: RunId) -> RunLogEntry {
    let leaf = RunLeaf::Erased(ErasedLeaf {
        tenant_id: TENANT.to_string(),
        run_id: run.to_string(),
        sealed_leaf: Hash([7; 32]).to_string(),
        text_count: 0,
        text_bytes: 0,
        actor_type: ActorType::Human,
        actor_id: Some("ann".to_owned()),
        reason: "asked for".to_owned(),
        erased_at: models::time::text(at(1)),
    });
    let leaf_hash = leaf.hash();
    RunLogEntry { tenant: TENANT, leaf_index: 50, leaf_hash, run_id: run, leaf, created_at: at(1) }
}

testkit::on_both! {
    async fn any_texts_come_back_whichever_page_they_are_on(db: TestDatabase) {
        let db = sample::store(db).await;
        whole::start(&db, 1..2).await;
        let run = RunId(uuid(1));
        let tx = db.begin().await.expect("begin");
        tx.traces().insert_salts(TENANT, &[(run, salt())]).await.expect("salted");
        let mut dice = Dice(88_172_645_463_325_252);
        let (mut said, mut all, mut base): (Vec<String>, Vec<StepTexts>, Option<Base>) = (Vec::new(), Vec::new(), None);
        let none = RunRecords::default();
        let mut index = 0;
        while index < 90 {
            let mut texts = Texts::default();
            let mut steps = Vec::new();
            for _ in 0..=dice.next(4) {
                let four: [Option<String>; 4] = std::array::from_fn(|_| dice.text(&said));
                let names = four.each_ref().map(|text| {
                    text.as_ref().map(|text| {
                        let name = salt().name(text);
                        assert!(texts.add(&name, text));
                        name
                    })
                });
                said.extend(four.iter().flatten().cloned());
                let [params, outcome_data, prompt, response] = names;
                steps.push(Hashed::new(StepRecord { params, outcome_data, prompt, response, ..step(TENANT, 1, index) }));
                let [params, outcome_data, prompt, response] = four.map(|text| text.map(KeptText::Text));
                all.push(StepTexts { params, outcome_data, prompt, response });
                index += 1;
            }
            let first_step = steps[0].step_index;
            let verdicts: Vec<_> = steps.iter().map(|step| verdict(TENANT, 1, step.step_index)).collect();
            let pairs = steps.iter().zip(&verdicts);
            let decided = pairs.map(|(record, verdict)| DecidedStep { record, verdict }).collect();
            let evidence = verdicts.iter().map(|verdict| Line::of(verdict.record())).collect();
            // Sometimes what was said before is at hand, and sometimes not; and it is not always the last.
            let at_hand = base.as_ref().filter(|base| base.depth < DEEPEST && dice.next(5) > 0);
            let added = NewSegment {
                first_record: first_step * 2,
                first_step,
                evidence,
                contents: Some(NewContents { texts: &texts, base: at_hand }),
                ..segment(TENANT, 1, &none, decided)
            };
            tx.traces().append(&[added]).await.expect("appended");
            let place = first_step * 2;
            let (key_place, depth) = at_hand.map_or((place, 0), |base| (base.key_place, base.depth + 1));
            if texts.count() > 0 && dice.next(4) > 0 {
                base = Some(Base { place, key_place, depth, bytes: texts.into_bytes() });
            }
        }
        for limit in [1, 7, 200] {
            let mut page = PageRequest::new(Some(limit), None, false).expect("a page");
            let mut read = BTreeMap::new();
            loop {
                let found = tx.traces().list_steps(TENANT, run, index, None, &page).await.expect("a page").page;
                read.extend(found.items.into_iter().map(|one| (one.step.record.step_index, one.texts)));
                let Some(next) = found.next_cursor else { break };
                page.cursor = Some(next.place);
            }
            assert!(read.values().eq(&all), "{limit}");
        }
        let (_, _, named) = whole::read_run(*tx.traces(), TENANT, run).await;
        let mut look = tx.traces().begin_texts(TENANT, run).await.expect("a look");
        for part in named.in_parts(3) {
            tx.traces().look_at_texts(TENANT, run, &mut look, &part).await.expect("some");
        }
        assert_eq!(look.end(&[]), LookedAtTexts { are_kept: true, missing: vec![] });
        let held = tx.traces().texts_of_segments(TENANT, run, &named).await.expect("all");
        assert_eq!((held.salt, held.missing), (Some(salt()), vec![]));
        let RunTexts::Kept(kept) = held.texts else { panic!("they are kept") };
        assert!(said.iter().all(|text| kept.values().any(|kept| kept == text)));
        assert!(named.all().all(|name| kept.contains_key(&name.hash)));
        let looked = tx.traces().look_into(TENANT, run).await.expect("all");
        assert_eq!(looked.missing_contents, []);
    }

    async fn a_text_that_is_not_there_is_told_and_none_is_dropped_without_a_leaf(db: TestDatabase) {
        let db = sample::store(db).await;
        whole::start(&db, 1..2).await;
        let run = RunId(uuid(1));
        let tx = db.begin().await.expect("begin");
        let none = RunRecords::default();
        let record = Hashed::new(step(TENANT, 1, 0));
        let of_it = verdict(TENANT, 1, 0);
        let decided = vec![DecidedStep { record: &record, verdict: &of_it }];
        let added = NewSegment { evidence: vec![Line::of(of_it.record())], ..segment(TENANT, 1, &none, decided) };
        tx.traces().append(&[added]).await.expect("appended");
        let page = PageRequest::new(None, None, false).expect("a page");
        let unsalted = tx.traces().salts(TENANT, &[run]).await.expect("what there is");
        assert!(matches!(unsalted.get(&run), Some(RunSalt::Lost(_))), "{unsalted:?}");
        let lost = |page: StepsPage, place| {
            let named: Vec<_> = page.missing_contents.iter().map(|one| one.first_record).collect();
            named == [place] && page.page.items[0].texts.params == Some(KeptText::Lost(0))
        };
        assert!(lost(tx.traces().list_steps(TENANT, run, 1, None, &page).await.expect("its step is there"), None));
        tx.traces().insert_salts(TENANT, &[(run, salt())]).await.expect("salted");
        assert!(lost(tx.traces().list_steps(TENANT, run, 1, None, &page).await.expect("its step is there"), Some(0)));
        let kept = tx.traces().erase_contents(TENANT, run).await.expect_err("no leaf says that it was erased");
        assert!(kept.to_string().contains("keeps this row"), "{kept}");
    }

    async fn the_leaf_says_that_a_run_was_erased_and_none_of_another_run_does(db: TestDatabase) {
        let db = sample::store(db).await;
        whole::start(&db, 1..3).await;
        let [run, other] = [1, 2].map(|n| RunId(uuid(n)));
        let tx = db.begin().await.expect("begin");
        tx.traces().insert_salts(TENANT, &[(run, salt()), (other, salt())]).await.expect("salted");
        tx.ledger().insert_run_leaves(&[erased(run)]).await.expect("a leaf");
        let salts = tx.traces().salts(TENANT, &[run, other]).await.expect("what there is");
        assert_eq!((&salts[&run], &salts[&other]), (&RunSalt::Erased { is_there: true }, &RunSalt::Kept(salt())));
        assert_eq!(tx.traces().erase_contents(TENANT, run).await.expect("it may be"), 1, "its salt");
        let salts = tx.traces().salts(TENANT, &[run, other]).await.expect("what there is");
        assert_eq!((&salts[&run], &salts[&other]), (&RunSalt::Erased { is_there: false }, &RunSalt::Kept(salt())));
        tx.commit().await.expect("committed");
        let tx = db.begin().await.expect("begin");
        assert!(tx.traces().insert_salts(TENANT, &[(run, salt())]).await.is_err(), "none is added to it");
        tx.rollback().await.expect("undone");
        let tx = db.begin().await.expect("begin");
        assert!(tx.traces().erase_contents(TENANT, other).await.is_err(), "nothing says that this one was");
    }
}
