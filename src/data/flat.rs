//! Lists of lists without a heap block each: one array of values, and where each list begins.

use std::ops::Range;

/// Lists of numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Lists {
    values: Vec<u32>,
    /// List `i` is `values[starts[i]..starts[i + 1]]`.
    starts: Vec<usize>, // [lists + 1]
}

/// Texts.
#[derive(Clone, Debug, PartialEq)]
pub struct Texts {
    joined: String,
    /// Text `i` is `joined[starts[i]..starts[i + 1]]`.
    starts: Vec<usize>, // [texts + 1]
}

impl Lists {
    pub fn push(&mut self, list: impl IntoIterator<Item = u32>) {
        self.values.extend(list);
        self.starts.push(self.values.len());
    }

    pub fn len(&self) -> usize {
        self.starts.len() - 1
    }

    pub fn get(&self, i: usize) -> &[u32] {
        &self.values[self.range(i)]
    }

    /// Where list `i` lies among the values of all.
    pub fn range(&self, i: usize) -> Range<usize> {
        self.starts[i]..self.starts[i + 1]
    }

    pub fn values(&self) -> &[u32] {
        &self.values
    }

    pub fn lengths(&self) -> impl ExactSizeIterator<Item = u32> {
        // a list is of one example, far below 2^32 long
        self.starts.windows(2).map(|pair| (pair[1] - pair[0]) as u32)
    }

    /// `None` where the lengths are not those of the values.
    pub fn from_parts(values: Vec<u32>, lengths: &[u32]) -> Option<Self> {
        let starts = starts(lengths);
        (starts.last() == Some(&values.len())).then_some(Self { values, starts })
    }
}

impl Texts {
    pub fn push(&mut self, text: &str) {
        self.joined.push_str(text);
        self.starts.push(self.joined.len());
    }

    pub fn len(&self) -> usize {
        self.starts.len() - 1
    }

    pub fn get(&self, i: usize) -> &str {
        &self.joined[self.starts[i]..self.starts[i + 1]]
    }

    pub fn joined(&self) -> &str {
        &self.joined
    }

    pub fn lengths(&self) -> impl ExactSizeIterator<Item = u32> {
        self.starts.windows(2).map(|pair| (pair[1] - pair[0]) as u32)
    }

    /// `None` where the lengths are not those of texts in `joined`.
    pub fn from_parts(joined: String, lengths: &[u32]) -> Option<Self> {
        let starts = starts(lengths);
        let fits =
            starts.last() == Some(&joined.len()) && starts.iter().all(|&at| joined.is_char_boundary(at));
        fits.then_some(Self { joined, starts })
    }
}

/// Where lists of these lengths begin, and where the last ends.
pub fn starts(lengths: &[u32]) -> Vec<usize> {
    let mut end = 0;
    let ends = lengths.iter().map(|&length| {
        end += length as usize;
        end
    });
    std::iter::once(0).chain(ends).collect()
}

impl Default for Lists {
    fn default() -> Self {
        Self { values: Vec::new(), starts: vec![0] }
    }
}

impl Default for Texts {
    fn default() -> Self {
        Self { joined: String::new(), starts: vec![0] }
    }
}
