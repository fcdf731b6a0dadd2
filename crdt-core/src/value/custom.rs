//! User types as elements.

use core::fmt::Debug;
use core::hash::Hash;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Element, Value};

mod read;
mod spell;

/// A type of your own that sets, registers and keys may hold: one line, once it has serde's derives.
///
/// ```
/// use crdt_core::{Causal, Custom, Merge, MvRegister, OrSet, ReplicaId, Writer};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize, Deserialize, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
/// enum Shape {
///     Dot,
///     Circle { radius: u32 },
/// }
///
/// impl Custom for Shape {}
///
/// let mut me = Writer::new(ReplicaId::from_u128(1));
/// let mut drawing = Causal::<OrSet<Shape>>::new();
/// let (delta, _) = drawing.edit(&mut me, |shapes| shapes.insert(Shape::Circle { radius: 5 }));
///
/// let mut copy = Causal::<OrSet<Shape>>::decode(&drawing.encode()).unwrap();
/// assert!(copy.contains(&Shape::Circle { radius: 5 }));
/// assert!(!copy.merge(delta));
/// ```
///
/// # How it is written
///
/// As the [`Value`] that a reader without the Rust type would expect:
///
/// | in Rust | as a value |
/// |---|---|
/// | integers | `Int`; a `u128` above `i128::MAX` as 16 bytes, the highest first |
/// | floats | `Float`; what is not finite as the text `NaN`, `inf` or `-inf` |
/// | `bool`, `char`, texts, bytes | `Bool`, `Text`, `Text`, `Bytes` |
/// | `()`, unit structs, `None` | `Null`; `Some(x)` as x, inside a list where x could be mistaken for `None` |
/// | sequences and tuples | `List` |
/// | structs, maps with texts for keys | `Record`, ascending by name |
/// | other maps | `List` of pairs, ascending by key |
/// | newtype structs | what they hold |
/// | variants of enums | `Text` with the name; with content, `Record` of one field: the name and the content |
///
/// Types that serde writes differently for people and for machines are written for people, as those are the ones that
/// all of serde's ways (flattened structs, enums without a tag) read back.
///
/// # What you owe
///
/// Equality, order and hash agree, equal values are written alike, and what is written reads back as the same value.
/// Derives keep all of it, with three exceptions. A float that tells 0 from −0 or one NaN from another is written
/// without the difference: write its bits instead. A double option, a `u128` or a map with other keys than texts does
/// not read back from *inside* a flattened field or an enum that is untagged or tagged inside, as in JSON. And a value
/// deeper than 64 levels or longer than 512 KiB is refused when it is written.
///
/// To add a field later, mark it `#[serde(default, skip_serializing_if = "…")]`: then what was written before reads as
/// the value that is still written the same. Without, it is refused, since two spellings of one value would make two
/// elements of it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a type that sets, registers and keys may hold",
    label = "not such a type",
    note = "for a type of your own, derive serde's `Serialize` and `Deserialize`, and write `impl crdt_core::Custom for {Self} {{}}`",
    note = "for a float, use `crdt_core::Float`, which has an order"
)]
pub trait Custom: Serialize + DeserializeOwned + Clone + Ord + Hash + Debug + 'static {}

impl<T: Custom> Element for T {
    /// # Panics
    /// If the type's own `Serialize` refuses a value of it, which derived ones never do.
    fn to_value(&self) -> Value {
        self.serialize(spell::Spell).expect("a custom element can be written")
    }

    fn from_value(value: Value) -> Option<Self> {
        Self::deserialize(read::Read(value)).ok()
    }
}
