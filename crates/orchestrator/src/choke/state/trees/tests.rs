//! Trees that are read anew, and what of them was decided by another build.

use models::ids::RunId;
use rules::Count;

use super::*;

/// A call to a model in that place, which tells as much as any.
fn step(step_index: u64, [span, parent]: [u64; 2], cost_nanousd: u64) -> TreeStep {
    let id = |of: u64| Some(format!("{of:016x}"));
    TreeStep {
        run_id: RunId(uuid::Uuid::nil()),
        step_index,
        kind: StepKind::LlmCall,
        skill_name: "openai.chat".to_owned(),
        provider: None,
        model: None,
        model_requested: None,
        input_tokens: 20,
        output_tokens: 2,
        cost_nanousd,
        cost_known: step_index > 0,
        cost_note: None,
        failed: false,
        recorded_at: DateTime::UNIX_EPOCH,
        external_span_id: id(span),
        external_parent_span_id: id(parent),
        reported_by: None,
        told_by_index: None,
    }
}

fn read(tree: &mut Tree, steps: &[TreeStep], since: u64) {
    let mut reading = Reading::since(since);
    for step in steps {
        tree.read(step, None, &mut reading);
    }
}

fn counting(tree: &Tree) -> Vec<u64> {
    let mut counting: Vec<u64> = tree.counting.keys().copied().collect();
    counting.sort_unstable();
    counting
}

#[test]
fn a_tree_that_is_read_anew_is_as_it_was() {
    // More than a record holds, until others tell of the same.
    let half = Count::MAX.get() / 2 + 1;
    let mut steps = [step(0, [1, 9], half), step(1, [2, 9], half), step(2, [3, 1], 1), step(3, [4, 2], 1)];
    let (mut live, mut anew) = (Tree::default(), Tree::default());
    // As when they come: the tally alone says what counts.
    read(&mut live, &steps, u64::MAX);
    assert_eq!((counting(&live), live.unknown, live.cut), (vec![2, 3], 0, true));
    (steps[0].told_by_index, steps[1].told_by_index) = (Some(2), Some(3));
    read(&mut anew, &steps, 0);
    let said = |tree: &Tree| (counting(tree), tree.unknown, tree.cost, tree.cut, tree.next);
    assert_eq!(said(&anew), said(&live));
}

#[test]
fn a_try_that_broke_is_read_as_one() {
    let broken = TreeStep { failed: true, output_tokens: 1, ..step(0, [2, 1], 1) };
    let mut steps = [broken, step(1, [1, 9], 1), step(2, [3, 1], 1)];
    for since in [u64::MAX, 0] {
        let mut tree = Tree::default();
        read(&mut tree, &steps, since);
        assert_eq!(counting(&tree), [0, 2], "{since}");
        steps[1].told_by_index = Some(2);
    }
}

/// What an older build said of a late step stands in its run, doubt or none.
#[test]
fn a_late_step_that_is_read_leaves_no_doubt_to_the_next() {
    let begun = TreeStep { output_tokens: 1, ..step(0, [3, 2], 1) };
    let (late, beside) = (step(1, [2, 1], 2), step(2, [4, 9], 1));
    let add = |tree: &mut Tree, step: &TreeStep| tree.add(told_of(step, None), spent_by(step), true).0;
    let mut live = Tree::default();
    live.read(&begun, Some(1), &mut Reading::since(0));
    assert_eq!(add(&mut live, &late), Placed { counts: false, in_doubt: true });
    assert_eq!(add(&mut live, &beside), Placed::ALONE);
    for told_by_index in [None, Some(1)] {
        let (mut anew, mut reading) = (Tree::default(), Reading::since(0));
        for step in [&begun, &TreeStep { told_by_index, ..late.clone() }] {
            anew.read(step, Some(1), &mut reading);
        }
        assert_eq!(add(&mut anew, &beside), Placed::ALONE, "{told_by_index:?}");
    }
}

#[test]
fn what_another_version_decided_of_a_step_stands() {
    let taken = TreeStep { told_by_index: Some(0), ..step(0, [1, 9], 1) };
    let mut tree = Tree::default();
    // The first was told of by nothing, and the second is by the third.
    read(&mut tree, &[taken, step(1, [2, 9], 1), step(2, [3, 2], 1)], 0);
    assert_eq!((counting(&tree), tree.unknown, tree.cost), (vec![1, 2], 0, 2));
    // Steps that come now are below the first, which is gone, and the second, which is given back once.
    for (index, parent, left) in [(3, 1, vec![1, 2, 3]), (4, 2, vec![2, 3, 4]), (5, 2, vec![2, 3, 4, 5])] {
        read(&mut tree, &[step(index, [index + 1, parent], 1)], u64::MAX);
        let cost = left.len() as u64;
        assert_eq!((counting(&tree), tree.cost), (left, cost), "{index}");
    }
}
