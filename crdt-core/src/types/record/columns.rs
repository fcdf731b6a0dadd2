//! How structs are written: field by field, each over all structs that lie beside each other.
//!
//! ```text
//! record column := fields · per field, by name and kind: name · kind · [a byte per struct: has it?] · column of stores
//! ```

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use crate::DotStore;
use crate::codec::{DecodeError, DecodeErrorKind, Decoder, Encoder, Kind};
use crate::sort::Sort as _;

/// The fields of several structs, to be written.
pub struct Columns<'s> {
    count: usize,
    columns: Vec<Column<'s>>,
}

struct Column<'s> {
    name: Cow<'s, str>,
    kind: Kind,
    present: Vec<usize>,
    write: Box<dyn FnOnce(&mut Encoder<'_>) + 's>,
}

impl<'s> Columns<'s> {
    /// The fields of `count` structs.
    #[must_use]
    pub fn new(count: usize) -> Self {
        Self { count, columns: Vec::new() }
    }

    /// Adds a field as each struct has it.
    pub fn field<F: DotStore>(&mut self, name: &'static str, fields: impl Iterator<Item = &'s F>) {
        let (present, fields): (Vec<usize>, Vec<&F>) =
            fields.enumerate().filter(|(_, field)| !field.is_bottom()).unzip();
        self.push(name.into(), F::KIND, present, move |to| F::encode_many(&fields, to));
    }

    pub(super) fn push(
        &mut self,
        name: Cow<'s, str>,
        kind: Kind,
        present: Vec<usize>,
        write: impl FnOnce(&mut Encoder<'_>) + 's,
    ) {
        if !present.is_empty() {
            self.columns.push(Column { name, kind, present, write: Box::new(write) });
        }
    }

    /// Writes them all.
    pub fn write(mut self, to: &mut Encoder<'_>) {
        self.columns.order_by(|left, right| (&left.name, left.kind).cmp(&(&right.name, right.kind)));
        to.varint(self.columns.len() as u64);
        for column in self.columns {
            to.bytes(column.name.as_bytes());
            to.byte(column.kind.code());
            if self.count > 1 {
                let mut present = column.present.iter().peekable();
                (0..self.count).for_each(|at| to.byte(u8::from(present.next_if_eq(&&at).is_some())));
            }
            (column.write)(to);
        }
    }
}

/// Reads one field: its name, its kind, and the places of the structs that have it.
pub type TakeField<'t, 'b> = dyn FnMut(String, Kind, &[usize], &mut Decoder<'b>) -> Result<(), DecodeError> + 't;

/// Reads the fields of `count` structs; `take` gets each field's name and kind and the structs that have it, and reads
/// that many stores.
///
/// # Errors
/// If they are broken, or `take` says so.
pub fn read<'b>(count: usize, from: &mut Decoder<'b>, take: &mut TakeField<'_, 'b>) -> Result<(), DecodeError> {
    let mut last: Option<(String, Kind)> = None;
    for _ in 0..from.count(2)? {
        let name = core::str::from_utf8(from.bytes()?).map_err(|_| from.error(DecodeErrorKind::NotText))?;
        from.note_len(name.len());
        let field = (String::from(name), from.kind()?);
        if last.as_ref().is_some_and(|last| *last >= field) {
            return Err(from.error(DecodeErrorKind::KeyTwice));
        }
        let mut present = Vec::new();
        for at in 0..count {
            match if count > 1 { from.byte()? } else { 1 } {
                0 => {}
                1 => present.push(at),
                other => return Err(from.error(DecodeErrorKind::Unknown(other))),
            }
        }
        from.deeper(|from| take(field.0.clone(), field.1, &present, from))?;
        last = Some(field);
    }
    Ok(())
}
