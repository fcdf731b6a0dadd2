//! Whatever has canonical bytes and no better form.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::octets;
use crate::{BoundedCounter, Canonical, Causal, Delta, DotStore, Element, GCounter, GSet, LwwRegister, PnCounter};

macro_rules! as_canonical_bytes {
    ($($name:literal: $type:ty $(, $param:ident: $bound:ident)?;)+) => {$(
        impl<$($param: $bound)?> Serialize for $type {
            fn serialize<To: Serializer>(&self, to: To) -> Result<To::Ok, To::Error> {
                octets::serialize(&Canonical::encode(self), to)
            }
        }

        impl<'de, $($param: $bound)?> Deserialize<'de> for $type {
            fn deserialize<From: Deserializer<'de>>(from: From) -> Result<Self, From::Error> {
                octets::parse(from, $name, <Self as Canonical>::decode)
            }
        }
    )+};
}

as_canonical_bytes! {
    "a state": Causal<S>, S: DotStore;
    "a delta": Delta<S>, S: DotStore;
    "a grow-only counter": GCounter;
    "a counter": PnCounter;
    "a bounded counter": BoundedCounter;
    "a register": LwwRegister<T>, T: Element;
    "a grow-only set": GSet<T>, T: Element;
}
