//! What the modules may not change: at their start, nothing; in frozen parts, no weight.

use camtl::kernels::{Later, Pass, Training};
use camtl::nn::prelude::*;
use camtl::nn::pretrained;
use dfdx::prelude::Cpu;

use crate::support::{Model, backward, batch, noise, random_model};

type Plain = EncoderLayer<32, 4, 48, Trained, PlainAttention, PlainNorm, NoBottleneck, Cpu>;
type Conditional = EncoderLayer<32, 4, 48, Trained, BlockAttention<16, 3>, CondNorm, NoBottleneck, Cpu>;

/// The parameters of one layer, started from one seed; the shared ones are equal in both.
fn started<L: Build<Cpu> + Parameters<Cpu>>() -> [L; 2] {
    let mut layers: [L; 2] = Scope::root(Cpu::default()).layers(0);
    let mut parameters = Vec::new();
    layers.parameters(&mut parameters);
    pretrained::start(&mut parameters, 5);
    layers
}

#[test]
fn modules_at_their_start_equal_the_plain_backbone_bit_for_bit() {
    let batch = batch();
    let pass = &mut Pass::scoring(Cpu::default());
    let x: Tokens<32, Cpu> = {
        let mut embeddings: Embeddings<32, 40, 24, 2, Trained, Cpu> =
            Build::build(&Scope::root(Cpu::default()));
        let mut parameters = Vec::new();
        embeddings.parameters(&mut parameters);
        pretrained::start(&mut parameters, 1);
        embeddings.forward(&batch, pass)
    };
    let mut task_embedding = TaskEmbedding::<32, Cpu>::build(&Scope::root(Cpu::default()), 3);
    let mut alignment: Alignment<32, Cpu> = Build::build(&Scope::root(Cpu::default()));
    let mut parameters = Vec::new();
    task_embedding.parameters(&mut parameters);
    alignment.parameters(&mut parameters);
    pretrained::start(&mut parameters, 2);
    let z = task_embedding.forward();
    assert!(z.as_vec().iter().all(|v| *v != 0.0), "a task embedding is zero");

    let plain = started::<Plain>().forward(x.clone(), &camtl::nn::NoTask, &batch, pass);
    let aligned = alignment.forward(x, &z, &batch, pass);
    let conditional = started::<Conditional>().forward(aligned, &z, &batch, pass);
    assert_eq!(plain.as_vec(), conditional.as_vec());
}

#[test]
fn a_trained_module_does_change_the_output() {
    let batch = batch();
    let run = |model: &Model| {
        let pass = &mut Pass::scoring(Cpu::default());
        let constant = model.encoder.constant(&batch, pass);
        model.encoder.encode(constant, &batch, pass).pooled.as_vec()
    };
    let mut model = random_model(3);
    let before = run(&model);
    for module in [
        "alignment.gamma.weight",
        "encoder.layer.1.attention.bias.blocks",
        "encoder.layer.2.output.LayerNorm.film.beta.bias",
        "encoder.layer.2.bottleneck.down.weight",
        "ladder.1.up.weight",
        "task_embedding.weight",
    ] {
        let mut parameters = model.parameters();
        let parameter = parameters.iter_mut().find(|p| p.meta().name == module).expect(module);
        let values = parameter.read();
        parameter.write(&values.iter().map(|v| v + 0.5).collect::<Vec<_>>());
        assert_ne!(before, run(&model), "`{module}` has no effect");
        let mut parameters = model.parameters();
        parameters.iter_mut().find(|p| p.meta().name == module).expect(module).write(&values);
    }
    assert_eq!(before, run(&model));
}

#[test]
fn frozen_weights_get_no_gradient_and_all_others_do() {
    let mut model = random_model(4);
    let batch = batch();
    let constant = model.encoder.constant(&batch, &mut Pass::scoring(Cpu::default()));
    let mut pass = Training::training(Cpu::default(), 0.0, 1);
    let pooled = model.encoder.encode(constant, &batch, &mut pass).pooled;
    let (_, mut gradients) = backward(pass, &pooled, &noise(8, 96));
    for parameter in model.parameters() {
        let (name, trained) = (parameter.meta().name.clone(), parameter.meta().trained);
        let reached = !name.starts_with("heads.") && !name.ends_with("key.bias");
        if reached {
            let squared = Later::all(vec![parameter.squared_norm(&mut gradients)])[0];
            assert_eq!(squared > 0.0, trained, "`{name}`: gradient norm {squared}");
        }
    }
}
