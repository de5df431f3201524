//! A network with a single token type: pairs are read like texts, as RoBERTa does it, and nothing lies beyond the table.

use camtl::kernels::Pass;
use camtl::nn::prelude::*;
use dfdx::prelude::Cpu;

use crate::support::{backward, noise};

type Single = Embeddings<32, 40, 24, 1, Trained, Cpu>;

#[test]
fn the_second_text_of_a_pair_has_the_only_type() {
    let mut embeddings: Single = Build::build(&Scope::root(Cpu::default()));
    let mut parameters: Vec<&mut dyn Parameter<Cpu>> = Vec::new();
    embeddings.parameters(&mut parameters);
    for (i, parameter) in parameters.into_iter().enumerate() {
        let count = parameter.dims().iter().product();
        parameter.write(&noise(i as u64 + 1, count));
    }
    let ids: [u32; 5] = [5, 9, 6, 17, 6];
    let pair = Batch::new([(&ids[..], &[0, 0, 0, 1, 1][..], 0)]);
    let text = Batch::new([(&ids[..], &[0; 5][..], 0)]);

    let mut scoring = Pass::scoring(Cpu::default());
    let [of_pair, of_text] = [&pair, &text].map(|batch| embeddings.forward(batch, &mut scoring).as_vec());
    assert_eq!(of_pair, of_text);
    assert!(of_pair.iter().any(|value| *value != 0.0));

    let gradients = [&pair, &text].map(|batch| {
        let mut pass = Pass::training(Cpu::default(), 0.0, 0);
        let x = embeddings.forward(batch, &mut pass);
        let (_, mut gradients) = backward(pass, &x, &noise(9, 5 * 32));
        embeddings.token_type.gradient(&mut gradients)
    });
    assert_eq!(gradients[0], gradients[1]);
    assert!(gradients[0].iter().any(|value| *value != 0.0), "every token moves the only type");
}
