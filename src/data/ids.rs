//! Token ids, in memory or in a mapped file.

use std::ops::{Deref, Range};
use std::sync::Arc;

use memmap2::Mmap;

/// Derefs to the ids. Cheap to clone where they are mapped.
#[derive(Clone)]
pub enum Ids {
    Owned(Vec<u32>),
    Mapped(Mapped),
}

/// Bytes of a file that are `u32`s as this machine has them.
#[derive(Clone)]
pub struct Mapped {
    map: Arc<Mmap>,
    range: Range<usize>,
}

impl Ids {
    /// The little-endian numbers in a range of bytes, which lies in the map. They stay there if they are aligned and
    /// this machine counts as they do.
    pub fn map(map: &Arc<Mmap>, range: Range<usize>) -> Self {
        let bytes = &map[range.clone()];
        if cfg!(target_endian = "little") && bytes.as_ptr().cast::<u32>().is_aligned() {
            return Self::Mapped(Mapped { map: Arc::clone(map), range });
        }
        Self::Owned(bytes.as_chunks().0.iter().map(|bytes| u32::from_le_bytes(*bytes)).collect())
    }
}

impl Deref for Ids {
    type Target = [u32];

    fn deref(&self) -> &[u32] {
        match self {
            Self::Owned(ids) => ids,
            Self::Mapped(Mapped { map, range }) => {
                // SAFETY: any bytes are a `u32`, and `align_to` keeps to what is aligned, here all of it.
                let (_, ids, _) = unsafe { map[range.clone()].align_to() };
                ids
            }
        }
    }
}

impl Default for Ids {
    fn default() -> Self {
        Self::Owned(Vec::new())
    }
}

impl From<Vec<u32>> for Ids {
    fn from(ids: Vec<u32>) -> Self {
        Self::Owned(ids)
    }
}

impl PartialEq for Ids {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl std::fmt::Debug for Ids {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        (**self).fmt(f)
    }
}
