//! Safetensors files with remarks, whose bytes are a function of what they hold: the library's own writer keeps remarks
//! in a hash map, so that two equal runs would give files that differ.
//!
//! Layout (<https://github.com/huggingface/safetensors>): the length of the header in 8 bytes, the header as JSON, filled
//! up with spaces to a multiple of 8, and the tensors without gaps.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;

use safetensors::tensor::Dtype;
use serde_json::{Map, json};

use super::files::{self, FileError};

/// Name, type, shape and content of a tensor.
pub type Raw = (String, Dtype, Vec<usize>, Vec<u8>);

/// Writes a file, and waits until it is on the disk.
pub fn write(path: &Path, mut tensors: Vec<Raw>, remarks: &BTreeMap<&str, String>) -> Result<(), FileError> {
    // widest types first, so that each tensor lies at a multiple of its type's size
    tensors.sort_by(|(a, of_a, ..), (b, of_b, ..)| {
        (Reverse(of_a.bitsize()), a).cmp(&(Reverse(of_b.bitsize()), b))
    });
    let mut header = header(&tensors, remarks).into_bytes();
    header.resize(header.len().next_multiple_of(8), b' ');
    let write = || {
        let mut file = BufWriter::new(File::create(path)?);
        file.write_all(&(header.len() as u64).to_le_bytes())?;
        file.write_all(&header)?;
        tensors.iter().try_for_each(|(.., bytes)| file.write_all(bytes))?;
        file.into_inner()?.sync_all()
    };
    files::at(path, "written", write())
}

fn header(tensors: &[Raw], remarks: &BTreeMap<&str, String>) -> String {
    let mut header = Map::new();
    if !remarks.is_empty() {
        header.insert("__metadata__".to_owned(), json!(remarks));
    }
    let mut end = 0;
    for (name, dtype, dims, bytes) in tensors {
        let start = end;
        end += bytes.len();
        let entry = json!({ "dtype": dtype, "shape": dims, "data_offsets": [start, end] });
        header.insert(name.clone(), entry);
    }
    json!(header).to_string()
}

#[cfg(test)]
mod tests {
    use safetensors::SafeTensors;

    use super::*;

    #[test]
    fn the_library_reads_what_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.safetensors");
        let tensors = || {
            vec![
                ("used.\"a\"".to_owned(), Dtype::U8, vec![3], vec![1, 0, 1]),
                ("b".to_owned(), Dtype::F32, vec![1, 2], [1.5f32, -2.0].map(f32::to_le_bytes).concat()),
                ("a".to_owned(), Dtype::F32, vec![], 3.0f32.to_le_bytes().to_vec()),
            ]
        };
        let remarks = BTreeMap::from([("format", "pt".to_owned()), ("program", "{\"x\": 1}".to_owned())]);
        write(&path, tensors(), &remarks).unwrap();
        let bytes = std::fs::read(&path).unwrap();
        let (_, metadata) = SafeTensors::read_metadata(&bytes).unwrap();
        let found = metadata.metadata().clone().unwrap();
        assert_eq!((found["format"].as_str(), found["program"].as_str()), ("pt", "{\"x\": 1}"));
        let read = SafeTensors::deserialize(&bytes).unwrap();
        assert_eq!(read.len(), 3);
        for (name, dtype, dims, content) in tensors() {
            let tensor = read.tensor(&name).unwrap();
            assert_eq!((tensor.dtype(), tensor.shape(), tensor.data()), (dtype, &*dims, &*content), "{name}");
        }

        let mut other = tensors();
        other.reverse();
        write(&path, other, &remarks).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), bytes, "in whatever order they come");
        write(&path, Vec::new(), &BTreeMap::new()).unwrap();
        assert_eq!(SafeTensors::deserialize(&std::fs::read(&path).unwrap()).unwrap().len(), 0);
    }
}
