//! Text to [`ast::File`], through the pairs that `pest` finds.
//!
//! One function a rule of the grammar, in its order. A text that leaves the grammar is read again item by item
//! (`recover`); bad numbers are all found.

use pest::{Parser, error::Error as PestError};
use pest_derive::Parser;

use super::{
    ast,
    mistakes::{KEYWORDS, TooLong, Unexpected},
    pieces::{Piece, number, text, word},
    recover::{Chunk, chunks},
};
use crate::{
    diagnostics::Diagnostics,
    span::{Source, Span},
};

#[derive(Parser)]
#[grammar = "../grammar/cam.pest"]
struct CamParser;

/// Bytes of the longest text that is read: hundreds of times the largest model that anybody wrote.
pub const LONGEST: usize = 1 << 20;

/// The tree of a source, or what keeps it from having one.
pub fn parse(source: &Source) -> Result<ast::File, Diagnostics> {
    let (file, mistakes) = parse_at(source, 0);
    if mistakes.is_empty() { Ok(file) } else { Err(mistakes) }
}

/// All of a source that can be read, and what is wrong with the rest; all spans are moved by `base`.
pub fn parse_at(source: &Source, base: usize) -> (ast::File, Diagnostics) {
    let mut sink = Diagnostics::new();
    let mut file = ast::File { items: Vec::new(), comments: Vec::new(), broken: Vec::new() };
    let text = source.text.as_str();
    if text.len() > LONGEST {
        sink.push(TooLong { most: LONGEST, span: Span::new(base, base) });
        file.broken = KEYWORDS.map(str::to_owned).to_vec();
        return (file, sink);
    }
    if let Err(error) = read_into(&mut file, text, base, &mut sink) {
        file = ast::File { items: Vec::new(), comments: Vec::new(), broken: Vec::new() };
        let first = sink.len();
        for Chunk { keyword, start, end } in chunks(text) {
            if let Err(error) = read_into(&mut file, &text[start..end], base + start, &mut sink) {
                sink.push(Unexpected::new(&error, text, start, base));
                file.broken.extend(keyword.map(str::to_owned));
            }
        }
        if sink.len() == first {
            sink.push(Unexpected::new(&error, text, 0, base));
        }
    }
    (file, sink)
}

fn read_into(
    file: &mut ast::File,
    text: &str,
    base: usize,
    sink: &mut Diagnostics,
) -> Result<(), Box<PestError<Rule>>> {
    let mut pairs = CamParser::parse(Rule::file, text)?;
    let comments = pairs.clone().flatten().filter(|pair| pair.as_rule() == Rule::COMMENT);
    file.comments.extend(comments.map(|pair| comment(&Piece::new(pair, base))));
    if let Some(pair) = pairs.next() {
        file.items.extend(Piece::new(pair, base).inner().filter_map(|piece| item(piece, sink)));
    }
    Ok(())
}

fn comment(piece: &Piece) -> ast::Comment {
    let text = piece.text().trim_end().to_owned();
    let start = piece.start().start;
    ast::Comment { span: Span::new(start, start + text.len()), text }
}

/// `None` for the end of the input, which is no item.
fn item(piece: Piece, sink: &mut Diagnostics) -> Option<ast::Item> {
    Some(match piece.rule() {
        Rule::include => ast::Item::Include(include(piece)),
        Rule::model => ast::Item::Model(model(piece)),
        Rule::backbone => ast::Item::Backbone(backbone(piece, sink)),
        Rule::fidelity => ast::Item::Fidelity(fidelity(piece)),
        Rule::sequence => ast::Item::Sequence(sequence(piece, sink)),
        Rule::tasks => ast::Item::Tasks(tasks(piece, sink)),
        Rule::drop => ast::Item::Drop(drop_tasks(piece)),
        Rule::freeze => {
            let (span, parts) = parts(piece, sink);
            ast::Item::Freeze(ast::Freeze { span, parts })
        }
        Rule::unfreeze => {
            let (span, parts) = parts(piece, sink);
            ast::Item::Unfreeze(ast::Unfreeze { span, parts })
        }
        Rule::attach => ast::Item::Attach(Box::new(attach(piece, sink))),
        Rule::detach => ast::Item::Detach(Box::new(detach(piece, sink))),
        Rule::train => ast::Item::Train(train(piece, sink)),
        Rule::assertion => ast::Item::Assert(Box::new(assertion(piece, sink))),
        Rule::variant => ast::Item::Variant(variant(piece, sink)),
        _ => return None,
    })
}

fn include(piece: Piece) -> ast::Include {
    let from = piece.start();
    let path = text(piece.inner().expect());
    ast::Include { span: from.to(path.span), path }
}

fn model(piece: Piece) -> ast::Model {
    let from = piece.start();
    let name = word(&piece.inner().expect());
    ast::Model { span: from.to(name.span), name }
}

fn backbone(piece: Piece, sink: &mut Diagnostics) -> ast::Backbone {
    let from = piece.start();
    let mut pieces = piece.inner();
    let kind = word(&pieces.expect());
    let body = body(pieces.expect(), sink);
    ast::Backbone { span: from.to(body.span), kind, body }
}

fn fidelity(piece: Piece) -> ast::Fidelity {
    let from = piece.start();
    let to = word(&piece.inner().expect());
    ast::Fidelity { span: from.to(to.span), to }
}

fn sequence(piece: Piece, sink: &mut Diagnostics) -> ast::Sequence {
    let from = piece.start();
    let length = number(&piece.inner().expect(), sink);
    ast::Sequence { span: from.to(length.span), length }
}

fn tasks(piece: Piece, sink: &mut Diagnostics) -> ast::Tasks {
    let from = piece.start();
    let mut pieces = piece.inner();
    let open = pieces.expect().span();
    let mut tasks = Vec::new();
    while let Some(piece) = pieces.accept(Rule::task) {
        let mut pieces = piece.inner();
        let name = word(&pieces.expect());
        let body = body(pieces.expect(), sink);
        tasks.push(ast::Task { span: name.span.to(body.span), name, body });
    }
    let close = pieces.expect().span();
    ast::Tasks { span: from.to(close), block: open.to(close), tasks }
}

fn drop_tasks(piece: Piece) -> ast::Drop {
    let from = piece.start();
    let tasks: Vec<_> = piece.inner().map(|piece| word(&piece)).collect();
    let last = tasks.last().map_or(from, |task| task.span);
    ast::Drop { span: from.to(last), tasks }
}

/// Of `freeze` and `unfreeze`.
fn parts(piece: Piece, sink: &mut Diagnostics) -> (Span, Vec<ast::Part>) {
    let from = piece.start();
    let parts: Vec<_> = piece.inner().map(|piece| part(piece, sink)).collect();
    let last = parts.last().map_or(from, |part| part.span);
    (from.to(last), parts)
}

fn attach(piece: Piece, sink: &mut Diagnostics) -> ast::Attach {
    let from = piece.start();
    let mut pieces = piece.inner();
    let module = word(&pieces.expect());
    let mut place_pieces = pieces.expect().inner();
    let preposition = word(&place_pieces.expect());
    let part = part(place_pieces.expect(), sink);
    let place = ast::Place { span: preposition.span.to(part.span), preposition, part };
    let body = pieces.accept(Rule::body).map(|piece| body(piece, sink));
    let last = body.as_ref().map_or(place.span, |body| body.span);
    ast::Attach { span: from.to(last), module, place, body }
}

fn detach(piece: Piece, sink: &mut Diagnostics) -> ast::Detach {
    let start = piece.start();
    let (mut modules, mut from) = (Vec::new(), None);
    let mut last = start;
    for piece in piece.inner() {
        last = piece.span();
        if piece.rule() == Rule::part {
            let part = part(piece, sink);
            last = part.span;
            from = Some(part);
        } else {
            modules.push(word(&piece));
        }
    }
    ast::Detach { span: start.to(last), modules, from }
}

fn part(piece: Piece, sink: &mut Diagnostics) -> ast::Part {
    let mut pieces = piece.inner();
    let name = word(&pieces.expect());
    let extent = pieces.next().map(|piece| match piece.rule() {
        Rule::range => ast::Extent::Range(range(piece, sink)),
        _ => ast::Extent::One(number(&piece, sink)),
    });
    let last = extent.as_ref().map_or(name.span, ast::Extent::span);
    ast::Part { span: name.span.to(last), name, extent }
}

fn train(piece: Piece, sink: &mut Diagnostics) -> ast::Train {
    let from = piece.start();
    let body = body(piece.inner().expect(), sink);
    ast::Train { span: from.to(body.span), body }
}

fn assertion(piece: Piece, sink: &mut Diagnostics) -> ast::Assert {
    let from = piece.start();
    let mut pieces = piece.inner();
    let quantity = word(&pieces.expect());
    let comparison = match pieces.expect().text() {
        "<=" => ast::Comparison::AtMost,
        ">=" => ast::Comparison::AtLeast,
        "<" => ast::Comparison::Below,
        _ => ast::Comparison::Above,
    };
    let bound = number(&pieces.expect(), sink);
    let unit = pieces.accept(Rule::unit).map(|piece| word(&piece));
    let base = pieces.next();
    let lacks_x = base.as_ref().is_some_and(|piece| piece.rule() == Rule::forgotten_times);
    let times = base.map(|piece| match lacks_x {
        // The rule reaches over what follows it.
        true => ast::Word {
            span: Span::new(piece.start().start, piece.start().start + BASE.len()),
            text: BASE.to_owned(),
        },
        false => word(&piece),
    });
    let last = times.as_ref().or(unit.as_ref()).map_or(bound.span, |word| word.span);
    ast::Assert { span: from.to(last), quantity, comparison, bound, unit, times, lacks_x }
}

const BASE: &str = "backbone";

fn variant(piece: Piece, sink: &mut Diagnostics) -> ast::Variant {
    let from = piece.start();
    let mut pieces = piece.inner();
    let name = word(&pieces.expect());
    let of = pieces.accept(Rule::name).map(|piece| word(&piece));
    let open = pieces.expect().span();
    let mut items = Vec::new();
    let mut close = open;
    for piece in pieces {
        close = piece.span();
        items.extend(item(piece, sink));
    }
    ast::Variant { span: from.to(close), name, of, block: open.to(close), items }
}

/// Of `body` and of `options`, whose entries have no block.
fn body(piece: Piece, sink: &mut Diagnostics) -> ast::Body {
    let mut entries = Vec::new();
    let span = piece.span();
    for piece in piece.inner() {
        if matches!(piece.rule(), Rule::entry | Rule::option) {
            entries.push(entry(piece, sink));
        }
    }
    ast::Body { span, entries }
}

fn entry(piece: Piece, sink: &mut Diagnostics) -> ast::Entry {
    let mut pieces = piece.inner();
    let key = word(&pieces.expect());
    let mut values = Vec::new();
    let mut block = None;
    for piece in pieces {
        match piece.rule() {
            Rule::options => block = Some(body(piece, sink)),
            Rule::prepositional | Rule::measured | Rule::plain => {
                values.extend(piece.inner().map(|piece| scalar(piece, sink)));
            }
            Rule::range => values.push(ast::Value::Range(range(piece, sink))),
            _ => values.push(list(piece, sink)),
        }
    }
    let last = values.last().map_or(key.span, ast::Value::span);
    let last = block.as_ref().map_or(last, |body| body.span);
    ast::Entry { span: key.span.to(last), key, values, body: block }
}

fn range(piece: Piece, sink: &mut Diagnostics) -> ast::Range {
    let mut pieces = piece.inner();
    let low = number(&pieces.expect(), sink);
    let high = number(&pieces.expect(), sink);
    ast::Range { span: low.span.to(high.span), low, high }
}

fn list(piece: Piece, sink: &mut Diagnostics) -> ast::Value {
    let from = piece.start();
    let values: Vec<_> = piece.inner().map(|piece| scalar(piece, sink)).collect();
    let last = values.last().map_or(from, ast::Value::span);
    ast::Value::List(ast::List { span: from.to(last), values })
}

fn scalar(piece: Piece, sink: &mut Diagnostics) -> ast::Value {
    match piece.rule() {
        Rule::number => ast::Value::Number(number(&piece, sink)),
        Rule::text => ast::Value::Text(text(piece)),
        _ => ast::Value::Word(word(&piece)),
    }
}
