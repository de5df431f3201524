//! Which examples a step trains on: budgets of tokens, and scorings that serve several steps.

use camtl::data::Split;
use camtl::nn::Constant;
use camtl::runner::Cpu;
use camtl::train::Network;
use camtl::train::batches::{At, Batches};
use camtl::train::draws::{Draw, Draws};
use camtl::train::plan::{self, Fidelity, Training};
use camtl::train::sampler::{Drawn, Sampler, Share};
use camtl::train::scoring::{Hands, Scored};
use camtl::train::{Reading, inputs, uncertainty};
use serde_json::Value;

use super::timeless;
use super::tiny::{PLAN, Place, build, lines};

/// The training data: 40 examples of each task, of 4 to 6 tokens.
fn data() -> (Place, Batches) {
    let place = Place::new();
    let tokenizer = camtl::data::Tokenizer::open(&place.data().join("vocab.txt"), 16, 12).unwrap();
    let train = inputs::split(&PLAN, Split::Train, Reading::strict(&place.data(), None), &tokenizer).unwrap();
    (place, train)
}

fn training(set: &[(&str, &str)]) -> Training {
    let mut training = PLAN.training;
    set.iter().for_each(|(key, value)| training.set(key, value).unwrap());
    training
}

/// Every pick of every task, best first, from the draws of a training.
fn ranked<N: Network>(
    network: &N,
    train: &Batches,
    training: Training,
) -> impl Iterator<Item = (Vec<At>, Vec<Share>)> {
    Draws::new(training, lengths(train)).map(move |draw| {
        let Draw::Candidates(candidates) = draw else { panic!("{draw:?} is no candidates") };
        let scored =
            Scored::new(network, PLAN.tasks, Hands::new(PLAN.tasks, train, candidates), Fidelity::Paper);
        let picks = uncertainty::select(&uncertainty::scores(scored.candidates()), usize::MAX);
        (picks.into_iter().map(|pick| scored.example(pick)).collect(), scored.shares())
    })
}

fn lengths(train: &Batches) -> Vec<Vec<u32>> {
    let of = |set: &camtl::data::Dataset| (0..set.len()).map(|i| set.tokens(i) as u32).collect();
    train.datasets().iter().map(of).collect()
}

fn steps<N: Network>(
    network: &N,
    train: &Batches,
    training: Training,
    count: usize,
) -> Vec<Drawn<N::Constant>> {
    let mut sampler = Sampler::new(training, PLAN.tasks, train);
    (0..count).map(|_| sampler.next(network, PLAN.tasks, train)).collect()
}

fn sorted(examples: &[At]) -> Vec<At> {
    let mut examples = examples.to_vec();
    examples.sort_unstable();
    examples
}

/// The numbers of the constant part's output.
fn rows(constant: &Constant<16, Cpu>) -> Vec<f32> {
    constant.as_ref().expect("the lower layer is constant").as_vec()
}

fn tokens(train: &Batches, examples: &[At]) -> usize {
    examples.iter().map(|&at| train.tokens(at)).sum()
}

fn is_scored(drawn: &[Share]) -> bool {
    drawn.iter().any(|share| share.candidates > 0 || share.entropy.is_some())
}

/// The paper's rule, written out: score the candidates of the step, train on the best.
#[test]
fn by_default_every_step_scores_its_own_candidates() {
    let (_place, train) = data();
    let network = build();
    let training = training(&[]);
    assert_eq!(training.sampler, plan::Sampler::MtUncertainty { candidates: 8, rescore: 1 });
    let mut draws = Draws::new(training, lengths(&train));
    for drawn in steps(&network, &train, training, 12) {
        let Some(Draw::Candidates(candidates)) = draws.next() else { panic!("no candidates") };
        let scored =
            Scored::new(&network, PLAN.tasks, Hands::new(PLAN.tasks, &train, candidates), Fidelity::Paper);
        let picks = uncertainty::select(&uncertainty::scores(scored.candidates()), 8);
        let (examples, batch, constant) = scored.take(&network, &train, &picks);
        assert_eq!(drawn.examples, examples);
        assert_eq!(drawn.batch.ids.word, batch.ids.word);
        assert_eq!(rows(&drawn.constant), rows(&constant));
        for ((found, share), task) in drawn.tasks.iter().zip(scored.shares()).zip(0..) {
            let picks = examples.iter().filter(|at| at.task == task).count();
            assert_eq!(*found, Share { picks, ..share });
        }
    }
}

#[test]
fn a_scoring_serves_its_steps_in_the_order_of_the_scores() {
    let (_place, train) = data();
    let network = build();
    // 16 candidates of each of two tasks: 32 for three steps of 8
    let training = training(&[("candidates", "16"), ("rescore", "3")]);
    let drawn = steps(&network, &train, training, 9);
    for ((order, shares), steps) in ranked(&network, &train, training).zip(drawn.chunks(3)) {
        for (at, step) in steps.iter().enumerate() {
            assert_eq!(sorted(&step.examples), sorted(&order[8 * at..8 * (at + 1)]), "step {at}");
            assert_eq!(is_scored(&step.tasks), at == 0);
            assert_eq!(step.tasks.iter().map(|share| share.picks).sum::<usize>(), 8);
            // the constant part's output is that of this step's examples
            let own = rows(&network.constant(&train.batch(&step.examples)));
            let kept = rows(&step.constant);
            assert_eq!(kept.len(), own.len());
            assert!(kept.iter().zip(&own).all(|(a, b)| (a - b).abs() < 1e-5));
        }
        let entropies = |shares: &[Share]| shares.iter().map(|share| share.entropy).collect::<Vec<_>>();
        assert_eq!(entropies(&steps[0].tasks), entropies(&shares));
    }
}

#[test]
fn later_steps_follow_the_scores_of_the_first() {
    let (_place, train) = data();
    let (before, mut after) = (build(), build());
    // other weights, and so other scores
    camtl::nn::pretrained::start(&mut after.parameters(), 99);
    let training = training(&[("candidates", "16"), ("rescore", "3")]);
    let mut sampler = Sampler::new(training, PLAN.tasks, &train);
    let (order, _) = ranked(&before, &train, training).next().unwrap();
    let first = sampler.next(&before, PLAN.tasks, &train);
    assert_eq!(sorted(&first.examples), sorted(&order[..8]));
    let second = sampler.next(&after, PLAN.tasks, &train);
    assert_eq!(sorted(&second.examples), sorted(&order[8..16]));
}

#[test]
fn where_the_candidates_run_out_scoring_comes_earlier() {
    let (_place, train) = data();
    let network = build();
    // 2 x 8 candidates are enough for two steps of 8, and not for the five that are asked for
    let training = training(&[("candidates", "8"), ("rescore", "5")]);
    let scored: Vec<bool> =
        steps(&network, &train, training, 6).iter().map(|step| is_scored(&step.tasks)).collect();
    assert_eq!(scored, [true, false, true, false, true, false]);
}

#[test]
fn a_budget_takes_the_best_while_they_fit() {
    let (_place, train) = data();
    let network = build();
    let budget = 37;
    let training = training(&[("candidates", "8"), ("batch", "37tokens")]);
    let drawn = steps(&network, &train, training, 10);
    for ((order, _), step) in ranked(&network, &train, training).zip(&drawn) {
        let count = step.examples.len();
        assert_eq!(sorted(&step.examples), sorted(&order[..count]));
        assert!(tokens(&train, &order[..count]) <= budget);
        assert!(tokens(&train, &order[..count + 1]) > budget, "the next would have fit");
        assert_eq!(step.batch.segments.rows(), tokens(&train, &order[..count]));
    }
    let lengths: Vec<usize> = drawn.iter().map(|step| step.examples.len()).collect();
    assert!(lengths.iter().any(|length| *length != lengths[0]), "all examples are alike: {lengths:?}");
}

#[test]
fn budgets_share_a_scoring_while_its_candidates_last() {
    let (_place, train) = data();
    let network = build();
    let training = training(&[("candidates", "8"), ("rescore", "100"), ("batch", "25tokens")]);
    let drawn = steps(&network, &train, training, 12);
    let mut scorings = ranked(&network, &train, training);
    let mut left: Vec<At> = Vec::new();
    let mut served = 0;
    for step in &drawn {
        if is_scored(&step.tasks) {
            // what was left would not have filled the budget
            assert!(tokens(&train, &left) < 25, "{left:?} was dropped");
            left = scorings.next().unwrap().0;
        } else {
            served += 1;
        }
        let rest = left.split_off(step.examples.len());
        assert_eq!(sorted(&step.examples), sorted(&left));
        assert!(tokens(&train, &left) <= 25);
        assert!(tokens(&train, &left) + rest.first().map_or(0, |&at| train.tokens(at)) >= 25);
        left = rest;
    }
    assert!(served >= 6, "a scoring of 16 candidates serves two steps at least");
}

#[test]
fn a_budget_below_an_example_takes_one_all_the_same() {
    let (_place, train) = data();
    let network = build();
    for set in [&[("candidates", "8")][..], &[("sampler", "proportional")]] {
        let mut training = training(set);
        training.batch = plan::Batch::Tokens(1);
        assert!(steps(&network, &train, training, 5).iter().all(|step| step.examples.len() == 1));
    }
}

#[test]
fn an_epoch_of_budgets_covers_the_tokens_once() {
    let (place, train) = data();
    let set = [
        ("sampler", "proportional"),
        ("steps", "off"),
        ("epochs", "2"),
        ("batch", "50tokens"),
        ("evaluate_every", "1000"),
    ];
    let run = place.train("a", &set).run;
    let events = lines(&run.events());
    let all: usize = lengths(&train).iter().flatten().map(|length| *length as usize).sum();
    assert_eq!(events.len(), 2 * all.div_ceil(50));
    assert!(events.iter().all(|event| event["tokens"].as_u64().unwrap() <= 50));
    // what is left over is less than an example a step
    let trained: u64 = events.iter().map(|event| event["tokens"].as_u64().unwrap()).sum();
    assert!(trained as usize > events.len() * (50 - 6), "{trained} tokens in {} steps", events.len());
    assert_eq!(timeless(&run.events()), timeless(&place.train("b", &set).run.events()));
}

#[test]
fn a_run_that_scores_now_and_then_says_so() {
    let place = Place::new();
    let set = [("candidates", "16"), ("rescore", "3"), ("steps", "7"), ("evaluate_every", "7")];
    let run = place.train("a", &set).run;
    for (event, step) in lines(&run.events()).iter().zip(0..) {
        let weather = &event["tasks"]["weather"];
        match step % 3 {
            0 => assert!(weather["entropy"].is_f64() && weather["candidates"] == 16, "{event}"),
            _ => assert!(weather["entropy"].is_null() && weather["candidates"] == 0, "{event}"),
        }
        let picks = event["tasks"].as_object().unwrap().values().map(|task| task["picks"].as_u64().unwrap());
        assert_eq!(picks.sum::<u64>(), 8);
    }
    assert_eq!(timeless(&run.events()), timeless(&place.train("b", &set).run.events()));
    let record: Value = serde_json::from_slice(&std::fs::read(run.folder.join("run.json")).unwrap()).unwrap();
    assert_eq!(record["settings"]["sampler"]["mt_uncertainty"]["rescore"], 3);
}
