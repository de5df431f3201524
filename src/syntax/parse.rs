//! Text to [`ast::File`], through the pairs that `pest` finds.
//!
//! One function a rule of the grammar, in its order. Mistakes of shape stop at the first; bad numbers are all
//! found.

use pest::{Parser, iterators::Pair};
use pest_derive::Parser;

use super::{
    ast,
    mistakes::Unexpected,
    pieces::{Pieces, number, span, start, text, word},
};
use crate::{
    diagnostics::Diagnostics,
    span::{Source, Span},
};

#[derive(Parser)]
#[grammar = "../grammar/cam.pest"]
struct CamParser;

/// The tree of a source, or what keeps it from having one.
pub fn parse(source: &Source) -> Result<ast::File, Diagnostics> {
    let mut sink = Diagnostics::new();
    let mut pairs = match CamParser::parse(Rule::file, &source.text) {
        Ok(pairs) => pairs,
        Err(error) => {
            sink.push(Unexpected::new(&error, &source.text));
            return Err(sink);
        }
    };
    let comments =
        pairs.clone().flatten().filter(|pair| pair.as_rule() == Rule::COMMENT).map(comment).collect();
    let items = pairs.next().map_or_else(Vec::new, |file| {
        Pieces::of(file).filter_map(|pair| item(pair, &mut sink)).collect::<Vec<_>>()
    });
    if sink.is_empty() { Ok(ast::File { items, comments }) } else { Err(sink) }
}

fn comment(pair: Pair<Rule>) -> ast::Comment {
    let text = pair.as_str().trim_end().to_owned();
    let start = pair.as_span().start();
    ast::Comment { span: Span::new(start, start + text.len()), text }
}

/// `None` for the end of the input, which is no item.
fn item(pair: Pair<Rule>, sink: &mut Diagnostics) -> Option<ast::Item> {
    Some(match pair.as_rule() {
        Rule::model => ast::Item::Model(model(pair)),
        Rule::backbone => ast::Item::Backbone(backbone(pair, sink)),
        Rule::sequence => ast::Item::Sequence(sequence(pair, sink)),
        Rule::tasks => ast::Item::Tasks(tasks(pair, sink)),
        Rule::freeze => ast::Item::Freeze(freeze(pair, sink)),
        Rule::attach => ast::Item::Attach(Box::new(attach(pair, sink))),
        Rule::train => ast::Item::Train(train(pair, sink)),
        _ => return None,
    })
}

fn model(pair: Pair<Rule>) -> ast::Model {
    let from = start(&pair);
    let name = word(&Pieces::of(pair).expect());
    ast::Model { span: from.to(name.span), name }
}

fn backbone(pair: Pair<Rule>, sink: &mut Diagnostics) -> ast::Backbone {
    let from = start(&pair);
    let mut pieces = Pieces::of(pair);
    let kind = word(&pieces.expect());
    let body = body(pieces.expect(), sink);
    ast::Backbone { span: from.to(body.span), kind, body }
}

fn sequence(pair: Pair<Rule>, sink: &mut Diagnostics) -> ast::Sequence {
    let from = start(&pair);
    let length = number(&Pieces::of(pair).expect(), sink);
    ast::Sequence { span: from.to(length.span), length }
}

fn tasks(pair: Pair<Rule>, sink: &mut Diagnostics) -> ast::Tasks {
    let from = start(&pair);
    let mut pieces = Pieces::of(pair);
    let open = span(&pieces.expect());
    let mut tasks = Vec::new();
    while let Some(pair) = pieces.accept(Rule::task) {
        let mut pieces = Pieces::of(pair);
        let name = word(&pieces.expect());
        let body = body(pieces.expect(), sink);
        tasks.push(ast::Task { span: name.span.to(body.span), name, body });
    }
    let close = span(&pieces.expect());
    ast::Tasks { span: from.to(close), block: open.to(close), tasks }
}

fn freeze(pair: Pair<Rule>, sink: &mut Diagnostics) -> ast::Freeze {
    let from = start(&pair);
    let parts: Vec<_> = Pieces::of(pair).map(|pair| part(pair, sink)).collect();
    let last = parts.last().map_or(from, |part| part.span);
    ast::Freeze { span: from.to(last), parts }
}

fn attach(pair: Pair<Rule>, sink: &mut Diagnostics) -> ast::Attach {
    let from = start(&pair);
    let mut pieces = Pieces::of(pair);
    let module = word(&pieces.expect());
    let mut place_pieces = Pieces::of(pieces.expect());
    let preposition = word(&place_pieces.expect());
    let part = part(place_pieces.expect(), sink);
    let place = ast::Place { span: preposition.span.to(part.span), preposition, part };
    let body = pieces.accept(Rule::body).map(|pair| body(pair, sink));
    let last = body.as_ref().map_or(place.span, |body| body.span);
    ast::Attach { span: from.to(last), module, place, body }
}

fn part(pair: Pair<Rule>, sink: &mut Diagnostics) -> ast::Part {
    let mut pieces = Pieces::of(pair);
    let name = word(&pieces.expect());
    let extent = pieces.next().map(|pair| match pair.as_rule() {
        Rule::range => ast::Extent::Range(range(pair, sink)),
        _ => ast::Extent::One(number(&pair, sink)),
    });
    let last = extent.as_ref().map_or(name.span, ast::Extent::span);
    ast::Part { span: name.span.to(last), name, extent }
}

fn train(pair: Pair<Rule>, sink: &mut Diagnostics) -> ast::Train {
    let from = start(&pair);
    let body = body(Pieces::of(pair).expect(), sink);
    ast::Train { span: from.to(body.span), body }
}

/// Of `body` and of `options`, whose entries have no block.
fn body(pair: Pair<Rule>, sink: &mut Diagnostics) -> ast::Body {
    let mut entries = Vec::new();
    let span = span(&pair);
    for piece in Pieces::of(pair) {
        if matches!(piece.as_rule(), Rule::entry | Rule::option) {
            entries.push(entry(piece, sink));
        }
    }
    ast::Body { span, entries }
}

fn entry(pair: Pair<Rule>, sink: &mut Diagnostics) -> ast::Entry {
    let mut pieces = Pieces::of(pair);
    let key = word(&pieces.expect());
    let mut values = Vec::new();
    let mut block = None;
    for pair in pieces {
        match pair.as_rule() {
            Rule::options => block = Some(body(pair, sink)),
            Rule::prepositional | Rule::plain => {
                values.extend(Pieces::of(pair).map(|pair| scalar(pair, sink)));
            }
            Rule::range => values.push(ast::Value::Range(range(pair, sink))),
            _ => values.push(list(pair, sink)),
        }
    }
    let last = values.last().map_or(key.span, ast::Value::span);
    let last = block.as_ref().map_or(last, |body| body.span);
    ast::Entry { span: key.span.to(last), key, values, body: block }
}

fn range(pair: Pair<Rule>, sink: &mut Diagnostics) -> ast::Range {
    let mut pieces = Pieces::of(pair);
    let low = number(&pieces.expect(), sink);
    let high = number(&pieces.expect(), sink);
    ast::Range { span: low.span.to(high.span), low, high }
}

fn list(pair: Pair<Rule>, sink: &mut Diagnostics) -> ast::Value {
    let from = start(&pair);
    let values: Vec<_> = Pieces::of(pair).map(|pair| scalar(pair, sink)).collect();
    let last = values.last().map_or(from, ast::Value::span);
    ast::Value::List(ast::List { span: from.to(last), values })
}

fn scalar(pair: Pair<Rule>, sink: &mut Diagnostics) -> ast::Value {
    match pair.as_rule() {
        Rule::number => ast::Value::Number(number(&pair, sink)),
        Rule::text => ast::Value::Text(text(pair)),
        _ => ast::Value::Word(word(&pair)),
    }
}
