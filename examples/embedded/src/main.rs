//! Asks the quickstart's model from a program of one's own: `cargo run -- RUN`.

camtl::include_model!("quickstart");

use camtl::train::predict::Prediction;

/// Activations come and go by the hundred: this allocator is made for that.
#[global_allocator]
static ALLOCATOR: camtl::runner::Allocator = camtl::runner::ALLOCATOR;

fn main() -> miette::Result<()> {
    let run = std::env::args().nth(1).unwrap_or_else(|| "../../runs/quickstart".to_owned());
    let model = quickstart::load(run)?;
    println!("{} after {} steps", quickstart::PLAN.name, model.step());

    let reviews = ["the film was delightful .", "the film was not very good ."];
    for (review, answer) in reviews.iter().zip(model.predict("sentiment", &reviews)?) {
        println!("{review}\n  {}", sentence(&answer));
    }
    let pairs = [("the red box holds a small cat .", "the box is blue .")];
    for ((premise, hypothesis), answer) in pairs.iter().zip(model.predict_pairs("entails", &pairs)?) {
        println!("{premise} {hypothesis}\n  {}", sentence(&answer));
    }
    Ok(())
}

fn sentence(answer: &Prediction) -> String {
    match answer {
        Prediction::Class { label, probabilities } => {
            let shares: Vec<String> =
                probabilities.iter().map(|(label, share)| format!("{label} {share:.3}")).collect();
            format!("{label} ({})", shares.join(", "))
        }
        Prediction::Value { value } => format!("{value:.2}"),
        other => format!("{other:?}"),
    }
}
