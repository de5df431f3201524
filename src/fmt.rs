//! The canonical layout of a `.cam` file: four spaces a level, one blank line at most, tables aligned,
//! comments kept.
//!
//! What stands on one line stays on one line: line breaks are the author's, spaces are not. Formatting twice
//! is formatting once, and never changes what is written but for white space; a comment in the middle of an
//! entry moves above the line of that entry.

mod lines;
mod phrases;

use crate::{
    diagnostics::Diagnostics,
    span::{Source, Span},
    syntax::{
        self,
        ast::{self, Body, Comment, Entry, Item},
    },
};
use lines::{Line, Table};

/// The source in its canonical layout, or its syntax errors.
pub fn format(source: &Source) -> Result<String, Diagnostics> {
    syntax::parse(source).map(|file| print(&file, source))
}

/// Like [`format()`], of a tree that was parsed from `source`.
pub fn print(file: &ast::File, source: &Source) -> String {
    let mut printer = Printer { text: &source.text, comments: &file.comments, lines: Vec::new(), level: 0 };
    for item in &file.items {
        printer.item(item);
    }
    printer.comments_before(source.text.len());
    lines::join(&printer.lines)
}

struct Printer<'a> {
    text: &'a str,
    /// Those not yet printed.
    comments: &'a [Comment],
    lines: Vec<Line>,
    level: usize,
}

impl<'a> Printer<'a> {
    fn item(&mut self, item: &Item) {
        match item {
            Item::Backbone(backbone) => {
                self.with_body(backbone.span, format!("backbone {}", backbone.kind.text), &backbone.body);
            }
            Item::Tasks(tasks) => self.tasks(tasks),
            Item::Attach(attach) => self.attach(attach),
            Item::Train(train) => self.with_body(train.span, "train".to_owned(), &train.body),
            Item::Variant(variant) => self.variant(variant),
            item => {
                if let Some(line) = phrases::short_item(item) {
                    self.line(item.span(), vec![line], None);
                }
            }
        }
    }

    fn variant(&mut self, variant: &ast::Variant) {
        let head = phrases::variant_head(variant);
        let is_inline = !self.text[variant.block.start..variant.block.end].contains('\n');
        match phrases::inline_items(&variant.items).filter(|_| is_inline) {
            Some(items) => self.line(variant.span, vec![format!("{head} {items}")], None),
            None => {
                self.open(variant.span, variant.block, head);
                for item in &variant.items {
                    self.item(item);
                }
                self.close(variant.block);
            }
        }
    }

    fn attach(&mut self, attach: &ast::Attach) {
        let module = format!("attach {}", attach.module.text);
        let place = phrases::place(&attach.place);
        match &attach.body {
            Some(body) if !self.is_inline(body) => {
                self.with_body(attach.span, format!("{module} {place}"), body);
            }
            body => {
                let options = body.as_ref().map(phrases::inline_body);
                let cells = [module, place].into_iter().chain(options).collect();
                self.line(attach.span, cells, Some(Table::Attachments));
            }
        }
    }

    fn tasks(&mut self, tasks: &ast::Tasks) {
        self.open(tasks.span, tasks.block, "tasks".to_owned());
        for task in &tasks.tasks {
            if self.is_inline(&task.body) {
                self.line(task.span, phrases::task_row(task), Some(Table::Tasks));
            } else {
                self.with_body(task.span, task.name.text.clone(), &task.body);
            }
        }
        self.close(tasks.block);
    }

    /// `head { .. }`, on one line if it was on one.
    fn with_body(&mut self, span: Span, head: String, body: &Body) {
        if self.is_inline(body) {
            self.line(span, vec![format!("{head} {}", phrases::inline_body(body))], None);
        } else {
            self.open(span, body.span, head);
            self.entries(&body.entries);
            self.close(body.span);
        }
    }

    /// Entries line by line, as they were written.
    fn entries(&mut self, entries: &[Entry]) {
        let same_line = |a: &Entry, b: &Entry| !self.text[a.span.end..b.span.start].contains('\n');
        let groups: Vec<&[Entry]> = entries.chunk_by(same_line).collect();
        for group in groups {
            self.group(group);
        }
    }

    /// One line, but for the options that were written over several.
    fn group(&mut self, group: &[Entry]) {
        let is_open = |entry: &&Entry| entry.body.as_ref().is_some_and(|body| !self.is_inline(body));
        let flat = group.iter().take_while(|entry| !is_open(entry)).count();
        let (line, rest) = group.split_at(flat);
        if let (Some(first), Some(last)) = (line.first(), line.last()) {
            self.line(first.span.to(last.span), line.iter().map(phrases::entry).collect(), None);
        }
        if let [entry, rest @ ..] = rest {
            if let Some(body) = &entry.body {
                self.with_body(entry.span, phrases::entry_head(entry), body);
            }
            self.group(rest);
        }
    }

    /// A line of its own for `span`, its comments above and behind it.
    fn line(&mut self, span: Span, cells: Vec<String>, table: Option<Table>) {
        let blank = self.comments_around(span.start, span.end);
        self.push(cells, table, blank);
        self.comment_behind(span.end);
    }

    fn open(&mut self, span: Span, block: Span, head: String) {
        let blank = self.comments_around(span.start, block.start);
        self.push(vec![format!("{head} {{")], None, blank);
        self.comment_behind(block.start + 1);
        self.level += 1;
    }

    fn close(&mut self, block: Span) {
        self.comments_before(block.end);
        self.level -= 1;
        self.push(vec!["}".to_owned()], None, false);
        self.comment_behind(block.end);
    }

    /// Prints all comments up to `offset` on lines of their own.
    fn comments_before(&mut self, offset: usize) {
        while let Some(comment) = self.next_comment_before(offset) {
            let blank = self.is_blank_before(comment.span.start);
            self.push(vec![comment.text.clone()], Some(Table::Comment), blank);
        }
    }

    /// Prints the comments above `start`, then those between it and `end`. Is a blank line still due before
    /// `start`?
    fn comments_around(&mut self, start: usize, end: usize) -> bool {
        self.comments_before(start);
        let mut blank = self.is_blank_before(start);
        while let Some(comment) = self.next_comment_before(end) {
            self.push(vec![comment.text.clone()], Some(Table::Comment), blank);
            blank = false;
        }
        blank
    }

    /// The comment that ends the line on which `end` lies goes behind what was just printed.
    fn comment_behind(&mut self, end: usize) {
        let [comment, rest @ ..] = self.comments else { return };
        let between = self.text.get(end..comment.span.start);
        if between.is_some_and(|between| between.trim().is_empty() && !between.contains('\n')) {
            self.comments = rest;
            if let Some(line) = self.lines.last_mut() {
                line.comment = Some(comment.text.clone());
            }
        }
    }

    fn next_comment_before(&mut self, offset: usize) -> Option<&'a Comment> {
        let [comment, rest @ ..] = self.comments else { return None };
        if comment.span.start >= offset {
            return None;
        }
        self.comments = rest;
        Some(comment)
    }

    fn push(&mut self, cells: Vec<String>, table: Option<Table>, blank: bool) {
        let first = self.lines.last().is_none_or(|line| line.level < self.level);
        self.lines.push(Line { level: self.level, cells, table, comment: None, blank: blank && !first });
    }

    fn is_blank_before(&self, offset: usize) -> bool {
        let before = &self.text[..offset];
        before[before.trim_end().len()..].matches('\n').count() > 1
    }

    fn is_inline(&self, body: &Body) -> bool {
        !self.text[body.span.start..body.span.end].contains('\n')
    }
}
